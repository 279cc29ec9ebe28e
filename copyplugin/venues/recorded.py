"""A record of real leaders as a venue: they trade on the simulated exchange again.

Beside `simulated` the one file of the plugin that knows `simexchange`: it sets a replay's stage.
While a recorded order is the latest, orders on its instrument and side meet the levels it traded
at, offered anew to each; everything else finds no counterparty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.errors import Refused
from copyplugin.venues.scripted import ScriptedVenue
from simexchange.core import types
from simexchange.market.fills import (
    FillsError,
    RecordedFill,
    RecordedFills,
    RecordedOrder,
    read_fills,
)
from simexchange.market.recorded import PlayedOrder, RecordedLeader
from simexchange.market.round_trips import read_round_trips
from simexchange.market.scripted import ScriptedMarket, recorded_instruments

__all__ = [
    "Assumptions",
    "Played",
    "PlayedFill",
    "RecordedFills",
    "RecordedVenue",
    "read_record",
]

_LEGS = {
    types.PositionSide.LONG: PositionSide.LONG,
    types.PositionSide.SHORT: PositionSide.SHORT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """What the record does not tell. Fees are ratios; None for more money than any order needs."""

    leader_balance: Money | None
    leverage: int | None
    maker_fee: Decimal
    taker_fee: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayedFill:
    """What one recorded fill did to one leg. `traded` and `excess` in base asset.

    Excess closes what the record never opened; it was not traded.
    """

    leg: tuple[str, str]
    is_long: bool
    is_opening: bool
    price: Decimal
    traded: Fraction
    excess: Fraction
    realized_pnl: Decimal  # what the record says of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """One recorded order as it was traded; a fill that flips a net position counts as two parts."""

    leader: str
    recorded_fills: int
    fills: tuple[PlayedFill, ...]


class RecordedVenue(ScriptedVenue):
    """The stage of one replay: a market, the leaders of a record, and whoever follows them."""

    def __init__(self, record: RecordedFills, names: Sequence[str], told: Assumptions) -> None:
        """Set the stage; raise `Refused` where the record cannot be traded so."""
        self.record = record
        super().__init__(_market(record, told))
        self._leaders: dict[str, RecordedLeader] = {}
        for name in names:
            self._leaders[name] = RecordedLeader(
                self._market,
                name,
                mode=_mode(record, name),
                leverage=told.leverage,
                balance=None if told.leader_balance is None else _units(told.leader_balance),
            )
        self._latest: PlayedOrder | None = None

    @property
    def accounts(self) -> dict[str, AccountId]:
        """Return the leaders' accounts by their names in the record."""
        return {name: AccountId(str(one.account)) for name, one in self._leaders.items()}

    def orders(self) -> Iterator[RecordedOrder]:
        """Yield the orders of all leaders by time, those of one moment as they were named."""
        ranked = [
            (order.fills[0].time_ms, rank, place, order)
            for rank, name in enumerate(self._leaders)
            for place, order in enumerate(self.record.orders(name))
        ]
        for _, _, _, order in sorted(ranked, key=lambda entry: entry[:3]):
            yield order

    def start_at_first_fill(self) -> None:
        """Set the clock to a second before the record begins."""
        first = min(fills[0].time_ms for fills in self.record.by_leader.values())
        self._market.clock.set(max(0, first - 1_000) * 1_000)

    def play(self, order: RecordedOrder) -> Played:
        """Let the leader trade one order; `Refused` where his assumed money does not bear it."""
        leader = self._leaders[order.leader]
        held = self._net(leader, order.symbol)
        try:
            played = leader.play(order)
        except FillsError as error:
            raise Refused(f"{error}.") from error
        self._latest = played
        parts: list[PlayedFill] = []
        left = sum(level.contracts for level in played.levels)
        for fill in order.fills:
            contracts = self._market.instruments[fill.symbol].contracts_from_base(fill.quantity)
            traded = min(left, contracts)
            left -= traded
            parts.extend(self._parts(fill, traded, contracts - traded, held))
            held += traded * int(fill.side)
        return Played(leader=order.leader, recorded_fills=len(order.fills), fills=tuple(parts))

    def _parts(
        self, fill: RecordedFill, traded: int, excess: int, held: int
    ) -> Iterator[PlayedFill]:
        """Yield what the fill did leg by leg: the closing part first."""
        sign = int(fill.side)
        if fill.position_side is types.PositionSide.NET:
            closed = min(traded, abs(held)) if held * sign < 0 else 0
            closed_is_long = held > 0
        else:
            is_closing = sign != int(fill.position_side)
            closed = traded if is_closing else 0
            closed_is_long = fill.position_side is types.PositionSide.LONG
        opened = traded - closed
        if closed or excess:
            yield self._part(fill, closed, excess, is_long=closed_is_long, is_opening=False)
        if opened:
            yield self._part(fill, opened, 0, is_long=sign > 0, is_opening=True)

    def _part(
        self, fill: RecordedFill, contracts: int, excess: int, *, is_long: bool, is_opening: bool
    ) -> PlayedFill:
        size = Fraction(self._market.instruments[fill.symbol].contract_size)
        return PlayedFill(
            leg=(fill.symbol, "long" if is_long else "short"),
            is_long=is_long,
            is_opening=is_opening,
            price=fill.price,
            traded=contracts * size,
            excess=excess * size,
            realized_pnl=Decimal(0) if is_opening else fill.realized_pnl,
        )

    def _net(self, leader: RecordedLeader, symbol: str) -> int:
        return self._market.exchange.position(leader.account, symbol).contracts

    def open_contracts(self, name: str) -> dict[tuple[Symbol, PositionSide], Contracts]:
        """Return what a leader holds, by leg."""
        return {
            (Symbol(view.symbol), _leg(view.position_side, view.contracts)): Contracts(
                abs(view.contracts)
            )
            for view in self._market.exchange.positions(self._leaders[name].account)
        }

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(symbol) for symbol in self._market.instruments)

    def contract_size(self, symbol: Symbol) -> Fraction:
        return Fraction(self._market.instruments[symbol].contract_size)

    async def place_order(self, request: OrderRequest) -> OrderReport:
        latest = self._latest
        if latest is None or latest.order.symbol != request.symbol or not _meets(latest, request):
            return await super().place_order(request)
        with self._leaders[latest.order.leader].offered(latest):
            return await super().place_order(request)


