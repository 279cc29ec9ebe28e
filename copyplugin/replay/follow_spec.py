"""`--follow mode=fixed,amount=1000`: what a follower of the replay asks for."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from copyplugin.domain.money import Money
from copyplugin.domain.sizing import CopyMode
from copyplugin.errors import Refused

KEYS = ("mode", "amount", "bound", "instruments")


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowSpec:
    """`bound` is C8's price bound as a ratio, `instruments` None for all of the record's."""

    text: str
    mode: CopyMode
    amount: Money
    bound: Decimal | None = None
    instruments: frozenset[str] | None = None


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
        raise Refused(f"--follow {text}: mode is {' or '.join(CopyMode)}, not {given['mode']}.")
    chosen = given.get("instruments")
    return FollowSpec(
        text=text,
        mode=CopyMode(given["mode"]),
        amount=Money(_number(text, "amount", given["amount"])),
        bound=_number(text, "bound", given["bound"]) if "bound" in given else None,
        instruments=None if chosen is None else frozenset(chosen.split("+")),
    )


def _number(text: str, key: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise Refused(f"--follow {text}: {key} must be a number, not {value!r}.") from error
    if not number.is_finite() or number <= 0:
        raise Refused(f"--follow {text}: {key} must be above 0, not {value}.")
    return number
