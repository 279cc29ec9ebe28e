"""Places with a leader: who may take one, with how much, decided where nobody can interfere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.capacity import room_left
from copyplugin.domain.copy_rule import (
    CopyMode,
    CopyRule,
    check_open_held,
    check_price_protection,
    check_rule,
)
from copyplugin.domain.follow import HOLDS_A_PLACE
from copyplugin.domain.identifiers import AccountId, FollowerId, LeaderId, Symbol
from copyplugin.domain.leader import LeaderStatus
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, is_storable
from copyplugin.domain.statistics import limitation
from copyplugin.errors import Refused, UnknownLeader
from copyplugin.store import capacity
from copyplugin.store.follow_rules import add_rule
from copyplugin.store.followers import get_follower, person_of
from copyplugin.store.follows import write_history
from copyplugin.store.rows import (
    FollowerRow,
    FollowInstrumentRow,
    FollowRow,
    InstrumentRow,
    LeaderBlacklistRow,
    LeaderInstrumentRow,
    LeaderRow,
)
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT

SHARDS = 256
"""Follows are spread over so many shards, for good: a row keeps the shard it was given."""

PAPER_SHARD = SHARDS
"""The shard of all paper follows. It has no lease: only the engine has the play money they need."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFollow:
    """What a follower asks for when he presses Copy."""

    leader_id: LeaderId
    follower_id: FollowerId
    rule: CopyRule
    copy_amount: Money
    symbols: frozenset[Symbol]
    price_protection: Ratio | None = None  # None: the setting's
    sharer_account: AccountId | None = None  # whose link brought him
    open_held: Ratio | None = None  # None: what the leader holds now is not opened
    escrow_seconds: int = 0  # how long shares are held
    instrument_rules: Mapping[Symbol, CopyRule] = field(default_factory=dict[Symbol, CopyRule])

    @property
    def rules(self) -> dict[Symbol, CopyRule]:
        """Return every rule by symbol, the follow's own first."""
        return {EVERY_INSTRUMENT: self.rule, **self.instrument_rules}


def reserve_follow(
    session: Session,
    wish: NewFollow,
    *,
    proportional_allowed: bool,
    at: datetime,
    capacity_limits: bool = False,
) -> FollowRow:
    """Make a follow in state STARTING, which holds its place and its amount (K1, K2).

    A follow of somebody with play money holds neither; all other limits are the same for it.
    The limits hold however many ask at once: whoever comes here is alone with the leader's row
    until his transaction ends. Raises `Refused` with a sentence that says what to change.
    """
    leader = _lock_leader(session, wish.leader_id)
    follower = get_follower(session, wish.follower_id)
    is_paper = follower.paper_of is not None
    _refuse_person(session, leader, follower, wish.sharer_account)
    if not is_paper:
        _refuse_full(session, leader)
    placed = None if is_paper else placed_amount(session, leader.id)
    _refuse_amount(leader, wish.copy_amount, placed=placed)
    if capacity_limits and placed is not None:
        _refuse_beyond_the_market(session, leader, wish.copy_amount, placed=placed)
    _refuse_choice(session, wish)
    if wish.open_held is not None:
        check_open_held(wish.open_held)
    refuse_rules(
        session,
        wish.rules,
        wish.symbols,
        copy_amount=wish.copy_amount,
        price_protection=wish.price_protection,
        proportional_allowed=proportional_allowed,
    )
    row = _starting(leader, follower, wish, at)
    session.add(row)
    session.flush()
    session.add_all(
        FollowInstrumentRow(follow_id=row.id, symbol=symbol) for symbol in sorted(wish.symbols)
    )
    for symbol, rule in wish.rules.items():
        if rule != CopyRule(mode=wish.rule.mode):  # a plain one says nothing more
            add_rule(session, row.id, symbol, rule)
    actor = person_of(session, follower).account
    write_history(session, row, before=None, actor=actor, reason="copying asked", at=at)
    return row


def _starting(leader: LeaderRow, follower: FollowerRow, wish: NewFollow, at: datetime) -> FollowRow:
    is_paper = follower.paper_of is not None
    return FollowRow(
        leader_id=leader.id,
        follower_id=follower.id,
        mode=wish.rule.mode,
        copy_amount=wish.copy_amount,
        paper=is_paper,
        share_ratio=leader.share_ratio,
        share_basis=leader.share_basis,
        escrow_seconds=wish.escrow_seconds or None,
        open_held=wish.open_held,
        sharer_account=wish.sharer_account,
        sharer_ratio=None if wish.sharer_account is None else leader.sharer_ratio,
        price_protection=wish.price_protection,
        shard=PAPER_SHARD if is_paper else crc32(f"{leader.id}:{follower.id}".encode()) % SHARDS,
        created_at=at,
    )


def placed_amount(session: Session, leader_id: LeaderId) -> Money:
    """Return the copy amounts that count against the leader's total now."""
    return (
        session.scalar(
            select(func.sum(FollowRow.copy_amount)).where(
                FollowRow.leader_id == leader_id,
                FollowRow.paper.is_(False),
                FollowRow.state.in_(HOLDS_A_PLACE),
            )
        )
        or ZERO_MONEY
    )


def places_taken(session: Session, leader_id: LeaderId) -> int:
    """Return how many follows count against the leader's maximum now."""
    query = (
        select(func.count())
        .select_from(FollowRow)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            FollowRow.state.in_(HOLDS_A_PLACE),
        )
    )
    return session.scalar(query) or 0


