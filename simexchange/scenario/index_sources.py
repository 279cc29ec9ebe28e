"""The sources of an index: prices, or mappings that add a weight and an age."""

from simexchange.core.commands import SetIndexSources
from simexchange.core.instrument import Instrument
from simexchange.scenario.amounts import duration_us, price_of, whole_of
from simexchange.scenario.document import Entries, Items, Value
from simexchange.scenario.fields import Fields, converted, text_of

NO_SOURCE = "none"
"""The word for an index whose sources have all failed."""


def index_sources(instrument: Instrument, sources: Items) -> SetIndexSources:
    """Read ``[64990, {price: 65000, weight: 2, age: 20s}]``; an empty list: all have failed."""
    read = [_source(instrument, item) for item in sources.items]
    if not any(isinstance(item, Entries) for item in sources.items):
        return SetIndexSources(instrument.symbol, tuple(price for price, _, _ in read))
    return SetIndexSources(
        instrument.symbol,
        tuple(price for price, _, _ in read),
        tuple(weight for _, weight, _ in read),
        tuple(age_us for _, _, age_us in read),
    )


def _source(instrument: Instrument, value: Value) -> tuple[int, int, int]:
    def ticks(text: str) -> int:
        return price_of(text, instrument, "index")

    if not isinstance(value, Entries):
        return converted(text_of(value, "a source's price"), ticks), 1, 0
    fields = Fields(value, "a source", required=("price",), optional=("weight", "age"))
    return (
        converted(fields.text("price"), ticks),
        fields.get("weight", lambda text: whole_of(text, "weight"), 1),
        fields.get("age", duration_us, 0),
    )
