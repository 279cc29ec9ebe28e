"""Opening at the start of a follow what the leader holds then (L2).

Each side of an instrument that he holds becomes a signal for this follow alone: an open of all he
holds at the price he entered at. The follower's distance bounds the order from that price, so that
he enters no further from it than he allows; what does not fill inside it is skipped like any open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.account import AccountBalance, VenuePosition
from copyplugin.domain.identifiers import FollowId, Symbol, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Money, money_ceil, product, total
from copyplugin.domain.transition import Effect
from copyplugin.store.database import Session
from copyplugin.store.decisions import UNDECIDED
from copyplugin.store.follows import baseline_of, symbols_chosen
from copyplugin.store.rows import (
    CopyDecisionRow,
    FollowBaselineRow,
    FollowRow,
    LaneRow,
    SignalRow,
)

HELD = "held#"
"""What the order of such a signal is called; no venue's number begins so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderHoldings:
    """What the venue says of the leader's account when a follow starts."""

    positions: Sequence[VenuePosition]
    balance: AccountBalance


def held_order_id(follow_id: FollowId) -> VenueOrderId:
    return VenueOrderId(f"{HELD}{follow_id}")


def open_what_is_held(
    session: Session,
    follow: FollowRow,
    holdings: LeaderHoldings,
    instruments: Mapping[Symbol, Instrument],
    *,
    at: datetime,
) -> bool:
    """Let the lanes of a follow that has just started open its baseline; return whether any may.

    How many contracts he holds is what his fills made of it, the price what the venue tells: a leg
    of which the venue tells nothing was closed meanwhile.
    """
    by_leg = {(held.symbol, held.position_side): held for held in holdings.positions}
    chosen = symbols_chosen(session, follow.id)
    has_work = False
    for leg in baseline_of(session, follow.id):
        held = by_leg.get((leg.symbol, leg.position_side))
        instrument = instruments.get(leg.symbol)
        if held is None or instrument is None or leg.symbol not in chosen:
            continue
        signal = _signal(follow, leg, held, holdings.balance, instrument, at=at)
        lane = LaneRow(
            follow_id=follow.id,
            symbol=leg.symbol,
            position_side=leg.position_side,
            shard=follow.shard,
            marked=True,
        )
        session.add_all([signal, lane])
        session.flush()
        session.add(
            CopyDecisionRow(
                signal_id=signal.id,
                lane_id=lane.id,
                revision=UNDECIDED,
                pending=True,
                wanted=NO_CONTRACTS,
                target_before=NO_CONTRACTS,
                target_after=NO_CONTRACTS,
                decided_at=at,
            )
        )
        has_work = True
    session.flush()
    return has_work


def _signal(
    follow: FollowRow,
    leg: FollowBaselineRow,
    held: VenuePosition,
    balance: AccountBalance,
    instrument: Instrument,
    *,
    at: datetime,
) -> SignalRow:
    price_sum = product(leg.contracts, held.average_entry_price)
    value = Fraction(product(price_sum, instrument.contract_size))
    margin = money_ceil(value / Fraction(held.leverage))
    return SignalRow(
        leader_id=follow.leader_id,
        order_id=held_order_id(follow.id),
        symbol=leg.symbol,
        position_side=leg.position_side,
        effect=Effect.OPEN,
        increases=True,
        contracts_before=NO_CONTRACTS,
        contracts_after=leg.contracts,
        contracts=leg.contracts,
        price_sum=price_sum,
        leverage=held.leverage,
        margin_mode=held.margin_mode,
        leader_balance_before=Money(total(balance.contract_available, margin)),
        initial_margin=margin,
        leader_equity=balance.equity,
        order_contracts=leg.contracts,
        first_fill_at=at,
        last_fill_at=at,
        received_at=at,
        final=True,
    )
