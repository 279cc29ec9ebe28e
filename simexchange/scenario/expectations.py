"""What a scenario expects: each kind reads its mapping into a question to the running exchange."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction

from simexchange.core.events import FundingPaid, FundingSettled
from simexchange.core.types import MONEY_SCALE, PositionSide
from simexchange.scenario.amounts import money_of
from simexchange.scenario.document import Text, Value
from simexchange.scenario.event_match import EventPattern, EventPatternReader
from simexchange.scenario.expected import Expected, expected_number
from simexchange.scenario.facts import (
    BALANCE_NUMBERS,
    ORDER_NUMBERS,
    ORDER_WORDS,
    PLAN_NUMBERS,
    PLAN_WORDS,
    POSITION_NUMBERS,
    POSITION_WORDS,
    PRICE_NUMBERS,
    Wanted,
    mismatches,
    wanted,
)
from simexchange.scenario.fields import Fields, chosen, converted, text_of
from simexchange.scenario.model import Expectation, Mismatch
from simexchange.scenario.problem import refuse
from simexchange.scenario.reading import MARGIN_MODES, Reading
from simexchange.scenario.world import World, ledger_lines

_ORDER_STATUSES = ("new", "partially_filled", "filled", "cancelled", "rejected")
_PLAN_STATUSES = ("waiting", "gone")
_ON_TICK = {"liquidation_price", "price", "trigger", *PRICE_NUMBERS}
_MONEY = {
    "entry_cost",
    "margin",
    "unrealized_pnl",
    "maintenance_margin",
    "fee",
    *BALANCE_NUMBERS,
}


def _wanted_in(
    reading: Reading, fields: Fields, numbers: tuple[str, ...], words: tuple[str, ...] = ()
) -> dict[str, Wanted]:
    """Return what the mapping asks for; an exact number off its grid can never be met."""
    asked: dict[str, Wanted] = {}
    for word in (*numbers, *words):
        if word not in fields:
            continue
        text = fields.text(word)
        if word == "margin_mode":
            asked[word] = chosen(text, "margin mode", {name: name for name in MARGIN_MODES})
        elif word == "status":
            statuses = _PLAN_STATUSES if "trigger" in numbers else _ORDER_STATUSES
            asked[word] = chosen(
                text, f"status of {fields.what}", {each: each for each in statuses}
            )
        else:
            asked[word] = converted(text, lambda written, of=word: wanted(of, written))
            _refuse_off_grid(reading, fields, text, word, asked[word])
    if not asked:
        raise refuse(fields.place, f"{fields.what} expects nothing; say for example {numbers[0]}")
    return asked


def _refuse_off_grid(reading: Reading, fields: Fields, text: Text, word: str, want: Wanted) -> None:
    if isinstance(want, str) or want.exact is None:
        return
    if word in _ON_TICK:
        instrument = reading.instrument(fields)
        converted(text, lambda written: instrument.price_to_ticks(_decimal(written)))
    elif word in _MONEY:
        converted(text, lambda written: money_of(written, word))


def _decimal(written: str) -> Decimal:
    return Decimal(written.strip())


def _position(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    fields = Fields(
        value,
        "position",
        required=("account",),
        optional=("symbol", "position_side", *POSITION_NUMBERS, *POSITION_WORDS),
    )
    account, symbol = reading.account(fields), reading.instrument(fields).symbol
    side = reading.position_side(fields)
    asked = _wanted_in(reading, fields, POSITION_NUMBERS, POSITION_WORDS)
    leg = "" if side is PositionSide.NET else f" {side.name.lower()}"
    subject = f"{reading.names.account_name(account)} {symbol}{leg}"

    def check(world: World) -> list[Mismatch]:
        return mismatches(
            subject, world.position_facts(world.position(account, symbol, side)), asked
        )

    return check


def _balance(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    fields = Fields(value, "balance", required=("account",), optional=BALANCE_NUMBERS)
    account = reading.account(fields)
    asked = _wanted_in(reading, fields, BALANCE_NUMBERS)
    subject = reading.names.account_name(account)
    return lambda world: mismatches(subject, world.balance_facts(account), asked)


def _order(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    fields = Fields(
        value,
        "an order",
        required=("account", "name"),
        optional=("symbol", *ORDER_NUMBERS, *ORDER_WORDS),
    )
    account = reading.account(fields)
    name = reading.known_order_name(fields, account)
    asked = _wanted_in(reading, fields, ORDER_NUMBERS, ORDER_WORDS)

    def check(world: World) -> list[Mismatch]:
        facts = world.order_facts(account, name)
        if facts is None:
            if asked == {"status": "rejected"}:
                return []
            return [Mismatch(f"order {name}", "an order", "the exchange knows none")]
        return mismatches(f"order {name}", facts, asked)

    return check


def _plan(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    fields = Fields(
        value,
        "a plan order",
        required=("account", "name"),
        optional=("symbol", *PLAN_NUMBERS, *PLAN_WORDS),
    )
    account = reading.account(fields)
    name = reading.known_order_name(fields, account)
    asked = _wanted_in(reading, fields, PLAN_NUMBERS, PLAN_WORDS)
    return lambda world: mismatches(f"plan {name}", world.plan_facts(account, name), asked)


def _funding_rate(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    asked = {
        instrument.symbol: converted(
            text_of(item, "funding_rate"),
            lambda written: expected_number(written, "funding_rate", is_rate=True),
        )
        for instrument, item in reading.by_symbol(value, "funding_rate")
    }

    def check(world: World) -> list[Mismatch]:
        found = {symbol: world.funding_rate(symbol) for symbol in asked}
        return mismatches("funding rate of", found, asked)

    return check


def _price(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    fields = Fields(value, "price", optional=("symbol", *PRICE_NUMBERS))
    symbol = reading.instrument(fields).symbol
    asked = _wanted_in(reading, fields, PRICE_NUMBERS)
    return lambda world: mismatches(symbol, world.price_facts(symbol), asked)


def _open_orders(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    return _counted(
        reading,
        value,
        "open_orders",
        lambda world, account, symbol: len(world.exchange.open_orders(account, symbol)),
    )


def _open_plans(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    return _counted(
        reading,
        value,
        "open_plans",
        lambda world, account, symbol: len(world.exchange.open_plans(account, symbol)),
    )


def _counted(
    reading: Reading, value: Value, what: str, count: Callable[[World, int, str | None], int]
) -> Callable[[World], list[Mismatch]]:
    fields = Fields(value, what, required=("account", "count"), optional=("symbol",))
    account = reading.account(fields)
    symbol = reading.instrument(fields).symbol if "symbol" in fields else None
    want = converted(fields.text("count"), lambda text: expected_number(text, "count"))
    subject = f"{what} of {reading.names.account_name(account)}"

    def check(world: World) -> list[Mismatch]:
        found = Fraction(count(world, account, symbol))
        return mismatches(subject, {"count": found}, {"count": want})

    return check


def _event(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    pattern = EventPatternReader(reading).read(value, "event")
    return pattern.check_happened


def _no_event(reading: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    pattern: EventPattern = EventPatternReader(reading).read(value, "no_event")
    return pattern.check_did_not_happen


def _insurance_fund(_: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    text = text_of(value, "insurance_fund")
    want = converted(text, lambda written: expected_number(written, "insurance_fund"))

    def check(world: World) -> list[Mismatch]:
        return mismatches("insurance fund", {"balance": world.insurance_fund()}, {"balance": want})

    return check


def _ledger(_: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    chosen(text_of(value, "ledger"), "state of a ledger", {"balanced": True})
    return ledger_mismatches


def ledger_mismatches(world: World) -> list[Mismatch]:
    """Run every check of the exchange's own books."""
    try:
        world.exchange.check()
    except AssertionError as error:
        return [Mismatch("ledger", "balanced", f"{error}\n" + "\n".join(ledger_lines(world)))]
    return []


