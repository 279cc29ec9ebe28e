"""One running exchange with names: what scenarios and tests look at, in human units."""

from collections.abc import Callable
from fractions import Fraction

from simexchange.core.commands import Command
from simexchange.core.events import Event
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, RATE_SCALE, MarginMode, PositionSide
from simexchange.core.views import OrderView, PositionView
from simexchange.scenario.amounts import fraction_text, moment_text, money_text
from simexchange.scenario.names import Names
from simexchange.scenario.units import account_text, price_text, word_of
from simexchange.scenario.wording import Wording
from simexchange.simulation import Simulation

Found = Fraction | str | None
"""A number in human units, a word, or None where there is nothing (written ``none``)."""


ORDERS_SHOWN = 4
"""Open orders of an account in the picture of a failure."""


class World:
    """A simulation, the names of its accounts, and everything that happened in it."""

    def __init__(self, simulation: Simulation, names: Names) -> None:
        self.simulation = simulation
        self.exchange = simulation.exchange
        self.names = names
        self.wording = Wording(names)
        self.events: list[Event] = []
        self.last_action_starts = 0
        """Index into ``events`` of the first event of the latest action."""
        simulation.subscribe(self.events.extend)

    def begin_action(self) -> None:
        self.last_action_starts = len(self.events)

    def apply(self, command: Command) -> list[Event]:
        return self.simulation.apply(command)

    # ------------------------------------------------------------------ positions and accounts

    def position(self, account: int, symbol: str, side: PositionSide) -> PositionView:
        return self.exchange.position(account, symbol, side)

    def position_facts(self, view: PositionView) -> dict[str, Found]:
        """Return every word that may be expected of a position."""
        instrument = self.names.instrument(view.symbol)
        average = view.average_entry_price
        bankruptcy = view.bankruptcy_price
        liquidation = view.liquidation_price
        return {
            "contracts": Fraction(view.contracts),
            "base": Fraction(instrument.base_from_contracts(view.contracts)),
            "entry_price": None if average is None else _price(instrument, average),
            "entry_cost": _money(view.entry_cost),
            "margin": _money(view.margin),
            "unrealized_pnl": _money(view.unrealized_pnl),
            "maintenance_margin": _money(view.maintenance_margin),
            "liquidation_price": None if liquidation is None else _price(instrument, liquidation),
            "bankruptcy_price": None if bankruptcy is None else _price(instrument, bankruptcy),
            "leverage": Fraction(view.leverage),
            "adl_lights": Fraction(
                self.exchange.deleveraging_lights(view.account, view.symbol, view.position_side)
            ),
            "margin_mode": word_of(view.margin_mode),
        }

    def balance_facts(self, account: int) -> dict[str, Found]:
        """Return every word that may be expected of an account's money."""
        view = self.exchange.account(account)
        return {
            "spot": _money(view.spot_balance),
            "contract": _money(view.contract_balance),
            "available": _money(self.exchange.available_balance(account)),
            "equity": _money(self.exchange.equity(account)),
            "order_hold": _money(view.order_hold),
        }

    def order_facts(self, account: int, name: str) -> dict[str, Found] | None:
        """Return every word that may be expected of an order, None when there is no such order."""
        view = self.exchange.order_by_client_id(account, name)
        if view is None:
            return None
        instrument = self.names.instrument(view.symbol)
        average: Found = None
        if view.filled:
            worth = Fraction(view.filled_notional, view.filled * instrument.tick_value)
            average = _price(instrument, worth)
        return {
            "status": word_of(view.status),
            "contracts": Fraction(view.contracts),
            "filled": Fraction(view.filled),
            "remaining": Fraction(view.remaining),
            "price": None if view.price is None else _price(instrument, view.price),
            "average_price": average,
            "fee": _money(view.fee),
        }

    def plan_facts(self, account: int, name: str) -> dict[str, Found]:
        """Return every word that may be expected of a plan order; it is gone once it fired."""
        for view in self.exchange.open_plans(account):
            if view.client_order_id != name:
                continue
            instrument = self.names.instrument(view.symbol)
            trigger = view.trigger_price
            return {
                "status": "waiting",
                "trigger": _price(instrument, trigger) if trigger else None,
                "price": None if view.price is None else _price(instrument, view.price),
                "contracts": Fraction(view.contracts),
            }
        return {"status": "gone", "trigger": None, "price": None, "contracts": None}

    def insurance_fund(self) -> Found:
        return _money(self.exchange.account(0).contract_balance)

    def funding_rate(self, symbol: str) -> Found:
        """Return the rate that would be paid now, as a part of one; None without funding."""
        view = self.exchange.funding(symbol)
        return None if view is None else Fraction(view.rate, RATE_SCALE)

    def price_facts(self, symbol: str) -> dict[str, Found]:
        """Return every word that may be expected of an instrument's prices."""
        instrument, exchange = self.names.instrument(symbol), self.exchange

        def shown(ticks: int | None) -> Found:
            return None if ticks is None else _price(instrument, ticks)

        return {
            "mark": shown(exchange.mark_price(symbol)),
            "index": shown(exchange.index_price(symbol)),
            "last": shown(exchange.last_price(symbol)),
            "best_bid": shown(exchange.best_bid(symbol)),
            "best_ask": shown(exchange.best_ask(symbol)),
        }

    # ------------------------------------------------------------------ told

    def account_lines(self, account: int) -> list[str]:
        """Return an account's money, positions and open orders, one line each."""
        name = account_text(self.names, account)
        balances = _told(self.balance_facts(account))
        lines = [f"{name}: {balances}"]
        for view in self.exchange.positions(account):
            side = PositionSide(view.position_side)
            leg = "" if side is PositionSide.NET else f" {side.name.lower()}"
            lines.append(f"  position {view.symbol}{leg}: {_told(self.position_facts(view))}")
        orders = self.exchange.open_orders(account)
        lines += [f"  order {self._order_line(order)}" for order in orders[:ORDERS_SHOWN]]
        if len(orders) > ORDERS_SHOWN:
            lines.append(f"  and {len(orders) - ORDERS_SHOWN} more open orders")
        return lines

    def _order_line(self, order: OrderView) -> str:
        price = price_text(self.names.instruments.get(order.symbol), order.price or 0)
        return (
            f"{order.client_order_id or order.order_id}: {word_of(order.side)} "
            f"{order.contracts} {order.symbol} at {price}, {order.filled} filled"
        )

    def market_lines(self) -> list[str]:
        return [f"{symbol}: {_told(self.price_facts(symbol))}" for symbol in self.names.instruments]

    def last_event_lines(self, count: int) -> list[str]:
        return [
            f"{moment_text(event.at)} {self.wording.sentence(event)}"
            for event in self.events[-count:]
        ]

    def picture(self, *, events: int = 12) -> list[str]:
        """Return what one wants to see when an expectation fails, as lines."""
        sections: list[tuple[str, Callable[[], list[str]]]] = [
            ("market", self.market_lines),
            ("accounts", self._all_account_lines),
            ("ledger", lambda: ledger_lines(self)),
            (f"last {min(events, len(self.events))} events", lambda: self.last_event_lines(events)),
        ]
        lines = [f"time: {moment_text(self.simulation.clock.now())}"]
        for title, told in sections:
            lines.append(f"{title}:")
            lines.extend(f"  {line}" for line in told())
        return lines

    def _all_account_lines(self) -> list[str]:
        return [
            line for number in self.names.accounts.values() for line in self.account_lines(number)
        ]


