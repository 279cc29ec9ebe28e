"""The leader's own round trips, kept from the same fills as his signals (S1 to S10)."""

from collections.abc import Collection, Mapping
from fractions import Fraction

from copyplugin.domain.fill import FillCause, LeaderFill
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import (
    NO_CONTRACTS,
    ZERO_MONEY,
    Money,
    money_floor,
    product,
    total,
)
from copyplugin.domain.round_trip import RoundTrip
from copyplugin.domain.statistics import margin_of_open
from copyplugin.domain.transition import Transition
from copyplugin.store import leader_trades
from copyplugin.store.database import Session
from copyplugin.store.rows import LeaderTradeRow

LIQUIDATING = frozenset({FillCause.LIQUIDATION, FillCause.TAKEOVER})


class TradeBook:
    """The open round trips of one leader in some instruments, while fills are folded into them."""

    def __init__(
        self,
        session: Session,
        leader_id: LeaderId,
        symbols: Collection[Symbol],
        instruments: Mapping[Symbol, Instrument],
    ) -> None:
        self._session = session
        self._leader_id = leader_id
        self._instruments = instruments
        self._open = leader_trades.open_trades(session, leader_id, symbols)

    def note(self, fill: LeaderFill, moved: Transition) -> None:
        """Book what one fill did to one leg.

        What closes a leg that was open before we knew the leader belongs to no round trip of ours.
        """
        instrument = self._instruments.get(fill.symbol)
        if instrument is None:
            return
        value = money_floor(Fraction(product(moved.price_sum, instrument.contract_size)))
        # A flip's fee is shared by the contracts; the opening part takes the rest of it.
        fee = money_floor(Fraction(fill.fee) * moved.contracts / fill.contracts)
        if moved.effect.increases:
            if moved.contracts < fill.contracts:
                closing = fill.contracts - moved.contracts
                closing_fee = money_floor(Fraction(fill.fee) * closing / fill.contracts)
                fee = Money(total(fill.fee, -closing_fee))
            self._opened(fill, moved, value, fee)
        else:
            self._closed(fill, moved, value, fee)

    def _opened(self, fill: LeaderFill, moved: Transition, value: Money, fee: Money) -> None:
        key = (fill.symbol, moved.position_side)
        row = self._open.get(key)
        if row is None:
            row = self._open[key] = LeaderTradeRow(
                leader_id=self._leader_id,
                symbol=fill.symbol,
                position_side=moved.position_side,
                leverage=fill.leverage,
                opened_contracts=NO_CONTRACTS,
                opened_value=ZERO_MONEY,
                margin=ZERO_MONEY,
                opened_at=fill.at,
            )
            self._session.add(row)
        row.leverage = fill.leverage
        row.margin = Money(total(row.margin, margin_of_open(value, fill.leverage)))
        _write(row, _round_trip(row).opened(moved.contracts, value, fee=fee))

    def _closed(self, fill: LeaderFill, moved: Transition, value: Money, fee: Money) -> None:
        key = (fill.symbol, moved.position_side)
        row = self._open.get(key)
        if row is None:
            return
        held = _round_trip(row).contracts
        contracts = min(moved.contracts, held)
        if contracts < moved.contracts:  # some of it was open before we knew him
            value = money_floor(Fraction(value) * contracts / moved.contracts)
        trip = _round_trip(row).closed(contracts, value, fee=fee)
        _write(row, trip)
        row.liquidated = row.liquidated or fill.cause in LIQUIDATING
        if trip.contracts == 0:
            row.state = TradeState.CLOSED
            row.closed_at = fill.at
            # The next open of this side is written beside it: at most one may be open.
            self._session.flush()
            del self._open[key]


def _round_trip(row: LeaderTradeRow) -> RoundTrip:
    return RoundTrip(
        position_side=row.position_side,
        opened_contracts=row.opened_contracts,
        opened_value=row.opened_value,
        closed_contracts=row.closed_contracts,
        closed_value=row.closed_value,
        realized_pnl=row.realized_pnl,
        fees=row.fees,
    )


def _write(row: LeaderTradeRow, trip: RoundTrip) -> None:
    row.opened_contracts = trip.opened_contracts
    row.opened_value = trip.opened_value
    row.closed_contracts = trip.closed_contracts
    row.closed_value = trip.closed_value
    row.realized_pnl = trip.realized_pnl
    row.fees = trip.fees
