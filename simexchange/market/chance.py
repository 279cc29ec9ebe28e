"""Chance as a function: a draw depends on its seed, its stream, its purpose and its step alone.

A draw is a BLAKE2b hash, so no draw depends on how many came before it, on the order of a
dictionary or on the version of a library; whole numbers only, so no bit differs between machines.
"""

from hashlib import blake2b
from struct import unpack

# Twelve draws of 16 bits added up: variance (2¹⁶)², so the sum is normal in units of 2⁻¹⁶.
NORMAL_DRAWS = 12
NORMAL_SCALE = 2**16
NORMAL_MEAN = NORMAL_DRAWS * (NORMAL_SCALE - 1) // 2
PERCENT = 100


class Chance:
    """One stream of draws, named so that two users of one seed never share a draw."""

    def __init__(self, seed: int, name: str) -> None:
        self._prefix = f"{seed}/{name}"

    def _draw(self, purpose: str, step: int, size: int) -> bytes:
        return blake2b(f"{self._prefix}/{purpose}/{step}".encode(), digest_size=size).digest()

    def below(self, bound: int, purpose: str, step: int) -> int:
        """Return a whole number in [0, bound); its bias is at most bound / 2⁶⁴."""
        return int.from_bytes(self._draw(purpose, step, 8)) % bound

    def between(self, low: int, high: int, purpose: str, step: int) -> int:
        """Return a whole number in [low, high]."""
        return low + self.below(high - low + 1, purpose, step)

    def happens(self, percent: int, purpose: str, step: int) -> bool:
        return self.below(PERCENT, purpose, step) < percent

    def normal(self, step: int) -> int:
        """Return a standard normal draw in units of 2⁻¹⁶, within ± 6 standard deviations."""
        drawn = self._draw("normal", step, 2 * NORMAL_DRAWS)
        return sum(unpack(f"<{NORMAL_DRAWS}H", drawn)) - NORMAL_MEAN
