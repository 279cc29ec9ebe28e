"""The section ``market``: a seeded index for some instruments, and makers that quote round it."""

from simexchange.core.instrument import Instrument
from simexchange.core.types import SECOND_US
from simexchange.market.ladder import LadderShape
from simexchange.market.synthetic import IndexShape
from simexchange.scenario.amounts import (
    contracts_of,
    duration_us,
    money_of,
    price_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.document import Value
from simexchange.scenario.fields import Fields, converted
from simexchange.scenario.model import SyntheticMarket
from simexchange.scenario.problem import refuse
from simexchange.scenario.reading import Reading

_LADDER = {
    "levels": ("levels", contracts_of),
    "half_spread": ("half_spread", rate_of),
    "reach": ("reach", rate_of),
    "size": ("size", money_of),
    "inventory_limit": ("inventory_limit", money_of),
}


def market_section(reading: Reading, value: Value, seed: int) -> SyntheticMarket:
    """Read ``market``: per instrument its synthetic index and the maker's ladder."""
    fields = Fields(value, "market", optional=("seed", "step", "maker", "instruments"))
    if "instruments" not in fields:
        raise refuse(fields.place, "market needs instruments, each with its start price")
    seed = fields.get("seed", lambda text: whole_of(text, "seed"), seed)
    step_us = fields.get("step", duration_us, SECOND_US)
    if step_us == 0:
        raise refuse(fields.place, "step must be longer than nothing")
    shapes: list[IndexShape] = []
    ladders: dict[str, LadderShape] = {}
    for instrument, detail in reading.by_symbol(fields.value("instruments"), "instruments"):
        shape, ladder = _instrument(instrument, detail)
        shapes.append(shape)
        if ladder is not None:
            ladders[instrument.symbol] = ladder
    if not shapes:
        raise refuse(fields.place, "market names no instrument")
    if ladders and "maker" not in fields:
        raise refuse(fields.place, "a quoted ladder needs maker, the account that quotes it")
    reading.market_symbols.extend(shape.symbol for shape in shapes)
    return SyntheticMarket(
        place=fields.place,
        shapes=tuple(shapes),
        ladders=ladders,
        maker=reading.account(fields, "maker") if "maker" in fields else None,
        seed=seed,
        step_us=step_us,
    )


def _instrument(instrument: Instrument, value: Value) -> tuple[IndexShape, LadderShape | None]:
    fields = Fields(
        value,
        f"market of {instrument.symbol}",
        required=("start",),
        optional=("volatility", "jump", "jumps_per_million", "quotes"),
    )
    defaults = IndexShape(symbol=instrument.symbol, start=1)
    shape = IndexShape(
        symbol=instrument.symbol,
        start=converted(fields.text("start"), lambda text: price_of(text, instrument, "start")),
        volatility=fields.get("volatility", rate_of, defaults.volatility),
        jump=fields.get("jump", rate_of, defaults.jump),
        jumps_per_million=fields.get(
            "jumps_per_million",
            lambda text: whole_of(text, "jumps_per_million"),
            defaults.jumps_per_million,
        ),
    )
    return shape, _ladder(fields.value("quotes")) if "quotes" in fields else None


def _ladder(value: Value) -> LadderShape:
    fields = Fields(value, "quotes", optional=_LADDER)
    given = {
        name: converted(fields.text(word), conversion)
        for word, (name, conversion) in _LADDER.items()
        if word in fields
    }
    try:
        return LadderShape(**given)
    except ValueError as error:
        raise refuse(fields.place, str(error)) from error
