"""Health: jobs, drift, copy delay, ledger; for whoever keeps the engine, and whoever wonders."""

from flask import Blueprint, Response, jsonify, render_template

from web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def index() -> str:
    queries = services().queries
    return render_template(
        "health/index.html", section="health", health=queries.health(), now=queries.now()
    )


@blueprint.get("/healthz")
def live() -> Response:
    """Answer as long as pages and database do: for a supervisor."""
    services().queries.now()
    services().queries.marks()
    return jsonify(status="ok")
