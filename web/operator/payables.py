"""What followers owe because the venue moves nothing between people (V6): list, mark as paid."""

from flask import Blueprint, flash, redirect, request, url_for

from copyplugin.domain.command import CommandKind
from copyplugin.store.queries.payables import total_of
from web.i18n import gettext
from web.identity import Answer
from web.operator.desk import field, give, page, questions
from web.roles import needs_operator

blueprint = Blueprint("operator_payables", __name__, url_prefix="/operator/payables")


@blueprint.get("")
@needs_operator
def index() -> Answer:
    found = questions().payables(also_paid=True)
    owed = [each for each in found if each.paid_at is None]
    return page(
        "payables.html",
        tab="payables",
        owed=owed,
        paid=[each for each in found if each.paid_at is not None],
        total=total_of(owed),
    )


@blueprint.post("/paid")
@needs_operator
def paid() -> Answer:
    reference = field("reference")
    back = url_for("operator_payables.index")
    if not reference:
        flash(gettext("Say how it was paid: a transaction or a receipt that can be found."), "bad")
        return redirect(back)
    return give(
        CommandKind.MARK_PAID,
        {
            "transfer_id": field("transfer_id"),
            "reference": reference,
            "from_sub_account": request.form.get("from_sub_account") == "1",
        },
        back=back,
    )