def _funding_sum(_: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    """Payments and the residues that the exchange books sum to the expected number."""
    text = text_of(value, "funding_sum")
    want: Expected = converted(text, lambda written: expected_number(written, "funding_sum"))

    def check(world: World) -> list[Mismatch]:
        total = sum(_funding_of(world.events))
        found = Fraction(total, MONEY_SCALE)
        return mismatches("funding", {"sum": found}, {"sum": want})

    return check


def _funding_of(events: Iterable[object]) -> Iterable[int]:
    for event in events:
        if isinstance(event, FundingPaid):
            yield event.payment
        elif isinstance(event, FundingSettled):
            yield -event.residue


def _event_hash(_: Reading, value: Value) -> Callable[[World], list[Mismatch]]:
    text = text_of(value, "event_hash").text

    def check(world: World) -> list[Mismatch]:
        found = world.exchange.event_hash
        return [] if found == text else [Mismatch("event hash", text, found)]

    return check


EXPECTATIONS: dict[str, Callable[[Reading, Value], Callable[[World], list[Mismatch]]]] = {
    "position": _position,
    "balance": _balance,
    "order": _order,
    "plan": _plan,
    "open_plans": _open_plans,
    "funding_rate": _funding_rate,
    "price": _price,
    "open_orders": _open_orders,
    "event": _event,
    "no_event": _no_event,
    "insurance_fund": _insurance_fund,
    "ledger": _ledger,
    "funding_sum": _funding_sum,
    "event_hash": _event_hash,
}
"""Every kind of expectation and what reads it."""


def expectation(reading: Reading, kind: Text, value: Value) -> Expectation:
    """Read one expectation; ``kind`` is its key."""
    read = chosen(kind, "expectation", EXPECTATIONS)
    return Expectation(kind.place, kind.text, read(reading, value))