def _lock_leader(session: Session, leader_id: LeaderId) -> LeaderRow:
    query = select(LeaderRow).where(LeaderRow.id == leader_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        raise UnknownLeader(f"There is no leader number {leader_id}.")
    if row.status is not LeaderStatus.ACTIVE:
        raise Refused(f"{row.nickname} cannot be followed any more: choose another leader.")
    return row


def _refuse_person(
    session: Session, leader: LeaderRow, follower: FollowerRow, sharer: AccountId | None
) -> None:
    account = person_of(session, follower).account
    if account == leader.account:
        raise Refused("You cannot follow yourself.")
    if sharer == account:
        raise Refused("You cannot follow through a link of your own.")
    if session.get(LeaderBlacklistRow, (leader.id, account)) is not None:
        raise Refused(f"{leader.nickname} does not accept you as a follower.")
    live = exists().where(
        FollowRow.leader_id == leader.id,
        FollowRow.follower_id == follower.id,
        FollowRow.state.in_(HOLDS_A_PLACE),
    )
    if session.scalar(select(live)):
        money = "" if follower.paper_of is None else " with play money"
        raise Refused(f"You follow {leader.nickname}{money} already: end that follow first.")


def _refuse_full(session: Session, leader: LeaderRow) -> None:
    if (
        leader.max_followers is not None
        and places_taken(session, leader.id) >= leader.max_followers
    ):
        raise Refused(f"{leader.nickname} is full: try again when somebody has left.")


def _refuse_amount(leader: LeaderRow, amount: Money, *, placed: Money | None) -> None:
    """Refuse what is outside the leader's limits; `placed` None where his total does not count."""
    if amount <= 0 or not is_storable(amount):
        raise Refused("The copy amount must be more than 0 and have at most 8 decimals.")
    limits = limitation(
        minimum=leader.min_copy_amount,
        maximum=leader.max_copy_amount,
        total_allowed=None if placed is None else leader.total_copy_amount,
        placed=placed or ZERO_MONEY,
    )
    if limits is None:
        raise Refused(f"{leader.nickname} takes no more money now: try again later.")
    if not limits.minimum <= amount <= limits.maximum:
        raise Refused(
            f"The copy amount must be between {limits.minimum.normalize():f} and "
            f"{limits.maximum.normalize():f} USDT."
        )


def _refuse_beyond_the_market(
    session: Session, leader: LeaderRow, amount: Money, *, placed: Money
) -> None:
    """Refuse what would make every open larger than what is offered near the price (N9)."""
    known = capacity.capacity_of(session, leader.id)
    if known is None:
        return
    room = room_left(known.copy_amount, placed)
    if amount > room:
        raise Refused(
            f"The market in {known.symbol} bears {room.normalize():f} USDT more of copies of"
            f" {leader.nickname}: beyond that, orders would be skipped or pay too much."
            + (" Choose a smaller amount." if room > 0 else " Try again later.")
        )


def _refuse_choice(session: Session, wish: NewFollow) -> None:
    if not wish.symbols:
        raise Refused("Choose at least one instrument to copy.")
    query = select(LeaderInstrumentRow.symbol).where(
        LeaderInstrumentRow.leader_id == wish.leader_id
    )
    others = sorted(wish.symbols - set(session.scalars(query)))
    if others:
        raise Refused(f"The leader is not followed in {', '.join(others)}: choose among his.")
    strangers = sorted(set(wish.instrument_rules) - wish.symbols)
    if strangers:
        raise Refused(f"You set terms for {', '.join(strangers)} without choosing it.")


def refuse_rules(
    session: Session,
    rules: Mapping[Symbol, CopyRule],
    symbols: Collection[Symbol],
    *,
    copy_amount: Money,
    price_protection: Ratio | None,
    proportional_allowed: bool,
) -> None:
    """Raise `Refused` with a sentence that says what to change, of a new follow or a running one.

    `rules` has that of all instruments first, `symbols` are those chosen.
    """
    if price_protection is not None:
        check_price_protection(price_protection)
    own = set(rules) - {EVERY_INSTRUMENT}
    for symbol, rule in rules.items():
        if rule.mode is CopyMode.PROPORTIONAL and not proportional_allowed:
            raise Refused("Proportional copying is switched off: choose the fixed mode.")
        check_rule(rule)
        if rule.order_margin is not None and rule.order_margin > copy_amount:
            raise Refused("The margin of an order must not be more than the copy amount.")
        concerned = set(symbols) if symbol == EVERY_INSTRUMENT else {symbol}
        _refuse_leverage(session, rule, concerned - own | {symbol})


def _refuse_leverage(session: Session, rule: CopyRule, symbols: Collection[Symbol]) -> None:
    """Refuse a fixed leverage that an instrument does not allow: every open would be skipped."""
    if rule.leverage is None:
        return
    query = select(InstrumentRow).where(InstrumentRow.symbol.in_(symbols))
    for row in session.scalars(query.order_by(InstrumentRow.symbol)):
        if rule.leverage > row.leverage_max:
            raise Refused(
                f"{row.symbol} allows a leverage of at most {row.leverage_max.normalize():f}: "
                "choose a smaller one, or let it follow the leader's."
            )
