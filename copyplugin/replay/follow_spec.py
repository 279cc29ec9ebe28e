"""`--follow mode=fixed,amount=1000`: what a follower of the replay asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.money import Money
from copyplugin.engine.rule_arguments import OF_AN_INSTRUMENT, OF_THE_FOLLOW
from copyplugin.errors import Refused

COUNTS = ("open_positions_max", "orders_per_day_max")
TERMS = (*OF_AN_INSTRUMENT[1:], *OF_THE_FOLLOW)  # the mode stands apart
"""What is handed to the engine as it is: it refuses what does not fit."""

KEYS = ("mode", "amount", "bound", "instruments", *TERMS)


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowSpec:
    """`bound` is C8's price bound as a ratio, `instruments` None for all of the record's.

    `terms` are the further ones of C7, by the names that starting a follow has for them.
    """

    text: str
    mode: CopyMode
    amount: Money
    bound: Decimal | None = None
    instruments: frozenset[str] | None = None
    terms: Mapping[str, str | int] = field(default_factory=dict[str, str | int])


def parse_follow(text: str) -> FollowSpec:
    """Read one `--follow`; raises `Refused` with a sentence."""
    given: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if not equals or not value.strip():
            raise Refused(f"--follow {text}: write key=value, for example mode=fixed,amount=1000.")
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1)
            meant = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(KEYS)}."
            raise Refused(f"--follow {text}: there is no {key!r}{meant}")
        if key in given:
            raise Refused(f"--follow {text}: {key} is given twice.")
        given[key] = value.strip()
    for key in ("mode", "amount"):
        if key not in given:
            raise Refused(f"--follow {text}: {key} is missing.")
    if given["mode"] not in set(CopyMode):
        raise Refused(
            f"--follow {text}: mode is one of {', '.join(CopyMode)}, not {given['mode']}."
        )
    chosen = given.get("instruments")
    return FollowSpec(
        text=text,
        mode=CopyMode(given["mode"]),
        amount=Money(_number(text, "amount", given["amount"])),
        bound=_number(text, "bound", given["bound"]) if "bound" in given else None,
        instruments=None if chosen is None else frozenset(chosen.split("+")),
        terms={
            key: _count(text, key, value) if key in COUNTS else value
            for key, value in given.items()
            if key in TERMS
        },
    )


def _count(text: str, key: str, value: str) -> int:
    if not value.isdecimal():
        raise Refused(f"--follow {text}: {key} must be a whole number, not {value!r}.")
    return int(value)


def _number(text: str, key: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise Refused(f"--follow {text}: {key} must be a number, not {value!r}.") from error
    if not number.is_finite() or number <= 0:
        raise Refused(f"--follow {text}: {key} must be above 0, not {value}.")
    return number
