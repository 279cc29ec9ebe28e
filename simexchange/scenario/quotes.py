"""Liquidity that stands still: a ladder of limit orders round a price, the same every time."""

from dataclasses import dataclass
from decimal import Decimal

from simexchange.core.commands import CancelAll, PlaceOrder
from simexchange.core.instrument import Instrument
from simexchange.core.types import OrderKind, Side, TimeInForce
from simexchange.scenario.amounts import Number, contracts_of, decimal_of, price_of
from simexchange.scenario.document import Value
from simexchange.scenario.fields import Fields, converted
from simexchange.scenario.reading import Commands, Reading

DEFAULT_LEVELS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StillLadder:
    """Level k (from 0) of each side stands ``gap + k × step`` ticks from ``around``.

    Each holds ``contracts``; bids that would lie below one tick are left out.
    """

    around: int
    gap: int
    step: int
    levels: int
    contracts: int

    def commands(self, account: int, symbol: str) -> Commands:
        """Return the commands that put it in the place of all the account's orders there."""
        orders = [
            PlaceOrder(
                account,
                symbol,
                side,
                self.contracts,
                OrderKind.LIMIT,
                price,
                TimeInForce.POST_ONLY,
            )
            for level in range(self.levels)
            for side in (Side.BUY, Side.SELL)
            if (price := self.around - side * (self.gap + level * self.step)) >= 1
        ]
        return (CancelAll(account, symbol), *orders)


def distance_of(number: Number, instrument: Instrument, what: str) -> int:
    """Return a distance between prices in ticks, ≥ 1."""
    return price_of(number, instrument, what)


def quote(reading: Reading, value: Value) -> Commands:
    """Read ``quote``: around, contracts, and optionally levels, step, gap, symbol, account."""
    fields = Fields(
        value,
        "quote",
        required=("account", "around", "contracts"),
        optional=("symbol", "levels", "step", "gap"),
    )
    instrument = reading.instrument(fields)

    def distance(key: str, default: Decimal) -> int:
        if key not in fields:
            return distance_of(default, instrument, key)
        return converted(fields.text(key), lambda text: distance_of(text, instrument, key))

    step = distance("step", instrument.tick_size)
    gap = distance("gap", decimal_of(instrument.ticks_to_price(step)))
    around = reading.price(fields, "around", instrument)
    assert around is not None, "around is required"
    ladder = StillLadder(
        around=around,
        gap=gap,
        step=step,
        levels=fields.get("levels", contracts_of, DEFAULT_LEVELS),
        contracts=converted(fields.text("contracts"), contracts_of),
    )
    return ladder.commands(reading.account(fields), instrument.symbol)
