"""What each path of the operator API does. Answers are plain values; errors are sentences."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simexchange.core.commands import (
    AdvanceTime,
    Command,
    Deposit,
    OpenAccount,
    SetIndex,
    SetMark,
    Withdraw,
)
from simexchange.core.events import AccountOpened, Event
from simexchange.core.types import HOUR_US, Wallet
from simexchange.faults import FaultPlan, FaultySimulation
from simexchange.server.amounts import Grid, money_from, money_text
from simexchange.server.clock import SteeredClock
from simexchange.server.keys import ApiKey, Grant, valid_addresses
from simexchange.server.operator import requests as r
from simexchange.server.operator.chronicle import Chronicle
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import WirePlan

_FURTHEST_US = 366 * 24 * HOUR_US
"""As far as time is moved at once: everything that is due meanwhile is done before the answer."""


class OperatorError(Exception):
    """The request cannot be carried out; the message says what to change."""


class Desk:
    """The operator's hand on one exchange."""

    def __init__(self, venue: Venue, chronicle: Chronicle) -> None:
        self.venue = venue
        self.chronicle = chronicle

    # ------------------------------------------------------------------ state

    def status(self, _: object = None) -> object:
        exchange, clock = self.venue.exchange, self.venue.simulation.clock
        return {
            "now": self.venue.now(),
            "speed": clock.speed if isinstance(clock, SteeredClock) else None,
            "accounts": len(exchange.accounts) - 1,
            "instruments": [instrument.symbol for instrument in exchange.instruments],
            "event_hash": exchange.event_hash,
            "events": self.chronicle.latest,
            "limits": self.venue.limits.is_on,
            "wire_faults": self.venue.faults.plan,
        }

    def hashes(self, _: object = None) -> object:
        exchange = self.venue.exchange
        return {"event_hash": exchange.event_hash, "state_hash": exchange.state_hash()}

    def ledger(self, _: object = None) -> object:
        """Check all invariants and return the ledger as a table for people."""
        self.venue.exchange.check()
        return {"balanced": True, "table": self.venue.exchange.ledger_text()}

    # ------------------------------------------------------------------ accounts and keys

    def accounts(self, _: object = None) -> object:
        exchange = self.venue.exchange
        return [self._account_row(number) for number in exchange.accounts if number]

    def _account_row(self, number: int) -> dict[str, object]:
        exchange = self.venue.exchange
        view = exchange.account(number)
        return {
            "account": number,
            "owner": view.owner,
            "label": view.label,
            "kind": view.kind,
            "contract": money_text(view.contract_balance),
            "spot": money_text(view.spot_balance),
            "equity": money_text(exchange.equity(number)),
            "positions": len(exchange.positions(number)),
        }

    def open_account(self, request: r.NewAccount) -> object:
        contract, spot = _money(request.contract), _money(request.spot)
        events = self._apply(OpenAccount(request.owner, request.label, request.kind))
        opened = events[0]
        assert isinstance(opened, AccountOpened), f"no account was opened: {events}"
        for wallet, money in ((Wallet.CONTRACT, contract), (Wallet.SPOT, spot)):
            if money:
                self._apply(Deposit(opened.account, wallet, money))
        return self._account_row(opened.account)

    def deposit(self, request: r.Money) -> object:
        self._apply(Deposit(request.account, request.wallet, _money(request.money)))
        return self._account_row(request.account)

    def withdraw(self, request: r.Money) -> object:
        self._apply(Withdraw(request.account, request.wallet, _money(request.money)))
        return self._account_row(request.account)

    def create_key(self, request: r.NewKey) -> object:
        if request.account not in self.venue.exchange.accounts:
            raise OperatorError(f"there is no account {request.account}")
        if not valid_addresses(request.addresses):
            raise OperatorError("an address is an IP address, a network, or * for any")
        grant = Grant(trade=request.trade, transfer=request.transfer, withdraw=request.withdraw)
        if request.secret is not None and request.public_key:
            raise OperatorError("a key has a secret or a public_key, not both")
        try:
            key = self.venue.keys.create(
                request.account,
                grant,
                self.venue.edge_now(),
                name=request.name,
                addresses=request.addresses,
                secret=request.secret,
                public_key=request.public_key,
            )
        except ValueError as error:
            raise OperatorError(str(error)) from error
        self.venue.records.track(request.account)
        return {**_key_row(key), "secret": key.secret}

    def revoke_key(self, request: r.KeyName) -> object:
        key = self.venue.keys.find(request.key)
        if key is None:
            raise OperatorError("there is no such key")
        self.venue.keys.revoke(key)
        return _key_row(key)

    def transfer(self, query: dict[str, str]) -> object:
        """Say whether a transfer of this id was carried out."""
        transfer_id = query.get("transfer_id", "")
        done = self.venue.exchange.transfer(transfer_id) is not None
        return {"transfer_id": transfer_id, "done": done}

    # ------------------------------------------------------------------ prices and time

    def set_price(self, request: r.Price) -> object:
        grid = self._grid(request.symbol)
        index = None if request.index is None else _ticks(grid, request.index)
        mark = _ticks(grid, request.mark) if request.mark else None
        if index is not None:
            self._apply(SetIndex(request.symbol, index))
        if request.mark is not None:
            self._apply(SetMark(request.symbol, mark))
        exchange = self.venue.exchange
        return {
            "symbol": request.symbol,
            "mark": grid.price(exchange.mark_price(request.symbol)),
            "index": grid.price(exchange.index_price(request.symbol)),
        }

    def set_time(self, request: r.Time) -> object:
        clock = self.venue.simulation.clock
        if not isinstance(clock, SteeredClock):
            raise OperatorError("this exchange's clock cannot be steered")
        if not 0 <= request.advance_us <= _FURTHEST_US:
            raise OperatorError(
                f"advance_us is between 0 and {_FURTHEST_US}, a year, not {request.advance_us}"
            )
        try:
            if request.speed is not None:
                clock.set_speed(request.speed)
        except ValueError as error:
            raise OperatorError(str(error)) from error
        clock.advance(request.advance_us)
        self.venue.note(clock.steered())
        self._apply(AdvanceTime())
        return {"now": clock.now(), "speed": clock.speed}

    def command(self, command: Command) -> object:
        """Apply any command of the exchange and return its events."""
        return [_named(event) for event in self.venue.apply(command)]

    # ------------------------------------------------------------------ faults and limits

    def set_wire_faults(self, plan: WirePlan) -> object:
        self.venue.faults.set_plan(plan)
        return self.wire_faults()

    def wire_faults(self, _: object = None) -> object:
        return {"plan": self.venue.faults.plan, "struck": self.venue.faults.struck}

    def set_faults(self, plan: FaultPlan) -> object:
        self._faulty().set_plan(plan)
        return self.faults()

    def faults(self, _: object = None) -> object:
        simulation = self._faulty()
        return {"plan": simulation.plan, "struck": simulation.happened}

    def _faulty(self) -> FaultySimulation:
        simulation = self.venue.simulation
        if not isinstance(simulation, FaultySimulation):
            raise OperatorError("this exchange was started without faults of the exchange")
        return simulation

    def set_limits(self, request: r.Limits) -> object:
        self.venue.limits.is_on = request.is_on
        self.venue.limits.forget()
        return {"is_on": request.is_on}

    # ------------------------------------------------------------------ watching

    def events(self, query: dict[str, str]) -> object:
        """Return events after a number, oldest first, at most ``limit``."""
        after, limit = _whole(query, "after", 0), _whole(query, "limit", 200)
        return [
            {"number": number, **_named(event)}
            for number, event in self.chronicle.after(after, limit)
        ]

    def market(self, query: dict[str, str]) -> object:
        """Return one instrument as people look at it: prices, book, trades."""
        symbol = query.get("symbol", "")
        grid, exchange = self._grid(symbol), self.venue.exchange
        bids, asks = exchange.depth(symbol, 12)
        trades = list(self.venue.tape.of(symbol).trades)[-30:]
        return {
            "symbol": symbol,
            "mark": grid.price(exchange.mark_price(symbol)),
            "index": grid.price(exchange.index_price(symbol)),
            "last": grid.price(exchange.last_price(symbol)),
            "bids": [[grid.price(price), grid.quantity(size)] for price, size in bids],
            "asks": [[grid.price(price), grid.quantity(size)] for price, size in asks],
            "trades": [
                {
                    "at": trade.at,
                    "side": "buy" if trade.side > 0 else "sell",
                    "price": grid.price(trade.price),
                    "quantity": grid.quantity(trade.contracts),
                }
                for trade in reversed(trades)
            ],
        }

    def plans(self, _: object = None) -> object:
        """Return the plan orders that wait, of all accounts."""
        exchange = self.venue.exchange
        return [
            {
                "account": number,
                "plan": plan.plan_id,
                "symbol": plan.symbol,
                "side": "buy" if plan.side > 0 else "sell",
                "quantity": self._grid(plan.symbol).quantity(plan.contracts),
                "trigger": self._grid(plan.symbol).price(plan.trigger_price),
                "by": plan.trigger_by,
            }
            for number in exchange.accounts
            for plan in exchange.open_plans(number)
        ]

    # ------------------------------------------------------------------ help

    def _apply(self, command: Command) -> list[Event]:
        events = self.venue.apply(command)
        refusal = self.venue.refusal(events)
        if refusal is not None:
            raise OperatorError(refusal.message)
        return events

    def _grid(self, symbol: str) -> Grid:
        grid = self.venue.grid(symbol)
        if grid is None:
            raise OperatorError(f"there is no instrument {symbol!r}")
        return grid


