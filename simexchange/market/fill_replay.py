"""Recorded fills through the exchange's own code, compared row by row with what was recorded.

A close beyond the known position closes what is known. The excess was opened before the record
began: it is reported, and nothing is booked for it, neither profit nor fee.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from simexchange.core.fees import fee_of
from simexchange.core.types import Liquidity, PositionMode, PositionSide
from simexchange.market.audit import residue
from simexchange.market.fills import FillsError, RecordedFill, RecordedFills
from simexchange.market.scripted import ScriptedMarket, recorded_instruments, usdt

TAKER_FEE = 50_000
MAKER_FEE = 20_000
REALIZED_TOLERANCE = Decimal("1e-6")
FEE_TOLERANCE = Decimal("1e-8")
# The scripted accounts hold ten times as much, so no margin rule can interfere.
VOLUME_LIMIT_USDT = 10**9


@dataclass(frozen=True, slots=True)
class ReplayedFill:
    """One row and what the exchange made of it. Money in USDT, `excess` in base asset.

    `realized_pnl` and `fee` are those booked for the part that closes or opens a known position;
    `full_fee` is the fee of the whole row, which is what the record's fee is compared with.
    """

    fill: RecordedFill
    realized_pnl: Decimal
    fee: Decimal
    full_fee: Decimal
    excess: Decimal

    @property
    def realized_difference(self) -> Decimal:
        return self.realized_pnl - self.fill.realized_pnl

    @property
    def fee_difference(self) -> Decimal:
        return self.full_fee - self.fill.fee

    @property
    def realized_agrees(self) -> bool:
        return abs(self.realized_difference) <= REALIZED_TOLERANCE

    @property
    def fee_agrees(self) -> bool:
        return abs(self.fee_difference) <= FEE_TOLERANCE

    @property
    def agrees(self) -> bool:
        return self.realized_agrees and self.fee_agrees


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """What a leader still holds when the record ends. `entry_cost` in USDT."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal
    entry_cost: Decimal


@dataclass(slots=True)
class LeaderReplay:
    """One leader's rows in trading order, and what they left."""

    leader: str
    orders: int
    rows: list[ReplayedFill] = field(default_factory=list[ReplayedFill])
    open_positions: list[OpenPosition] = field(default_factory=list[OpenPosition])

    @property
    def realized_pnl(self) -> Decimal:
        return sum((row.realized_pnl for row in self.rows), Decimal(0))

    @property
    def recorded_realized_pnl(self) -> Decimal:
        return sum((row.fill.realized_pnl for row in self.rows), Decimal(0))

    @property
    def fee(self) -> Decimal:
        return sum((row.fee for row in self.rows), Decimal(0))

    @property
    def recorded_fee(self) -> Decimal:
        return sum((row.fill.fee for row in self.rows), Decimal(0))

    @property
    def volume(self) -> Decimal:
        return sum((row.fill.price * row.fill.quantity for row in self.rows), Decimal(0))

    @property
    def excess_rows(self) -> list[ReplayedFill]:
        return [row for row in self.rows if row.excess]

    def explanation(self, row: ReplayedFill) -> str | None:
        """Return why the realised profit of `row` must differ from the record, or None.

        A row with an excess was closed in part against a position that the record does not open.
        So was every earlier close of the same lane: that position was there all the time.
        """
        if not row.fee_agrees:
            return None
        if row.excess:
            return f"opened before the record ({row.excess:f} of {row.fill.quantity:f})"
        later = next((r for r in self._lane_from(row) if r.excess), None)
        if later is None:
            return None
        return f"part of the position was opened before the record, as line {later.fill.line} shows"

    def _lane_from(self, row: ReplayedFill) -> Iterator[ReplayedFill]:
        lane = (row.fill.symbol, row.fill.position_side)
        for other in self.rows[self.rows.index(row) :]:
            if (other.fill.symbol, other.fill.position_side) == lane:
                yield other


