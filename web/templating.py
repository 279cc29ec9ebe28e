"""What every template can use: our words, figures and addresses."""

from collections.abc import Callable

from flask import Flask, request

from web import assets, formatting, words
from web.appearance import current_theme
from web.i18n import current_locale
from web.identity import current_follower, switch_is_on
from web.notices.mine import unread_notices
from web.roles import (
    STAFF_OF_DEMO,
    current_leader,
    is_operator,
    name_of_visitor,
    staff_name,
)
from web.services import services

FILTERS: tuple[Callable[..., str | formatting.Exact], ...] = (
    formatting.sign,
    formatting.percent_sign,
    formatting.number,
    formatting.exact_amount,
    formatting.signed,
    formatting.percent,
    formatting.signed_percent,
    formatting.price,
    formatting.quantity,
    formatting.whole,
    formatting.exact,
    formatting.exact_unsigned,
    formatting.date_and_time,
    formatting.day,
    formatting.clock_time,
    formatting.exact_time,
    formatting.iso,
    formatting.milliseconds,
    formatting.duration,
    formatting.short_name,
    words.side_name,
    words.margin_name,
    words.multiple,
    words.mode_name,
    words.leader_kind_name,
    words.follow_state_name,
    words.follow_state_sentence,
    words.end_kind_name,
    words.effect_name,
    words.plan_name,
    words.plan_state_name,
    words.purpose_name,
    words.order_state_name,
    words.standing_name,
    words.standing_sentence,
    words.notice_name,
    words.skip_sentence,
    words.skip_details,
)


def init_templates(app: Flask) -> None:
    for function in FILTERS:
        app.add_template_filter(function, function.__name__)
    app.add_template_global(assets.asset_url, "asset_url")
    app.add_template_global(assets.library, "library")
    app.context_processor(_of_this_request)


def _of_this_request() -> dict[str, object]:
    return {
        "me": current_follower(),
        "my_leader": current_leader(),
        "my_name": name_of_visitor(),
        "is_operator": is_operator(),
        "has_operator_pages": services().operator is not None,
        "staff_to_choose": [(staff, staff_name(staff)) for staff in STAFF_OF_DEMO],
        "unread": unread_notices(),
        "identity_switch": switch_is_on(),
        "theme": current_theme(),
        "language": str(current_locale()).replace("_", "-"),
        "here": request.full_path.rstrip("?") if request.method == "GET" else request.path,
    }
