"""A dry run on a page: what a changed setting would have made of what was copied (N12)."""

from flask import Blueprint, request

from copyplugin.domain.setting_change import CHANGEABLE
from copyplugin.errors import Refused
from copyplugin.setting_trial import TrialReport
from copyplugin.trial_words import BELOW_MINIMUM, OF_CAPS, OF_SETTINGS, SHARE_RATIO, tried_from
from web.i18n import gettext
from web.identity import Answer
from web.operator.desk import page, questions
from web.operator.words import triable_words
from web.roles import needs_operator

blueprint = Blueprint("operator_trial", __name__, url_prefix="/operator/dry-run")

HOURS = (1, 6, 24, 72, 168)
"""More than a week is for the command line: a page must not think for minutes."""


@blueprint.get("")
@needs_operator
def index() -> Answer:
    name, value = request.args.get("name", ""), request.args.get("value", "").strip()
    hours = request.args.get("hours", default=24, type=int)
    report, refusal = None, None
    if name:
        report, refusal = _try(name, value, hours)
    return page(
        "trial.html",
        tab="trial",
        names=(*OF_SETTINGS, *OF_CAPS, BELOW_MINIMUM, SHARE_RATIO),
        words=triable_words(),
        chosen=name,
        value=value,
        hours=hours,
        all_hours=HOURS,
        report=report,
        refusal=refusal,
        can_be_changed=name in set(CHANGEABLE),
    )


def _try(name: str, value: str, hours: int) -> tuple[TrialReport | None, str | None]:
    if hours not in HOURS:
        return None, gettext("Choose one of the spans of time that are offered.")
    if not value:
        return None, gettext("Write the value that is to be tried.")
    try:
        return questions().try_settings(tried_from({name: value}), hours=hours), None
    except Refused as refusal:
        return None, refusal.sentence
