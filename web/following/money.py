"""Which money the pages of My copies are about: real, or play money (B6).

Whoever follows with play money is a follower of his own to everything below the pages; a word in
the address says which of the two a page, a form or a stream is about, and the links on it keep it.
"""

from typing import Any

from flask import Flask, has_request_context, request

from copyplugin.domain.identifiers import FollowerId
from web.identity import current_follower, signed_in

WORD = "money"
PLAY = "play"
_KEPT_BY = frozenset(
    {
        "actions",
        "commands",
        "copies",
        "for_real",
        "live",
        "orphans",
        "pausing",
        "receipts",
        "settings",
    }
)
_NOBODY = FollowerId(0)
"""Has no follows: stands for whoever never followed with play money."""


def is_play() -> bool:
    """Return whether this request is about play money."""
    return has_request_context() and request.args.get(WORD) == PLAY


def my_id() -> FollowerId:
    """Return whose follows this request is about: the signed-in person's, of one kind of money."""
    me = signed_in()
    return (me.paper_id or _NOBODY) if is_play() else me.follower_id


def init_money(app: Flask) -> None:
    """Let links from pages about play money lead to pages about play money."""

    @app.url_defaults
    def keep_money(endpoint: str, values: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction] - Flask calls it
        if endpoint.partition(".")[0] in _KEPT_BY and is_play():
            values.setdefault(WORD, PLAY)

    @app.context_processor
    def which_money() -> dict[str, object]:  # pyright: ignore[reportUnusedFunction] - as above
        who = current_follower()
        return {
            "is_play": is_play(),
            "has_played": who is not None and who.paper_id is not None,
        }
