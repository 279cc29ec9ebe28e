"""A leader: what he is, on which terms he is followed, and which terms are refused."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Money, Ratio, is_storable
from copyplugin.errors import Refused

SHARE_MIN = Ratio(Decimal("0.01"))
SHARE_MAX = Ratio(Decimal("0.99"))
SHARE_SUGGESTED = Ratio(Decimal("0.10"))
COPY_AMOUNT_MIN_DEFAULT = Money(Decimal(10))
COPY_AMOUNT_MAX_DEFAULT = Money(Decimal(1000))
SIGNATURE_LENGTH_MAX = 30


class LeaderKind(StrEnum):
    TRADER = "trader"
    STRATEGY = "strategy"  # a program or signal source that owns the account (K10)


class LeaderStatus(StrEnum):
    ACTIVE = "active"
    PROHIBITED = "prohibited"


class ShareBasis(StrEnum):
    """What the leader's share is taken of (M3)."""

    PER_POSITION = "per_position"
    HIGH_WATER_MARK = "high_water_mark"


class TradeState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class ShareState(StrEnum):
    """Where the leader share of a copied position stands."""

    NONE = "none"  # still open, or closed without profit
    DUE = "due"  # closed, and not booked yet
    PASSED = "passed"  # of a follow handed over: shared then, its result is not booked yet
    SETTLED = "settled"


NOT_BOOKED = frozenset({ShareState.DUE, ShareState.PASSED})
"""Of a closed position: its result is not in the ledger yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderTerms:
    """What the operator sets for a leader (K1)."""

    nickname: str
    symbols: frozenset[Symbol]
    share_ratio: Ratio = SHARE_SUGGESTED
    min_copy_amount: Money = COPY_AMOUNT_MIN_DEFAULT
    max_copy_amount: Money = COPY_AMOUNT_MAX_DEFAULT
    total_copy_amount: Money | None = None  # None: no limit
    max_followers: int | None = None
    blacklist: frozenset[AccountId] = frozenset()
    signature: str = ""
    kind: LeaderKind = LeaderKind.TRADER
    share_basis: ShareBasis = ShareBasis.PER_POSITION
    sharer_ratio: Ratio = Ratio(Decimal(0))  # noqa: RUF009 - a NewType, and immutable


def check_terms(terms: LeaderTerms, tradable: Collection[Symbol]) -> None:
    """Raise `Refused` with a sentence that says which of the terms to change."""
    fault = _fault_of_share(terms) or _fault_of_amounts(terms) or _fault_of_rest(terms, tradable)
    if fault is not None:
        raise Refused(fault)


def accounts_from(text: str) -> frozenset[AccountId]:
    """Read a blacklist as the operator types it: UIDs separated by commas."""
    return frozenset(AccountId(part.strip()) for part in text.split(",") if part.strip())


def _fault_of_share(terms: LeaderTerms) -> str | None:
    if not SHARE_MIN <= terms.share_ratio <= SHARE_MAX:
        return "The profit share must be between 1 % and 99 %."
    if not 0 <= terms.sharer_ratio <= 1:
        return "The sharer's part must be between 0 % and 100 % of the leader's share."
    return None


def _fault_of_amounts(terms: LeaderTerms) -> str | None:
    amounts = [terms.min_copy_amount, terms.max_copy_amount]
    if terms.total_copy_amount is not None:
        amounts.append(terms.total_copy_amount)
    if any(amount <= 0 or not is_storable(amount) for amount in amounts):
        return "Copy amounts must be more than 0 and have at most 8 decimals."
    if terms.min_copy_amount > terms.max_copy_amount:
        return "The smallest copy amount must not be more than the largest."
    if terms.total_copy_amount is not None and terms.total_copy_amount < terms.min_copy_amount:
        return "The total copy amount must allow at least one follower's smallest amount."
    if terms.max_followers is not None and terms.max_followers < 1:
        return "The maximum number of followers must be at least 1."
    return None


def _fault_of_rest(terms: LeaderTerms, tradable: Collection[Symbol]) -> str | None:
    if not terms.nickname.strip():
        return "The leader needs a nickname."
    if len(terms.signature) > SIGNATURE_LENGTH_MAX:
        return f"The signature may have at most {SIGNATURE_LENGTH_MAX} characters."
    if not terms.symbols:
        return "Choose at least one instrument."
    unknown = sorted(terms.symbols - set(tradable))
    if unknown:
        return f"The venue does not trade {', '.join(unknown)} now: choose other instruments."
    return None