@dataclass(frozen=True, slots=True)
class FillReplay:
    """The whole comparison.

    `ledger_residue`: money units that appeared or vanished on the exchange, 0 when its books
    balance. `event_hash`: of all that happened on it.
    """

    record: RecordedFills
    leaders: list[LeaderReplay]
    ledger_residue: int
    event_hash: str

    @property
    def rows(self) -> Iterator[ReplayedFill]:
        for leader in self.leaders:
            yield from leader.rows

    @property
    def differing(self) -> list[tuple[ReplayedFill, str | None]]:
        """The rows that differ from the record, each with its explanation or None."""
        return [
            (row, leader.explanation(row))
            for leader in self.leaders
            for row in leader.rows
            if not row.agrees
        ]

    @property
    def is_explained(self) -> bool:
        return self.ledger_residue == 0 and all(
            explanation is not None for _, explanation in self.differing
        )


def replay_fills(
    record: RecordedFills, *, maker_fee: int = MAKER_FEE, taker_fee: int = TAKER_FEE
) -> FillReplay:
    """Trade every recorded fill on a new exchange and return what differs.

    Fee rates in units of 10⁻⁸. Raises FillsError for a record that no exchange could hold: a grid
    too fine, or a leader in two position modes at once.
    """
    _refuse_too_much(record)
    instruments = recorded_instruments(record, maker_fee=maker_fee, taker_fee=taker_fee)
    modes = {leader: _mode(fills) for leader, fills in record.by_leader.items()}
    market = ScriptedMarket(instruments)
    accounts = {leader: market.open_account(leader, mode) for leader, mode in modes.items()}
    replays = {leader: LeaderReplay(leader, len(record.orders(leader))) for leader in accounts}
    for fill in record.in_trading_order():
        row = _replayed(market, accounts[fill.leader], fill)
        replays[fill.leader].rows.append(row)
    for leader, replay in replays.items():
        replay.open_positions.extend(_open_positions(market, accounts[leader]))
    exchange = market.exchange
    exchange.check()
    return FillReplay(record, list(replays.values()), residue(exchange), exchange.event_hash)


def _refuse_too_much(record: RecordedFills) -> None:
    volume = Decimal(0)
    for fill in record.in_trading_order():
        volume += fill.price * fill.quantity
        if volume > VOLUME_LIMIT_USDT:
            raise FillsError(
                f"the rows up to here are worth more than {VOLUME_LIMIT_USDT:,} USDT; replay a"
                " shorter record, or look for a slip in this row",
                line=fill.line,
            )


def _mode(fills: tuple[RecordedFill, ...]) -> PositionMode:
    is_net = fills[0].position_side is PositionSide.NET
    for fill in fills:
        if (fill.position_side is PositionSide.NET) != is_net:
            raise FillsError(
                "BOTH stands beside LONG or SHORT for one leader; an account is either in one-way"
                " or in hedge mode",
                line=fill.line,
                column="positionSide",
            )
    return PositionMode.ONE_WAY if is_net else PositionMode.HEDGE


def _replayed(market: ScriptedMarket, account: int, fill: RecordedFill) -> ReplayedFill:
    instrument = market.instruments[fill.symbol]
    price = instrument.price_to_ticks(fill.price)
    contracts = instrument.contracts_from_base(fill.quantity)
    is_maker = fill.liquidity is Liquidity.MAKER
    rate = instrument.maker_fee if is_maker else instrument.taker_fee
    known = contracts
    if fill.side * fill.position_side < 0:
        held = market.exchange.position(account, fill.symbol, fill.position_side).contracts
        known = min(contracts, held)
    realized_pnl = fee = 0
    if known:
        filled = market.trade(
            account,
            fill.symbol,
            fill.side,
            known,
            price,
            position_side=fill.position_side,
            liquidity=fill.liquidity,
            time_ms=fill.time_ms,
        )
        realized_pnl, fee = filled.realized_pnl, filled.fee
    return ReplayedFill(
        fill,
        realized_pnl=usdt(realized_pnl),
        fee=usdt(fee),
        full_fee=usdt(fee_of(instrument.notional(price, contracts), rate)),
        excess=instrument.base_from_contracts(contracts - known),
    )


def _open_positions(market: ScriptedMarket, account: int) -> Iterator[OpenPosition]:
    for position in market.exchange.positions(account):
        if position.contracts:
            instrument = market.instruments[position.symbol]
            yield OpenPosition(
                position.symbol,
                position.position_side,
                instrument.base_from_contracts(position.contracts),
                usdt(position.entry_cost),
            )
