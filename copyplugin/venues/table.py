"""What each venue can and cannot do, as its adapter says it: printed from the code (V1, V3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from copyplugin.ports import MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import capabilities_of
from copyplugin.venues.ccxt.dialects import DIALECTS
from copyplugin.venues.ccxt.gate import Rate
from copyplugin.venues.simulated import SimulatedVenue

MEANINGS: Mapping[str, str] = {
    "moves_money": "moves money for us",
    "opens_sub_accounts": "opens sub-accounts for us",
    "hedge_mode": "holds long and short apart",
    "streams_fills": "streams fills",
    "tells_leader_balance": "tells a leader's balance (C5)",
    "plan_orders": "rests plan orders",
    "amends_plans": "changes resting plan orders",
    "adjusts_margin": "adds and takes margin",
    "counts_finer": "counts finer than eight places",
    "requests_live_seconds": "seconds a lost order may still arrive in",
    "forgets_empty_seconds": "seconds an order without a fill is listed",
}
"""What the fields of `VenueCapabilities` are called in the table."""

IN_PROCESS = "in this process"
ON_THE_WIRE = "on the wire: trades on the served exchange"
UNPROVEN = (
    "not proven on a served exchange: on messages written by hand, and on a fake of it in our tests"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueLine:
    """One venue. Rates are requests a second; None where nothing limits them."""

    name: str
    proven: str
    capabilities: VenueCapabilities
    account_rate: Rate | None
    address_rate: Rate | None

    def as_json(self) -> dict[str, object]:
        can = {name: getattr(self.capabilities, name) for name in MEANINGS}
        return {
            "venue": self.name,
            "proven": self.proven,
            **can,
            "requests_a_second_per_account": _per_second(self.account_rate),
            "requests_a_second_per_address": _per_second(self.address_rate),
        }


def venue_lines() -> list[VenueLine]:
    """Return every venue this program can trade on, the simulated one first."""
    lines = [
        VenueLine(
            name=SimulatedVenue.name,
            proven=IN_PROCESS,
            capabilities=SimulatedVenue.capabilities,
            account_rate=None,
            address_rate=None,
        )
    ]
    for name in sorted(DIALECTS):
        dialect = DIALECTS[name](VenueConfig(dialect=name))
        lines.append(
            VenueLine(
                name=dialect.name,
                proven=ON_THE_WIRE if dialect.is_proven else UNPROVEN,
                capabilities=capabilities_of(dialect),
                account_rate=dialect.account_rate,
                address_rate=dialect.address_rate,
            )
        )
    return lines


def table_of(lines: Sequence[VenueLine]) -> list[str]:
    """Return the table as a person reads it: a column for each venue."""
    assert set(MEANINGS) == {field.name for field in fields(VenueCapabilities)}
    rows = [("", *(line.name for line in lines))]
    for name, meaning in MEANINGS.items():
        rows.append((meaning, *(_word(getattr(line.capabilities, name)) for line in lines)))
    rows.append(("requests/s of an account", *(_word(_per_second(x.account_rate)) for x in lines)))
    rows.append(("requests/s of an address", *(_word(_per_second(x.address_rate)) for x in lines)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [*table, "", "How each is proven:", *(f"  {x.name}: {x.proven}" for x in lines)]


def _per_second(rate: Rate | None) -> float | None:
    return None if rate is None else rate.per_second


def _word(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case MovesMoney():
            return value.value.replace("_", " ")
        case float() | int():
            return f"{value:g}"
        case _:
            return "–"
