"""Where the funding of one instrument stands."""

from simexchange.core.instrument import FundingRules


class FundingClock:
    """Times of the next boundary and sample, the premium so far, and what holds the rate."""

    __slots__ = (
        "interval_us",
        "last_rate",
        "manual_rate",
        "next_at",
        "next_interval_us",
        "next_sample_at",
        "premium_samples",
        "premium_sum",
        "skips",
    )

    def __init__(self, rules: FundingRules, at: int) -> None:
        self.interval_us = rules.interval_us
        self.next_interval_us = rules.interval_us
        self.next_at = at - at % rules.interval_us + rules.interval_us
        self.next_sample_at = at - at % rules.sample_us + rules.sample_us
        self.premium_sum = 0
        self.premium_samples = 0
        self.last_rate = 0
        self.manual_rate: int | None = None
        self.skips = 0
