"""Where a follower's opens and closes differ from the leader's proportion, part by part.

All in fractions: the parts sum to the whole exactly, or the replay says that they do not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from copyplugin.domain.sizing import CopyMode
from copyplugin.domain.skip import SkipReason
from copyplugin.store.copy_trail import TrailStep

ROUNDING = "rounding down to whole contracts"
FEES = "money kept for fees"
PRICE = "price within the same levels"
ROUNDING_UP = "rounding up to whole contracts"
SMALL_REST = "what would have stayed below the venue's minimum"
LIQUIDATED = "closed by liquidation before"


@dataclass(slots=True)
class Account:
    """What exact proportion would have traded, what was traded, and why they differ. USDT.

    Values are at the leader's average price of each order; `PRICE` is what the follower's own
    prices made of the difference, so that `traded` is what he really paid or got.
    """

    exact: Fraction = Fraction(0)
    traded: Fraction = Fraction(0)
    parts: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    steps: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def unexplained(self) -> Fraction:
        return self.exact - self.traded - sum(self.parts.values(), Fraction(0))

    def add(self, part: str, value: Fraction) -> None:
        if value:
            self.parts[part] = self.parts.get(part, Fraction(0)) + value
            self.steps[part] = self.steps.get(part, 0) + 1


@dataclass(slots=True)
class Accounts:
    """Opens and closes apart: what was not opened need not be closed."""

    opens: Account = field(default_factory=Account)
    closes: Account = field(default_factory=Account)

    @property
    def is_explained(self) -> bool:
        return self.opens.unexplained == 0 and self.closes.unexplained == 0


def account_for(
    mode: CopyMode,
    steps: Iterable[TrailStep],
    sizes: Mapping[str, Fraction],
    *,
    was_liquidated: bool,
) -> Accounts:
    """Account for every step of a follow; `sizes` are the instruments' contract sizes."""
    accounts = Accounts()
    for step in steps:
        size = sizes[step.signal.symbol]
        if step.signal.increases:
            _account_open(accounts.opens, mode, step, size)
        else:
            _account_close(accounts.closes, step, size, was_liquidated=was_liquidated)
    return accounts


def exact_open(mode: CopyMode, step: TrailStep, size: Fraction) -> Fraction | None:
    """Return how many contracts exact proportion opens; None where the leader's is unknown."""
    signal = step.signal
    if mode is CopyMode.FIXED:
        return Fraction(signal.contracts)
    balance, margin = signal.leader_balance_before, signal.initial_margin
    available = step.decision.available_frozen
    if balance is None or margin is None or available is None or balance <= 0:
        return None
    part = min(Fraction(margin) / Fraction(balance), Fraction(1))
    price = Fraction(signal.price_sum) / signal.contracts
    return Fraction(available) * Fraction(signal.leverage) * part / (price * size)


def _account_open(account: Account, mode: CopyMode, step: TrailStep, size: Fraction) -> None:
    exact = exact_open(mode, step, size)
    if exact is None:
        exact = Fraction(0)
    worth = Fraction(step.signal.price_sum) / step.signal.contracts * size  # of one contract
    whole = Fraction(exact // 1)
    account.exact += exact * worth
    account.traded += Fraction(step.filled_value)
    account.add(ROUNDING, (exact - whole) * worth)
    missing = whole - step.filled
    reason = step.decision.skip_reason
    if reason is not None:
        account.add(_words(reason), missing * worth)
    elif mode is CopyMode.PROPORTIONAL and missing > 0:
        account.add(FEES, missing * worth)
    account.add(PRICE, step.filled * worth - Fraction(step.filled_value))


def _account_close(
    account: Account, step: TrailStep, size: Fraction, *, was_liquidated: bool
) -> None:
    signal, held = step.signal, step.decision.target_before
    closed = signal.contracts_before - signal.contracts_after
    exact = Fraction(held * closed, signal.contracts_before)
    worth = Fraction(signal.price_sum) / signal.contracts * size
    account.exact += exact * worth
    account.traded += Fraction(step.filled_value)
    whole = -(-exact // 1)  # a close is rounded up: never more is kept than the proportion
    account.add(ROUNDING_UP, (exact - whole) * worth)
    missing = whole - step.filled
    if missing < 0:
        account.add(SMALL_REST, missing * worth)
    elif step.decision.skip_reason is not None:
        account.add(_words(step.decision.skip_reason), missing * worth)
    elif was_liquidated:
        account.add(LIQUIDATED, missing * worth)
    account.add(PRICE, step.filled * worth - Fraction(step.filled_value))


def _words(reason: SkipReason) -> str:
    return f"skipped: {reason.value.replace('_', ' ')}"
