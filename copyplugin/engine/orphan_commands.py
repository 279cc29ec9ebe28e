"""Closing an orphan: a position in a sub-account that no lane wants."""

from copyplugin.domain.follow import TERMINAL
from copyplugin.engine.done import Asked, Done
from copyplugin.errors import Refused
from copyplugin.store import follows, orphans


def close_orphan(asked: Asked) -> Done:
    """Let it be taken into the books and closed at market, by an order like any other."""
    row = orphans.ask_to_close(
        asked.session,
        asked.given.number("orphan_id"),
        actor=asked.row.actor,
        at=asked.around.clock.now(),
    )
    follow = follows.get_follow(asked.session, row.follow_id)
    if follow.state in TERMINAL:
        raise Refused(
            "The follow has ended and its money is home: what its sub-account holds now is its "
            "follower's to close at the venue."
        )
    return Done(
        message=f"{row.contracts} contracts of {row.symbol} {row.position_side} are closed at "
        "market.",
        result={"follow_id": follow.id},
        reconcile=(follow.id,),
    )
