"""Reads a scenario file whole: every mistake is found before anything runs."""

import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simexchange.core.commands import (
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    SetFeeTier,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.instrument import FundingRules, Instrument
from simexchange.core.types import AccountKind, Wallet
from simexchange.faults import FaultPlan
from simexchange.scenario.actions import ACTIONS
from simexchange.scenario.amounts import moment_us, money_of, rate_of, whole_of
from simexchange.scenario.document import Entries, Items, Text, Value, read_document
from simexchange.scenario.faults_section import fault_plan
from simexchange.scenario.fields import (
    Fields,
    chosen,
    converted,
    entries_of,
    gathered,
    items_of,
    text_of,
)
from simexchange.scenario.instruments import (
    ATTRIBUTES,
    DEFAULT_MAINTENANCE,
    DEFAULT_MAXIMUM_LEVERAGE,
    FUNDING_ATTRIBUTES,
    SPECIAL_WORDS,
    TIER_WORDS,
    flat_tier,
    instrument_from,
    tier_terms,
    tiers_from,
)
from simexchange.scenario.market_section import market_section
from simexchange.scenario.model import Act, MovingMarket, Scenario, Step
from simexchange.scenario.names import Names
from simexchange.scenario.problem import Place, refuse
from simexchange.scenario.reading import MARGIN_MODES, POSITION_MODES, Reading
from simexchange.scenario.steps import read_step

SECTIONS = (
    "scenario",
    "start",
    "seed",
    "include",
    "insurance_fund",
    "instruments",
    "accounts",
    "market",
    "faults",
    "steps",
)
DEFAULT_START = "2026-01-01 00:00:00"

_KINDS = {"user": AccountKind.USER, "maker": AccountKind.MAKER}


def read_scenario(path: Path | str, parameters: Mapping[str, str] | None = None) -> Scenario:
    """Return the scenario in the file ``path``; ScenarioError lists what is wrong with it."""
    path = Path(path)
    return parse_scenario(_text(path), str(path), parameters)


def parse_scenario(text: str, file: str, parameters: Mapping[str, str] | None = None) -> Scenario:
    """Return the scenario that ``text`` holds; ``file`` names it in messages."""
    document = read_document(text, file, parameters)
    fields = Fields(document, "the scenario", required=("scenario", "steps"), optional=SECTIONS)
    start_at = converted(
        fields.text("start") if "start" in fields else Text(fields.place, DEFAULT_START),
        lambda written: moment_us(written, 0),
    )
    reading = Reading(Names(), start_at)
    set_up = [*_included(fields, file, reading), *_definitions(fields, reading)]
    seed = fields.get("seed", lambda written: whole_of(written, "seed"), 0)
    plan = fault_plan(reading, fields.value("faults"), seed) if "faults" in fields else None
    market = None
    if "market" in fields:
        market = market_section(reading, fields.value("market"), seed)
    reading.has_fault_plan = plan is not None
    steps = _steps(reading, items_of(fields.value("steps"), "steps"))
    return Scenario(
        file=file,
        title=fields.text("scenario").text,
        start_at=start_at,
        seed=seed,
        names=reading.names,
        set_up=tuple(set_up),
        steps=tuple(steps),
        fault_plan=plan,
        insurance_fund=fields.get("insurance_fund", money_of, ExchangeConfig().insurance_fund),
        market=market,
    )


def parse_fault_plan(text: str, names: Names, seed: int) -> FaultPlan:
    """Return a plan written as a section ``faults``, for the accounts and instruments known."""
    return fault_plan(Reading(names, 0), _section(text, "faults"), seed)


def parse_market(text: str, names: Names, seed: int) -> MovingMarket:
    """Return a market written as a section ``market``, for the accounts and instruments known."""
    return market_section(Reading(names, 0), _section(text, "market"), seed)


def _section(text: str, name: str) -> Value:
    document = read_document(f"{name}:\n{textwrap.indent(textwrap.dedent(text), '  ')}", name)
    return Fields(document, f"the text of {name}", required=(name,)).value(name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise refuse(Place(str(path), 1), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise refuse(Place(str(path), 1), "is not UTF-8 text") from error


def _steps(reading: Reading, items: Items) -> list[Step]:
    """Read the steps in their order, since each may use the names that earlier ones give."""
    return gathered([partial(read_step, reading, item) for item in items.items])


# ---------------------------------------------------------------------- instruments and accounts


def _included(fields: Fields, file: str, reading: Reading) -> list[Act]:
    """Read the instruments and accounts of other files, which stand beside this one."""
    if "include" not in fields:
        return []
    value = fields.value("include")
    names = value.items if isinstance(value, Items) else (value,)
    acts: list[Act] = []
    for name in names:
        text = text_of(name, "include")
        path = Path(file).parent / text.text
        if not path.is_file():
            raise refuse(text.place, f"there is no file {path}")
        document = read_document(_text(path), str(path))
        included = Fields(document, "an included file", optional=("instruments", "accounts"))
        acts += _definitions(included, reading)
    return acts


def _definitions(fields: Fields, reading: Reading) -> list[Act]:
    acts: list[Act] = []
    if "instruments" in fields:
        acts += _each(reading, fields.value("instruments"), "instruments", _instrument)
    if "accounts" in fields:
        acts += _each(reading, fields.value("accounts"), "accounts", _account)
    return acts


_Reader = Callable[[Reading, str, Place, Value], list[Act]]


def _each(reading: Reading, value: Value, what: str, read: _Reader) -> list[Act]:
    entries = entries_of(value, what)
    readers = [
        partial(read, reading, name, entries.key_places[name], entry)
        for name, entry in entries.entries.items()
    ]
    return [act for acts in gathered(readers) for act in acts]


def _instrument(reading: Reading, symbol: str, place: Place, value: Value) -> list[Act]:
    fields = Fields(
        value,
        f"instrument {symbol}",
        required=("tick", "face"),
        optional=(*ATTRIBUTES, *SPECIAL_WORDS, "mark", "index"),
    )
    if symbol in reading.names.instruments:
        raise refuse(place, f"{symbol} is already given in an included file")
    attributes: dict[str, Any] = {
        name: converted(fields.text(word), conversion)
        for word, (name, conversion) in ATTRIBUTES.items()
        if word in fields
    }
    attributes["tiers"] = _tiers(fields)
    if "funding" in fields:
        attributes["funding"] = _funding(fields.value("funding"))
    instrument: Instrument = converted(
        Text(place, symbol), lambda name: instrument_from(name, attributes)
    )
    reading.names.instruments[symbol] = instrument
    acts = [Act(place, f"list {symbol}", (ListInstrument(instrument),))]
    for word in ("index", "mark"):
        if word in fields:
            price = Entries(place, {symbol: fields.text(word)}, {symbol: fields.place_of(word)})
            text = f"{word} {symbol} {fields.text(word).text}"
            acts.append(Act(fields.place_of(word), text, ACTIONS[word](reading, price)))
    return acts


def _tiers(fields: Fields) -> tuple[Any, ...]:
    """Return the margin tiers: a list, or one flat tier of maintenance and maximum_leverage."""
    if "tiers" not in fields:
        place = fields.place_of("maintenance") if "maintenance" in fields else fields.place
        maintenance = fields.get("maintenance", str, DEFAULT_MAINTENANCE)
        leverage = fields.get("maximum_leverage", str, str(DEFAULT_MAXIMUM_LEVERAGE))
        return converted(Text(place, maintenance), lambda rate: flat_tier(rate, leverage))
    for word in ("maintenance", "maximum_leverage"):
        if word in fields:
            raise refuse(fields.place_of(word), f"with tiers, {word} belongs to each tier")
    terms: list[Any] = []
    items = items_of(fields.value("tiers"), "tiers")
    for item in items.items:
        tier = Fields(item, "a tier", required=TIER_WORDS)
        texts = [tier.text(word).text for word in TIER_WORDS]
        terms.append(converted(tier.text("from"), lambda _, given=texts: tier_terms(*given)))
    return converted(Text(items.place, "tiers"), lambda _: tiers_from(terms))


def _funding(value: Value) -> FundingRules:
    if isinstance(value, Text):
        chosen(value, "funding", {"yes": True})
        return FundingRules()
    fields = Fields(value, "funding", optional=FUNDING_ATTRIBUTES)
    return FundingRules(
        **{
            name: converted(fields.text(word), conversion)
            for word, (name, conversion) in FUNDING_ATTRIBUTES.items()
            if word in fields
        }
    )


def _account(reading: Reading, name: str, place: Place, value: Value) -> list[Act]:
    fields = Fields(
        value,
        f"account {name}",
        optional=(
            "owner",
            "kind",
            "deposit",
            "spot",
            "position_mode",
            "margin_mode",
            "leverage",
            "maker_fee",
            "taker_fee",
        ),
    )
    if name in reading.names.accounts:
        raise refuse(place, f"account {name} is already given in an included file")
    owner = _owner(reading, fields)
    number = len(reading.names.accounts) + 1  # the exchange numbers accounts as they are opened
    reading.names.accounts[name] = number
    kind = fields.one_of("kind", _KINDS, AccountKind.USER)
    acts = [Act(place, f"open {name}", (OpenAccount(owner, name, kind),))]
    settings = _account_settings(reading, fields, number)
    if settings:
        acts.append(Act(place, f"set up {name}", tuple(settings), may_be_unchanged=True))
    return acts


def _owner(reading: Reading, fields: Fields) -> int | None:
    if "owner" not in fields:
        return None
    text = fields.text("owner")
    if text.text not in reading.names.accounts:
        raise refuse(
            text.place, f"there is no account {text.text} above; an owner stands before his own"
        )
    return reading.names.accounts[text.text]


def _account_settings(reading: Reading, fields: Fields, number: int) -> list[Command]:
    commands: list[Command] = []
    for word, wallet in (("deposit", Wallet.CONTRACT), ("spot", Wallet.SPOT)):
        if money := fields.get(word, money_of, 0):
            commands.append(Deposit(number, wallet, money))
    if "position_mode" in fields:
        mode = chosen(fields.text("position_mode"), "position mode", POSITION_MODES)
        commands.append(SetPositionMode(number, mode))
    commands += _by_instrument(reading, fields, number)
    if "maker_fee" in fields or "taker_fee" in fields:
        maker, taker = fields.maybe("maker_fee", rate_of), fields.maybe("taker_fee", rate_of)
        commands.append(SetFeeTier(number, maker, taker))
    return commands


def _by_instrument(reading: Reading, fields: Fields, number: int) -> list[Command]:
    commands: list[Command] = []
    if "margin_mode" in fields:
        for instrument, text in reading.by_symbol(fields.value("margin_mode"), "margin_mode"):
            mode = chosen(text_of(text, "margin_mode"), "margin mode", MARGIN_MODES)
            commands.append(SetMarginMode(number, instrument.symbol, mode))
    if "leverage" in fields:
        for instrument, text in reading.by_symbol(fields.value("leverage"), "leverage"):
            leverage = converted(
                text_of(text, "leverage"), lambda written: whole_of(written, "leverage")
            )
            commands.append(SetLeverage(number, instrument.symbol, leverage))
    return commands