def read_record(path: Path) -> RecordedFills:
    """Read recorded fills (CSV) or round trips (JSON); `Refused` says where the fault is."""
    try:
        return read_round_trips(path) if path.suffix == ".json" else read_fills(path)
    except FillsError as error:
        raise Refused(f"{error}.") from error


def _market(record: RecordedFills, told: Assumptions) -> ScriptedMarket:
    try:
        instruments = recorded_instruments(
            record, maker_fee=_rate(told.maker_fee), taker_fee=_rate(told.taker_fee)
        )
    except FillsError as error:
        raise Refused(f"{error}.") from error
    most = min(instrument.max_leverage for instrument in instruments.values())
    if told.leverage is not None and not 1 <= told.leverage <= most:
        raise Refused(f"The leverage must be a whole number from 1 to {most}.")
    return ScriptedMarket(instruments)


def _mode(record: RecordedFills, name: str) -> types.PositionMode:
    sides = {fill.position_side for fill in record.by_leader[name]}
    if sides == {types.PositionSide.NET}:
        return types.PositionMode.ONE_WAY
    if types.PositionSide.NET in sides:
        raise Refused(
            f"Leader {name} trades in one-way and in hedge mode in one record: split the file."
        )
    return types.PositionMode.HEDGE


def _meets(latest: PlayedOrder, request: OrderRequest) -> bool:
    side = OrderSide.BUY if latest.order.side is types.Side.BUY else OrderSide.SELL
    return side is request.order_side


def _leg(side: types.PositionSide, contracts: int) -> PositionSide:
    if side is types.PositionSide.NET:
        return PositionSide.LONG if contracts > 0 else PositionSide.SHORT
    return _LEGS[side]


def _units(money: Money) -> int:
    return int(money.scaleb(8))


def _rate(ratio: Decimal) -> int:
    return int(ratio.scaleb(8))
