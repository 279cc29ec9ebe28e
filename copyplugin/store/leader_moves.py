"""A leader's moves as they became known, fill by fill: what decisions on them rested on (N12)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_story import Seen
from copyplugin.domain.identifiers import LeaderId, SignalId, Symbol, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, money_ceil, product, total
from copyplugin.domain.steering import LeaderMove
from copyplugin.store.leader_feed import SEGMENT_MARK, signals_of_orders
from copyplugin.store.rows import LeaderFillRow, SignalRow

Instruments = Mapping[Symbol, Instrument]
AT_ONCE = 200
"""Orders whose fills are read in one question."""


def signals_since(session: Session, leader_id: LeaderId, since: datetime) -> list[SignalRow]:
    """Return the moves of which something came since then, in the order of the leader's moves."""
    query = (
        select(SignalRow)
        .where(SignalRow.leader_id == leader_id, SignalRow.received_at >= since)
        .order_by(SignalRow.id)
    )
    return list(session.scalars(query))


def moves_as_known(
    session: Session,
    leader_id: LeaderId,
    signals: Sequence[SignalRow],
    instruments: Instruments,
) -> dict[SignalId, tuple[Seen, ...]]:
    """Return each move as it grew; the last of each is the whole of it.

    The fills of one leader order fall to its signals one after the other. Where they do not sum to
    them, because more was closed than was known to be held, only the whole is told.
    """
    known: dict[SignalId, tuple[Seen, ...]] = {signal.id: (_whole(signal),) for signal in signals}
    grown = [signal for signal in signals if signal.revision > 1]
    orders = sorted({_order_of(signal) for signal in grown})
    for first in range(0, len(orders), AT_ONCE):
        names = orders[first : first + AT_ONCE]
        fills = _fills(session, leader_id, names)
        parts = defaultdict[VenueOrderId, list[SignalRow]](list)
        for signal in signals_of_orders(session, leader_id, names):
            parts[_order_of(signal)].append(signal)
        for order_id in names:
            for signal, seen in _split(parts[order_id], fills[order_id], instruments).items():
                if signal in known:
                    known[signal] = seen
    return known


def _order_of(signal: SignalRow) -> VenueOrderId:
    return VenueOrderId(signal.order_id.partition(SEGMENT_MARK)[0])


def _fills(
    session: Session, leader_id: LeaderId, orders: Sequence[VenueOrderId]
) -> Mapping[VenueOrderId, list[LeaderFillRow]]:
    query = (
        select(LeaderFillRow)
        .where(LeaderFillRow.leader_id == leader_id, LeaderFillRow.order_id.in_(orders))
        .order_by(LeaderFillRow.id)
    )
    found = defaultdict[VenueOrderId, list[LeaderFillRow]](list)
    for fill in session.scalars(query):
        found[fill.order_id].append(fill)
    return found


def _split(
    parts: Sequence[SignalRow], fills: Sequence[LeaderFillRow], instruments: Instruments
) -> dict[SignalId, tuple[Seen, ...]]:
    if sum(part.contracts for part in parts) != sum(fill.contracts for fill in fills):
        return {part.id: (_whole(part),) for part in parts}
    waiting = [(fill, fill.contracts) for fill in fills]
    found: dict[SignalId, tuple[Seen, ...]] = {}
    for part in parts:
        seen: dict[datetime, Seen] = {}
        contracts, price_sum = 0, Decimal(0)
        while contracts < part.contracts:
            fill, left = waiting.pop(0)
            taken = min(left, part.contracts - contracts)
            if taken < left:
                waiting.insert(0, (fill, Contracts(left - taken)))
            contracts += taken
            price_sum = total(price_sum, product(taken, fill.price))
            move = _move(part, contracts, price_sum, fill.at, instruments)
            seen[fill.received_at] = Seen(known_at=fill.received_at, move=move)
        last = _whole(part)
        steps = [each for each in seen.values() if each.known_at < last.known_at]
        found[part.id] = (*steps, last)
    return found


def _move(
    signal: SignalRow,
    contracts: int,
    price_sum: Decimal,
    at: datetime,
    instruments: Instruments,
) -> LeaderMove:
    change = contracts if signal.increases else -contracts
    margin: Money | None = None
    instrument = instruments.get(signal.symbol)
    if signal.initial_margin is not None and instrument is not None:
        value = Fraction(product(price_sum, instrument.contract_size))
        margin = money_ceil(value / Fraction(signal.leverage))
    return LeaderMove(
        increases=signal.increases,
        contracts_before=signal.contracts_before,
        contracts_after=Contracts(signal.contracts_before + change),
        contracts=Contracts(contracts),
        price_sum=price_sum,
        leverage=signal.leverage,
        initial_margin=margin,
        balance_before=signal.leader_balance_before,
        last_fill_at=at,
        is_final=False,
        leader_equity=signal.leader_equity,
    )


def leader_move(signal: SignalRow) -> LeaderMove:
    """Return the move of the leader that the whole signal tells of."""
    return LeaderMove(
        increases=signal.increases,
        contracts_before=signal.contracts_before,
        contracts_after=signal.contracts_after,
        contracts=signal.contracts,
        price_sum=signal.price_sum,
        leverage=signal.leverage,
        initial_margin=signal.initial_margin,
        balance_before=signal.leader_balance_before,
        last_fill_at=signal.last_fill_at,
        is_final=signal.final,
        leader_equity=signal.leader_equity,
    )


def _whole(signal: SignalRow) -> Seen:
    return Seen(
        known_at=signal.received_at,
        move=leader_move(signal),
    )