def ledger_lines(world: World) -> list[str]:
    """Return every place of the ledger with its money, and their sum, which is zero."""
    exchange, names = world.exchange, world.names
    places: dict[str, int] = {}
    clearing = dict.fromkeys(names.instruments, 0)
    for number in exchange.accounts:
        view, name = exchange.account(number), account_text(names, number)
        margin = 0
        for position in exchange.positions(number):
            margin += position.margin if position.margin_mode is MarginMode.ISOLATED else 0
            is_short = position.contracts < 0 or position.position_side is PositionSide.SHORT
            clearing[position.symbol] += position.entry_cost if is_short else -position.entry_cost
        places[f"{name}, spot wallet"] = view.spot_balance
        places[f"{name}, contract wallet"] = view.contract_balance
        places[f"{name}, isolated margin"] = margin
    places |= {f"clearing of {symbol}": money for symbol, money in clearing.items()}
    places["fees"] = exchange.ledger.fees
    places["rounding"] = exchange.ledger.rounding
    places["outside (withdrawals − deposits)"] = exchange.ledger.outside
    lines = [f"{place}: {money_text(units)}" for place, units in places.items() if units]
    return [*lines, f"sum: {money_text(sum(places.values()))}"]


def found_text(found: Found) -> str:
    if found is None:
        return "none"
    return found if isinstance(found, str) else fraction_text(found)


def _told(facts: dict[str, Found]) -> str:
    return ", ".join(f"{word} {found_text(found)}" for word, found in facts.items())


def _money(units: int) -> Fraction:
    return Fraction(units, MONEY_SCALE)


def _price(instrument: Instrument, ticks: int | Fraction) -> Fraction:
    return Fraction(instrument.tick_size) * ticks
