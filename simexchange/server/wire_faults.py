"""Faults of the wire: what goes wrong between a client and the exchange, from a seed.

Chance is a hash over (seed, rule, occasion): the same requests under the same plan meet the same
faults. A rule counts the occasions on which it applies; streams count their messages.
"""

from enum import StrEnum
from hashlib import blake2b

import msgspec

from simexchange.core.types import RATE_SCALE


class WireFault(StrEnum):
    LATENCY = "latency"  # the answer comes later
    LOST_REQUEST = "lost_request"  # the connection ends, and nothing was done
    LATE_REQUEST = "late_request"  # the connection ends, and it is done later all the same
    LOST_ANSWER = "lost_answer"  # it was done, and the connection ends
    SERVER_ERROR = "server_error"  # HTTP 502, and nothing was done
    RATE_LIMIT = "rate_limit"  # refused as one request too many
    MAINTENANCE = "maintenance"  # the venue is closed
    CLOCK_SKEW = "clock_skew"  # the edge's clock is wrong
    STREAM_DROP = "stream_drop"  # a message is lost
    STREAM_DUPLICATE = "stream_duplicate"  # a message comes twice
    STREAM_DELAY = "stream_delay"  # a message comes later
    STREAM_REORDER = "stream_reorder"  # a message comes after the next one
    STREAM_SILENCE = "stream_silence"  # the socket stays open and nothing comes any more
    STREAM_CLOSE = "stream_close"  # the connection ends


REQUEST_FAULTS = (
    WireFault.MAINTENANCE,
    WireFault.RATE_LIMIT,
    WireFault.SERVER_ERROR,
    WireFault.LOST_REQUEST,
    WireFault.LATE_REQUEST,
    WireFault.LOST_ANSWER,
)
_DELAYING = (WireFault.LATENCY, WireFault.LATE_REQUEST, WireFault.STREAM_DELAY)


class WireRule(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One kind of fault. ``chance`` is in rate units (10⁻⁸) for each occasion.

    ``accounts`` None: all, and requests without a key; ``paths``: beginnings of paths, or of
    topics; ``at_most`` bounds how often it strikes. Delays are drawn evenly between
    ``delay_us_min`` and ``delay_us_max``; ``skew_us`` is added to the edge's clock.
    """

    fault: WireFault
    chance: int = RATE_SCALE
    at_most: int | None = None
    accounts: tuple[int, ...] | None = None
    paths: tuple[str, ...] | None = None
    delay_us_min: int = 0
    delay_us_max: int = 0
    skew_us: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= RATE_SCALE:
            raise ValueError("the chance of a fault is between 0 and 100000000 (100 %)")
        if not 0 <= self.delay_us_min <= self.delay_us_max:
            raise ValueError("0 ≤ delay_us_min ≤ delay_us_max does not hold")
        if self.fault in _DELAYING and self.delay_us_max < 1:
            raise ValueError(f"{self.fault} needs delay_us_max of at least one microsecond")


class WirePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules in force, and the seed of their chance; None: the server's."""

    seed: str | None = None
    rules: tuple[WireRule, ...] = ()


class Strike(msgspec.Struct, frozen=True):
    """A fault that strikes now, and by how much it delays."""

    fault: WireFault
    delay_us: int = 0


def late_by_us(strikes: list[Strike]) -> int | None:
    """Return how much later a request is to be carried out; None if none of them says so."""
    return next((s.delay_us for s in strikes if s.fault is WireFault.LATE_REQUEST), None)


class WireFaults:
    """Draws which faults strike."""

    def __init__(self, seed: str) -> None:
        self._server_seed = seed
        self.plan = WirePlan()
        self.struck: list[int] = []
        """How often each rule struck."""
        self._occasions: list[int] = []
        self.is_on = False
        self.skew_us = 0

    def set_plan(self, plan: WirePlan) -> None:
        self.plan = plan
        self.struck = [0] * len(plan.rules)
        self._occasions = [0] * len(plan.rules)
        self.is_on = bool(plan.rules)
        self.skew_us = sum(r.skew_us for r in plan.rules if r.fault is WireFault.CLOCK_SKEW)

    def on_request(self, path: str, account: int | None) -> list[Strike]:
        """Return what strikes a request."""
        return self._draw_all((*REQUEST_FAULTS, WireFault.LATENCY), path, account)

    def on_message(self, topic: str, account: int | None) -> list[Strike]:
        """Return what strikes one message of a stream."""
        return self._draw_all(_STREAM_FAULTS, topic, account)

    def _draw_all(
        self, faults: tuple[WireFault, ...], path: str, account: int | None
    ) -> list[Strike]:
        if not self.is_on:
            return []
        strikes: list[Strike] = []
        for number, rule in enumerate(self.plan.rules):
            if rule.fault in faults and _applies(rule, path, account):
                self._occasions[number] += 1
                if self._strikes(number, rule):
                    span = rule.delay_us_max - rule.delay_us_min + 1
                    delay = rule.delay_us_min + self._draw(number, "delay", span)
                    strikes.append(Strike(rule.fault, delay))
        return strikes

    def _strikes(self, number: int, rule: WireRule) -> bool:
        if rule.at_most is not None and self.struck[number] >= rule.at_most:
            return False
        if self._draw(number, "chance", RATE_SCALE) >= rule.chance:
            return False
        self.struck[number] += 1
        return True

    def _draw(self, number: int, purpose: str, below: int) -> int:
        seed = self.plan.seed if self.plan.seed is not None else self._server_seed
        key = f"{seed}/{number}/{purpose}/{self._occasions[number]}"
        return int.from_bytes(blake2b(key.encode(), digest_size=16).digest()) % below


_STREAM_FAULTS = tuple(fault for fault in WireFault if fault.value.startswith("stream_"))


def _applies(rule: WireRule, path: str, account: int | None) -> bool:
    if rule.accounts is not None and account not in rule.accounts:
        return False
    return rule.paths is None or any(path.startswith(start) for start in rule.paths)