def _key_row(key: ApiKey) -> dict[str, object]:
    return {
        "key": key.key,
        "account": key.account,
        "name": key.name,
        "grant": key.grant,
        "kind": key.kind,
    }


def _money(text: str) -> int:
    try:
        return money_from(text)
    except ValueError as error:
        raise OperatorError(str(error)) from error


def _ticks(grid: Grid, text: str) -> int:
    try:
        ticks = grid.prices.count(text)
    except ValueError as error:
        raise OperatorError(str(error)) from error
    if ticks < 1:
        raise OperatorError(f"a price is at least {grid.prices.step}, not {text}")
    return ticks


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise OperatorError(f"{name} is a whole number, not {text!r}")
    return int(text)


def _named(event: Event) -> dict[str, object]:
    """Return an event with the names of its fields."""
    return {"event": type(event).__name__, **msgspec.structs.asdict(event)}


class Action(NamedTuple):
    """One path. ``body``: the type of its JSON body; None: it takes a query, or nothing."""

    method: str
    path: str
    do: Callable[[Desk, Any], object]
    body: Any = None


ACTIONS = (
    Action("GET", "status", Desk.status),
    Action("GET", "hashes", Desk.hashes),
    Action("GET", "ledger", Desk.ledger),
    Action("GET", "accounts", Desk.accounts),
    Action("POST", "accounts", Desk.open_account, r.NewAccount),
    Action("POST", "deposits", Desk.deposit, r.Money),
    Action("POST", "withdrawals", Desk.withdraw, r.Money),
    Action("GET", "transfers", Desk.transfer),
    Action("POST", "keys", Desk.create_key, r.NewKey),
    Action("POST", "keys/revoke", Desk.revoke_key, r.KeyName),
    Action("POST", "prices", Desk.set_price, r.Price),
    Action("POST", "time", Desk.set_time, r.Time),
    Action("POST", "commands", Desk.command, Command),
    Action("GET", "faults/wire", Desk.wire_faults),
    Action("PUT", "faults/wire", Desk.set_wire_faults, WirePlan),
    Action("GET", "faults/exchange", Desk.faults),
    Action("PUT", "faults/exchange", Desk.set_faults, FaultPlan),
    Action("PUT", "limits", Desk.set_limits, r.Limits),
    Action("GET", "events", Desk.events),
    Action("GET", "market", Desk.market),
    Action("GET", "plans", Desk.plans),
)
