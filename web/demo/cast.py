"""Who plays: on which terms leaders lead, and who follows whom with how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle, islice

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.money import Money, Ratio
from simexchange.core.types import MONEY_SCALE, PositionMode
from simexchange.market.traders import Style, TraderShape
from simexchange.market.world import BASIS_POINT, LeaderPlan

OPERATOR = "operator:demo"

# Three leaders know the synthetic walk ahead, so that there is a profit to share; the fourth only
# runs after the latest move, as many do, and shows what that comes to.
LEADERS = (
    LeaderPlan(
        label="North Star",
        money=100_000 * MONEY_SCALE,
        leverage=10,
        mode=PositionMode.HEDGE,
        shape=TraderShape(
            style=Style.FORESIGHT,
            symbols=("BTCUSDT", "ETHUSDT"),
            position_limit=40_000 * MONEY_SCALE,
            window=90,
            threshold=70 * BASIS_POINT,
            act_percent=14,
        ),
    ),
    LeaderPlan(
        label="Still Water",
        money=60_000 * MONEY_SCALE,
        leverage=5,
        mode=PositionMode.ONE_WAY,
        shape=TraderShape(
            style=Style.FORESIGHT,
            symbols=("ETHUSDT", "SOLUSDT"),
            position_limit=20_000 * MONEY_SCALE,
            window=60,
            threshold=60 * BASIS_POINT,
            act_percent=10,
            clip_percent=60,
            limit_percent=60,
        ),
    ),
    LeaderPlan(
        label="Open Range",
        money=80_000 * MONEY_SCALE,
        leverage=8,
        mode=PositionMode.HEDGE,
        shape=TraderShape(
            style=Style.FORESIGHT,
            symbols=("SOLUSDT", "BTCUSDT"),
            position_limit=30_000 * MONEY_SCALE,
            window=40,
            threshold=35 * BASIS_POINT,
            act_percent=12,
            clip_percent=50,
        ),
    ),
    LeaderPlan(
        label="Fast Lane",
        money=40_000 * MONEY_SCALE,
        leverage=20,
        mode=PositionMode.ONE_WAY,
        shape=TraderShape(
            style=Style.MOMENTUM,
            symbols=("BTCUSDT", "SOLUSDT"),
            position_limit=20_000 * MONEY_SCALE,
            threshold=60 * BASIS_POINT,
            act_percent=12,
        ),
    ),
)

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
        signature="Waits with limit orders", share_ratio=Ratio(Decimal("0.08")), max_followers=60
    ),
    "Open Range": LeadersTerms(
        signature="Short swings, both ways", share_ratio=Ratio(Decimal("0.12")), max_followers=60
    ),
    "Fast Lane": LeadersTerms(
        signature="Runs after every move", share_ratio=Ratio(Decimal("0.20")), max_followers=3
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
