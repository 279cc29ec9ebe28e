"""What the reader of a file knows while it reads: names, the time of the step, the words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from simexchange.core.commands import Command
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MarginMode,
    PositionMode,
    PositionSide,
    RejectReason,
    SelfTradePrevention,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)
from simexchange.scenario.amounts import Number, contracts_from_base, contracts_of, price_of
from simexchange.scenario.document import Value
from simexchange.scenario.fields import Fields, chosen, converted, text_of
from simexchange.scenario.names import Names
from simexchange.scenario.problem import refuse, suggestion

WALLETS = {wallet.value: wallet for wallet in Wallet}
MARGIN_MODES = {mode.value: mode for mode in MarginMode}
POSITION_MODES = {mode.value: mode for mode in PositionMode}
POSITION_SIDES = {"long": PositionSide.LONG, "short": PositionSide.SHORT}
TIMES_IN_FORCE = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post_only": TimeInForce.POST_ONLY,
}
SELF_TRADE_PREVENTIONS = {mode.value: mode for mode in SelfTradePrevention}
TRIGGERS_BY = {source.value: source for source in TriggerBy}
DIRECTIONS = {"rises": TriggerDirection.RISES, "falls": TriggerDirection.FALLS}
REJECT_REASONS = {reason.value: reason for reason in RejectReason}


_T = TypeVar("_T")


def one_of(word: str, what: str, choices: Mapping[str, _T]) -> _T:
    """Return the choice that ``word`` names; ValueError with a suggestion for a typo."""
    if word not in choices:
        raise ValueError(f"{word} is no {what}; {suggestion(word, choices)}")
    return choices[word]


@dataclass(slots=True)
class Reading:
    """``now`` is the time at which the step being read will run; time in a file is known ahead."""

    names: Names
    now: int
    market_symbols: list[str] = field(default_factory=list[str])
    has_fault_plan: bool = False
    order_names: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    transfers: int = 0

    def account(self, fields: Fields, key: str = "account") -> int:
        return converted(fields.text(key), self.names.account)

    def instrument(self, fields: Fields) -> Instrument:
        """Return the instrument of ``symbol``, which may be left out where there is only one."""
        if "symbol" in fields:
            return converted(fields.text("symbol"), self.names.instrument)
        try:
            return self.names.only_instrument()
        except ValueError as error:
            raise refuse(fields.place, str(error)) from error

    def by_symbol(self, value: Value, what: str) -> list[tuple[Instrument, Value]]:
        """Return (instrument, value) of a mapping by symbol, or of one value for the only one."""
        if not hasattr(value, "entries"):
            text = text_of(value, what)
            try:
                return [(self.names.only_instrument(), text)]
            except ValueError as error:
                raise refuse(value.place, f"{error}; {what}: {{BTCUSDT: …}}") from error
        fields = Fields(value, what, optional=self.names.instruments)
        return [(self.names.instrument(symbol), fields.value(symbol)) for symbol in fields.keys()]  # noqa: SIM118 - Fields is no dict

    def contracts(self, fields: Fields, instrument: Instrument) -> int:
        """Return the size, given in whole contracts or as a base quantity."""
        if ("contracts" in fields) == ("base" in fields):
            raise refuse(fields.place, f"{fields.what} needs either contracts or base")
        if "contracts" in fields:
            return converted(fields.text("contracts"), contracts_of)
        return converted(fields.text("base"), lambda text: contracts_from_base(text, instrument))

    def price(self, fields: Fields, key: str, instrument: Instrument) -> int | None:
        def ticks(text: Number) -> int:
            return price_of(text, instrument, key)

        return converted(fields.text(key), ticks) if key in fields else None

    def position_side(self, fields: Fields) -> PositionSide:
        return fields.one_of("position_side", POSITION_SIDES, PositionSide.NET)

    def new_order_name(self, fields: Fields, account: int) -> str | None:
        if "name" not in fields:
            return None
        name = fields.text("name").text
        self.order_names.add((account, name))
        return name

    def known_order_name(self, fields: Fields, account: int) -> str:
        """Return the name of an order that an earlier step of this account places."""
        text = fields.text("name")
        names = {name: name for number, name in self.order_names if number == account}
        return chosen(text, f"order of {self.names.account_name(account)}", names)


Commands = tuple[Command, ...]
