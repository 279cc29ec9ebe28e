"""What operators do with leaders (K1, K3, K4)."""

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.identifiers import AccountId, LeaderId, Symbol, VenueFillId
from copyplugin.domain.leader import LeaderTerms
from copyplugin.domain.transition import Legs
from copyplugin.engine.arguments import Arguments, leader_terms
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import Refused, VenueUnavailable
from copyplugin.store import follows, leader_feed, leaders
from copyplugin.store.database import Session
from copyplugin.store.rows import LeaderRow

LOOKS = 5
"""How often a leader's fills and positions are compared before his account counts as too busy."""


async def ask_about_leader(given: Arguments, around: Surroundings) -> None:
    """Learn what a new leader holds and which fill was his last, as of one moment."""
    account = given.account("account")
    venue = around.venue
    if not await venue.knows_account(account):
        raise Refused(f"The venue knows no account {account}: check the UID.")
    for _ in range(LOOKS):
        before = await _last_fill(account, around)
        positions = await venue.positions(account)
        if await _last_fill(account, around) == before:
            given.learnt["cursor"] = before
            given.learnt["positions"] = positions
            return
    raise VenueUnavailable(f"{account} trades faster than his positions can be read")


async def _last_fill(account: AccountId, around: Surroundings) -> VenueFillId | None:
    last: VenueFillId | None = None
    while True:
        fills = await around.venue.leader_fills(account, last)
        if not fills:
            return last
        last = fills[-1].venue_fill_id


def add_leader(asked: Asked) -> Done:
    """Add him; what he holds now is known, and his next fill is the first that counts."""
    now = asked.around.clock.now()
    account = AccountId(asked.given.text("account"))
    leader = leaders.add_leader(asked.session, account, leader_terms(asked.given), at=now)
    asked.session.flush()
    cursor: VenueFillId | None = asked.given.learnt["cursor"]
    if cursor is not None:
        leader_feed.set_cursor(asked.session, leader.id, cursor)
    held = _legs(asked.given.learnt["positions"])
    leader_feed.save_legs(asked.session, leader.id, {}, held, at=now)
    return Done(
        message=f"{leader.nickname} is a leader now.",
        result={"leader_id": leader.id},
        leader=(leader.id, account),
    )


def _legs(positions: list[VenuePosition]) -> dict[Symbol, Legs]:
    legs: dict[Symbol, Legs] = {}
    for held in positions:
        before = legs.get(held.symbol, Legs())
        legs[held.symbol] = before.with_leg(held.position_side, held.contracts)
    return legs


def edit_leader(asked: Asked) -> Done:
    leader = leaders.get_leader(asked.session, LeaderId(asked.given.number("leader_id")))
    terms = leader_terms(asked.given, _terms_of(asked.session, leader))
    leaders.edit_leader(asked.session, leader.id, terms)
    return Done(message="The leader's settings are saved.", result={"leader_id": leader.id})


def prohibit_leader(asked: Asked) -> Done:
    leader_id = LeaderId(asked.given.number("leader_id"))
    now = asked.around.clock.now()
    change = leaders.Change(actor=asked.row.actor, reason="the leader was prohibited", at=now)
    ended = [follow.id for follow in leaders.prohibit_leader(asked.session, leader_id, change)]
    asked.session.flush()
    follows.keep_states(asked.session, ended, at=now)
    return Done(
        message=f"The leader is prohibited; {len(ended)} follows end with his closes.",
        result={"leader_id": leader_id, "follows": len(ended)},
        follow_ids=ended,
    )


def restore_leader(asked: Asked) -> Done:
    leader = leaders.restore_leader(asked.session, LeaderId(asked.given.number("leader_id")))
    return Done(
        message=f"{leader.nickname} may be followed again.", result={"leader_id": leader.id}
    )


def pin_leader(asked: Asked) -> Done:
    """Pin him, or, with `pinned` false, put him back in his place."""
    is_pinned = "pinned" not in asked.given or asked.given.truth("pinned")
    pinned_at = asked.around.clock.now() if is_pinned else None
    leader = leaders.pin_leader(
        asked.session, LeaderId(asked.given.number("leader_id")), pinned_at=pinned_at
    )
    where = "at the top of the list" if is_pinned else "back in his place"
    return Done(message=f"{leader.nickname} is {where}.", result={"leader_id": leader.id})


def _terms_of(session: Session, leader: LeaderRow) -> LeaderTerms:
    return LeaderTerms(
        nickname=leader.nickname,
        symbols=leaders.symbols_of(session, leader.id),
        share_ratio=leader.share_ratio,
        min_copy_amount=leader.min_copy_amount,
        max_copy_amount=leader.max_copy_amount,
        total_copy_amount=leader.total_copy_amount,
        max_followers=leader.max_followers,
        blacklist=leaders.blacklist_of(session, leader.id),
        signature=leader.signature,
        kind=leader.kind,
        share_basis=leader.share_basis,
        sharer_ratio=leader.sharer_ratio,
    )
