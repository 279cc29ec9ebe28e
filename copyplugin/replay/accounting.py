"""Where a follower's opens and closes differ from the leader's proportion, part by part.

All in fractions: the parts sum to the whole exactly, or the replay says that they do not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyMode, CopyRule
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.open_size import ASKS_FOR_BALANCE, Circumstances, exact_contracts
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.store.copy_trail import TrailStep
from copyplugin.store.leader_moves import leader_move

ROUNDING = "rounding down to whole contracts"
FEES = "money kept for fees"
PRICE = "price within the same levels"
ROUNDING_UP = "rounding up to whole contracts"
SMALL_REST = "what would have stayed below the venue's minimum"
CARRIED = "carried to the next open"
FORGOTTEN = "left over when the position was closed or its rule changed"
RAISED = "raised to the venue's minimum"
CAPPED = "cut down to a cap, or to what the venue takes in one order"
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
    rule_of: Callable[[Symbol], CopyRule],
    steps: Iterable[TrailStep],
    instruments: Mapping[Symbol, Instrument],
    *,
    was_liquidated: bool,
) -> Accounts:
    """Account for every step of a follow, each by the rule of its instrument."""
    accounts = Accounts()
    for step in steps:
        instrument = instruments[step.signal.symbol]
        if step.signal.increases:
            _account_open(accounts.opens, rule_of(step.signal.symbol), step, instrument)
        else:
            size = Fraction(instrument.contract_size)
            _account_close(accounts.closes, step, size, was_liquidated=was_liquidated)
    return accounts


def exact_open(rule: CopyRule, step: TrailStep, instrument: Instrument) -> Fraction | None:
    """Return how many contracts exact proportion opens; None where it is not known."""
    signal, decided = step.signal, step.decision
    around = Circumstances(
        available=decided.available_frozen,
        equity=decided.equity_frozen,
        leader_equity=signal.leader_equity,
    )
    if rule.mode in ASKS_FOR_BALANCE and around.available is None:
        return None
    opening = leader_move(signal).opening.at_leverage(rule.leverage_for(signal.leverage))
    exact = exact_contracts(rule, opening, around, instrument)
    return None if isinstance(exact, Skip) else exact


def parts_of_open(
    rule: CopyRule, step: TrailStep, exact: Fraction
) -> Iterator[tuple[str, Fraction]]:
    """Yield by cause the contracts that were opened less than `exact`; all of them together."""
    residue, forgotten = step.decision.residue, step.decision.forgotten
    if residue is None and forgotten is None:
        whole = Fraction(exact // 1)
        yield ROUNDING, exact - whole
    else:
        carried, lost = residue or Fraction(0), forgotten or Fraction(0)
        whole = exact - carried - lost
        yield CARRIED, carried
        yield FORGOTTEN, lost
    missing = whole - step.filled
    reason = step.decision.skip_reason
    if reason is not None:
        yield skipped_words(reason), missing
    elif missing < 0:
        yield RAISED, missing
    else:
        yield FEES if rule.mode is CopyMode.PROPORTIONAL else CAPPED, missing


def _account_open(
    account: Account, rule: CopyRule, step: TrailStep, instrument: Instrument
) -> None:
    exact = exact_open(rule, step, instrument) or Fraction(0)
    size = Fraction(instrument.contract_size)
    worth = Fraction(step.signal.price_sum) / step.signal.contracts * size  # of one contract
    account.exact += exact * worth
    account.traded += Fraction(step.filled_value)
    for part, contracts in parts_of_open(rule, step, exact):
        account.add(part, contracts * worth)
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
        account.add(skipped_words(step.decision.skip_reason), missing * worth)
    elif was_liquidated:
        account.add(LIQUIDATED, missing * worth)
    account.add(PRICE, step.filled * worth - Fraction(step.filled_value))


def skipped_words(reason: SkipReason) -> str:
    """Return how a report calls what was skipped for that reason."""
    return f"skipped: {reason.value.replace('_', ' ')}"
