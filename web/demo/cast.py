"""Who plays: on which terms leaders lead, and who follows whom with how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle, islice

from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.sizing import CopyMode

OPERATOR = "operator:demo"

_NAMES = (
    *("Amira", "Bao", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas"),
    *("Keiko", "Liam", "Mina", "Noor", "Otto", "Priya", "Quinn", "Rosa", "Sven", "Tala"),
)


@dataclass(frozen=True, kw_only=True)
class LeadersTerms:
    """On which terms one leader lets others follow him."""

    signature: str
    share_ratio: Ratio
    max_followers: int
    pinned: bool = False


TERMS: Mapping[str, LeadersTerms] = {
    "North Star": LeadersTerms(
        signature="Few trades, held with patience",
        share_ratio=Ratio(Decimal("0.10")),
        max_followers=100,
        pinned=True,
    ),
    "Still Water": LeadersTerms(
        signature="Buys fear, sells joy", share_ratio=Ratio(Decimal("0.08")), max_followers=60
    ),
    "Open Range": LeadersTerms(
        signature="Breakouts, both ways", share_ratio=Ratio(Decimal("0.12")), max_followers=60
    ),
    "Fast Lane": LeadersTerms(
        signature="Always in motion", share_ratio=Ratio(Decimal("0.20")), max_followers=3
    ),
}

MIN_COPY_AMOUNT = Money(Decimal(10))
MAX_COPY_AMOUNT = Money(Decimal(20_000))
TOTAL_COPY_AMOUNT = Money(Decimal(1_000_000))

# A fixed follower opens what the leader opens, so a small amount soon has orders skipped: both
# are on show.
_AMOUNTS = {
    CopyMode.FIXED: (12_000, 6_000, 15_000, 400),
    CopyMode.PROPORTIONAL: (500, 2_000, 150, 5_000),
}


@dataclass(frozen=True, kw_only=True)
class FollowPlan:
    leader: str
    mode: CopyMode
    copy_amount: Money


@dataclass(frozen=True, kw_only=True)
class FollowerPlan:
    """One follower, his money, and whom he follows from the beginning: nobody, one or two."""

    name: str
    spot: Money
    follows: tuple[FollowPlan, ...]


def plan_followers(count: int, leaders: tuple[str, ...]) -> list[FollowerPlan]:
    """Return the followers: half in each mode, every fifth with nothing started yet."""
    return [
        FollowerPlan(
            name=_name(number), spot=Money(Decimal(25_000)), follows=_follows(number, leaders)
        )
        for number in range(count)
    ]


def _name(number: int) -> str:
    name = _NAMES[number % len(_NAMES)]
    generation = number // len(_NAMES)
    return f"{name} {generation + 1}" if generation else name


def _follows(number: int, leaders: tuple[str, ...]) -> tuple[FollowPlan, ...]:
    if number % 5 == 4:  # noqa: PLR2004 - every fifth is left for the visitor to play
        return ()
    mode = CopyMode.FIXED if number % 2 == 0 else CopyMode.PROPORTIONAL
    amounts = _AMOUNTS[mode]
    open_leaders = _open_to(number, leaders)
    return tuple(
        FollowPlan(
            leader=leader,
            mode=mode,
            copy_amount=Money(Decimal(amounts[(number // 2 + place) % len(amounts)])),
        )
        for place, leader in enumerate(open_leaders)
    )


def _open_to(number: int, leaders: tuple[str, ...]) -> tuple[str, ...]:
    """Return whom this follower follows; the leader with few places has them taken at once."""
    scarce = [leader for leader in leaders if TERMS[leader].max_followers <= len(leaders)]
    ample = [leader for leader in leaders if leader not in scarce]
    first = next(islice(cycle(ample), number % len(ample), None))
    if scarce and number < TERMS[scarce[0]].max_followers:
        return (first, scarce[0])
    return (first,)
