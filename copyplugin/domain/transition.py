"""What a leader's fills did to his position: opened, added, reduced, closed; a flip is two.

A leader's position in one instrument is kept as two legs, long and short. A venue in one-way mode
has one net position: its fills are mapped to the legs here.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from copyplugin.domain.fill import LeaderFill, OrderSide, PositionSide
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Price, product, total


class Effect(StrEnum):
    OPEN = "open"  # from nothing
    ADD = "add"
    REDUCE = "reduce"
    CLOSE = "close"  # to nothing

    @property
    def increases(self) -> bool:
        return self in {Effect.OPEN, Effect.ADD}


@dataclass(frozen=True, kw_only=True, slots=True)
class Legs:
    """The contracts a leader holds in one instrument, by side."""

    long: Contracts = NO_CONTRACTS
    short: Contracts = NO_CONTRACTS

    def of(self, side: PositionSide) -> Contracts:
        return self.long if side is PositionSide.LONG else self.short

    def with_leg(self, side: PositionSide, contracts: Contracts) -> "Legs":
        assert contracts >= 0
        if side is PositionSide.LONG:
            return replace(self, long=contracts)
        return replace(self, short=contracts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One leg, before and after.

    `contracts` is how many the fills moved it by, `price_sum` is Σ contracts × price over them: the
    average price is derived.
    """

    position_side: PositionSide
    effect: Effect
    contracts_before: Contracts
    contracts_after: Contracts
    contracts: Contracts
    price_sum: Decimal

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.contracts_before >= 0
        assert self.contracts_after >= 0
        assert self.price_sum > 0


def transitions(before: Legs, fill: LeaderFill) -> tuple[Transition, ...]:
    """Return what the fill did to the legs, the closing part first; two parts are a flip.

    Where fills before ours are unknown, a close may be larger than the leg we know. It takes the
    leg to zero and the rest of it, which nobody copied, is no transition.
    """
    side = fill.position_side
    if side is None:
        return _one_way(before, fill)
    if fill.side is side.opening_side:
        return _parts(before, side, fill.price, opened=fill.contracts)
    return _parts(before, side, fill.price, closed=fill.contracts)


def legs_after(before: Legs, moved: tuple[Transition, ...]) -> Legs:
    """Return the legs after these transitions."""
    legs = before
    for transition in moved:
        assert legs.of(transition.position_side) == transition.contracts_before
        legs = legs.with_leg(transition.position_side, transition.contracts_after)
    return legs


def grown(earlier: Transition, later: Transition) -> Transition:
    """Return both as one: what one leader order did so far to one leg in one direction.

    Other orders may have moved the leg in between; `contracts` counts this order's own.
    """
    assert earlier.position_side is later.position_side
    assert earlier.effect.increases == later.effect.increases
    return Transition(
        position_side=earlier.position_side,
        effect=earlier.effect if earlier.effect.increases else later.effect,
        contracts_before=earlier.contracts_before,
        contracts_after=later.contracts_after,
        contracts=Contracts(earlier.contracts + later.contracts),
        price_sum=total(earlier.price_sum, later.price_sum),
    )


def _one_way(before: Legs, fill: LeaderFill) -> tuple[Transition, ...]:
    opening = PositionSide.LONG if fill.side is OrderSide.BUY else PositionSide.SHORT
    closed = fill.contracts_closed
    if closed is None:
        closed = min(fill.contracts, before.of(opening.opposite))
    opened = fill.contracts - closed
    return (
        *_parts(before, opening.opposite, fill.price, closed=closed),
        *_parts(before, opening, fill.price, opened=opened),
    )


def _parts(
    before: Legs, side: PositionSide, price: Price, *, opened: int = 0, closed: int = 0
) -> tuple[Transition, ...]:
    held = before.of(side)
    taken = min(closed, held)
    moved = opened + taken
    if moved == 0:
        return ()
    after = held + opened - taken
    if opened:
        effect = Effect.ADD if held else Effect.OPEN
    else:
        effect = Effect.REDUCE if after else Effect.CLOSE
    return (
        Transition(
            position_side=side,
            effect=effect,
            contracts_before=held,
            contracts_after=Contracts(after),
            contracts=Contracts(moved),
            price_sum=product(moved, price),
        ),
    )
