"""Synthetic index prices: seeded, correlated random walks with regimes, trends and jumps.

Same seed, same prices, on every machine: chance is a hash (`chance`) and arithmetic is whole
numbers throughout. The walk multiplies by (1 + return) instead of taking exponentials, so there
is no floating point whose last bit could differ.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import isqrt

import msgspec

from simexchange.core.types import RATE_SCALE, SECOND_US
from simexchange.market.chance import NORMAL_SCALE, PERCENT, Chance

# Prices carry this many units a tick inside, so that a calm second's return is not rounded away.
SUBTICKS = 10**6
PER_MILLION = 10**6


class Regime(StrEnum):
    CALM = "calm"
    VOLATILE = "volatile"
    TRENDING = "trending"  # in one direction until the regime ends


class RegimeShape(msgspec.Struct, frozen=True):
    """How the market behaves in one regime, against the instrument's base volatility.

    `volatility_percent` scales the base volatility. `drift_percent` is the trend of one second in
    percent of the base volatility of one second. `mean_seconds` is how long it lasts on average.
    """

    volatility_percent: int
    drift_percent: int
    mean_seconds: int


REGIMES = {
    Regime.CALM: RegimeShape(volatility_percent=60, drift_percent=0, mean_seconds=180),
    Regime.VOLATILE: RegimeShape(volatility_percent=220, drift_percent=0, mean_seconds=45),
    Regime.TRENDING: RegimeShape(volatility_percent=90, drift_percent=25, mean_seconds=90),
}


class IndexShape(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's walk.

    `start`: first price in ticks. `volatility`: standard deviation of one second's return in rate
    units (10⁻⁸): 10,000 is 1 basis point, about 56 % a year. `common_percent`: how much of the
    common factor's return it takes; its own noise comes on top, so the correlation of two alike
    instruments is c² / (c² + 1) with c = common_percent / 100.
    `jumps_per_million`: chance of a jump in one second, in millionths; `jump`: its largest size, in
    rate units. `pull_per_million`: how much of the distance to `start` one second takes back, in
    millionths; it keeps a run of days in sight of where it began.
    """

    symbol: str
    start: int
    volatility: int = 10_000
    common_percent: int = 100
    jumps_per_million: int = 500
    jump: int = 600_000
    pull_per_million: int = 30


class _Walk:
    """The regime and the returns of one stream of chance."""

    def __init__(self, seed: int, name: str) -> None:
        self.chance = Chance(seed, name)
        self.regime = Regime.CALM
        self.direction = 1

    def change_regime(self, step: int, step_us: int) -> None:
        lasting_us = REGIMES[self.regime].mean_seconds * SECOND_US
        if self.chance.below(lasting_us, "regime", step) >= step_us:
            return
        others = [regime for regime in Regime if regime is not self.regime]
        self.regime = others[self.chance.below(len(others), "which", step)]
        self.direction = 1 if self.chance.happens(50, "direction", step) else -1

    def noise(self, step: int, step_us: int) -> int:
        """Return this step's return for a base volatility of 1, in units of 2⁻¹⁶ · 10⁻⁵.

        The standard deviation grows with the root of time, the drift with time.
        """
        shape = REGIMES[self.regime]
        root = isqrt(step_us * 10**6 // SECOND_US)  # 10³ √seconds
        diffusion = self.chance.normal(step) * shape.volatility_percent * root
        drift = self.direction * shape.drift_percent * NORMAL_SCALE * step_us * 1000 // SECOND_US
        return diffusion + drift


NOISE_SCALE = NORMAL_SCALE * PERCENT * 1000


class SyntheticIndex:
    """Index prices of several instruments, one step after another.

    The state is the step number and one number an instrument: `advance_to(step)` from the start
    gives the same prices as the run that got there before.
    """

    def __init__(
        self,
        shapes: tuple[IndexShape, ...],
        *,
        seed: int,
        step_us: int = SECOND_US // 2,
        prices: Mapping[str, int] | None = None,
    ) -> None:
        """Begin at each shape's start, or where ``prices`` (in ticks) says."""
        assert shapes, "a market needs an instrument"
        assert step_us > 0
        self.shapes = shapes
        self.step_us = step_us
        self.step_number = 0
        self._factor = _Walk(seed, "common factor")
        self._walks = {shape.symbol: _Walk(seed, shape.symbol) for shape in shapes}
        begun = prices or {}
        self._subticks = {
            shape.symbol: begun.get(shape.symbol, shape.start) * SUBTICKS for shape in shapes
        }

    @property
    def prices(self) -> dict[str, int]:
        """The index of each instrument in ticks, at least 1, in the order of the shapes."""
        return {
            symbol: max(1, (subticks + SUBTICKS // 2) // SUBTICKS)
            for symbol, subticks in self._subticks.items()
        }

    def regime(self, symbol: str) -> Regime:
        return self._walks[symbol].regime

    def step(self) -> dict[str, int]:
        """Move every index by one step of time and return the prices in ticks."""
        self.step_number += 1
        self._factor.change_regime(self.step_number, self.step_us)
        common = self._factor.noise(self.step_number, self.step_us)
        for shape in self.shapes:
            self._move(shape, common)
        return self.prices

    def advance_to(self, step: int) -> dict[str, int]:
        """Run up to `step`, which must not lie behind, and return the prices there."""
        assert step >= self.step_number, "a walk does not go back; begin a new one"
        while self.step_number < step:
            self.step()
        return self.prices

    def _move(self, shape: IndexShape, common: int) -> None:
        walk = self._walks[shape.symbol]
        walk.change_regime(self.step_number, self.step_us)
        noise = walk.noise(self.step_number, self.step_us) + common * shape.common_percent // 100
        change = shape.volatility * noise // NOISE_SCALE + self._jump(shape, walk)
        old = self._subticks[shape.symbol]
        anchor = shape.start * SUBTICKS
        pull = (anchor - old) * shape.pull_per_million * self.step_us // (PER_MILLION * SECOND_US)
        moved = old + old * change // RATE_SCALE + pull
        self._subticks[shape.symbol] = max(moved, SUBTICKS)

    def _jump(self, shape: IndexShape, walk: _Walk) -> int:
        chance = shape.jumps_per_million * self.step_us
        if walk.chance.below(PER_MILLION * SECOND_US, "jump", self.step_number) >= chance:
            return 0
        return walk.chance.between(-shape.jump, shape.jump, "size", self.step_number)
