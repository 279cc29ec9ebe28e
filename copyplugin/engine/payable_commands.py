"""Marking a share as paid that the venue does not move between people (V6)."""

from copyplugin.domain.identifiers import TransferId
from copyplugin.engine.done import Asked, Done
from copyplugin.store import payables


def mark_paid(asked: Asked) -> Done:
    """Book it once; twice gets a sentence that says when it was, and by whom."""
    around = asked.around
    row = payables.get_payable(asked.session, TransferId(asked.given.text("transfer_id")))
    goes_home = payables.mark_paid(
        asked.session,
        row,
        reference=asked.given.text("reference"),
        is_from_sub_account="from_sub_account" in asked.given
        and asked.given.truth("from_sub_account"),
        actor=asked.row.actor,
        prefix=around.settings.client_order_prefix,
        at=around.clock.now(),
    )
    home = "; what waited for it goes home to the follower" if goes_home else ""
    return Done(
        message=f"{row.money.normalize():f} USDT to {row.to_account} is marked as paid{home}.",
        result={"transfer_id": row.id, "follow_id": row.follow_id},
        moves_money=goes_home,
    )
