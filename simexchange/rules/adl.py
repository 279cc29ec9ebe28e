# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""Auto-deleveraging: who is closed against a bankrupt position, how much, and at which price.

Scores are compared inside one instrument and one side only. A higher score is closed first; equal
scores are ordered by account, so that the queue is the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    decimal_from,
    exact,
    not_negative,
    positive,
)
from simexchange.rules.position import ContractType, Position
from simexchange.rules.ruleset import AdlLights, AdlPrice, AdlRanking, RuleSet, UnknownRule
from simexchange.rules.rulesets import BITMEX, OURS
from simexchange.rules.side import PositionSide

LIGHTS = 5


def adl_rank(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    mark_price: Number,
    bankruptcy_price: Number | None = None,
    wallet_balance: Number | None = None,
    maintenance_margin: Number | None = None,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the ranking score of a position under a rule set; the highest is closed first.

    - profit and leverage (BitMEX and most): needs `bankruptcy_price`; `profit_and_leverage_score`.
    - profit and margin ratio (Binance): needs `wallet_balance` (its collateral) and
      `maintenance_margin`; `leverage_pnl`.
    - price and leverage (Hyperliquid): needs `wallet_balance`; `price_and_leverage_score`.
    - unranked (dYdX): every score is 0; the order is `adl_rotation`.
    Without unit; prices in quote currency, amounts in settle currency.
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    match rules.adl_ranking:
        case None:
            raise UnknownRule(rules, "how positions are ranked for auto-deleveraging")
        case AdlRanking.UNRANKED:
            return Decimal(0)
        case AdlRanking.PROFIT_AND_LEVERAGE:
            return profit_and_leverage_score(
                position, mark_price, _given(bankruptcy_price, "bankruptcy price")
            )
        case AdlRanking.PROFIT_AND_MARGIN_RATIO:
            return leverage_pnl(
                unrealized_pnl=decimal_from(position.unrealized_pnl(mark_price)),
                wallet_balance=_given(wallet_balance, "wallet balance"),
                maintenance_margin=_given(maintenance_margin, "maintenance margin"),
            )
        case AdlRanking.PRICE_AND_LEVERAGE:
            wallet = exact(_given(wallet_balance, "wallet balance"), "wallet balance")
            account_value = wallet + position.unrealized_pnl(mark_price)
            return price_and_leverage_score(position, mark_price, account_value)


def profit_and_leverage_score(
    position: Position, mark_price: Number, bankruptcy_price: Number
) -> Decimal:
    """Return profit ratio × effective leverage, or ÷ it for a loss.

    Profit ratio: profit ÷ entry value. Effective leverage: mark value ÷ (mark value - bankrupt
    value), all values signed. ValueError when the position is at or past its bankruptcy price.
    Source: BitMEX, "Auto-Deleveraging"; OKX, MEXC and others restate it.
    """
    pnl = position.unrealized_pnl(mark_price)
    mark_value = position.value_at(mark_price)
    left = position.value_sign * (mark_value - position.value_at(bankruptcy_price))
    if left <= 0:
        raise ValueError("a position at or past its bankruptcy price is not ranked")
    ratio, leverage = pnl / position.entry_value, mark_value / left
    return decimal_from(ratio * leverage if ratio > 0 else ratio / leverage)


def leverage_pnl(
    *, unrealized_pnl: Number, wallet_balance: Number, maintenance_margin: Number
) -> Decimal:
    """Return Binance's LeveragePnL: profit percent × margin ratio.

    max(0, UPNL) ÷ max(1, WB), times MM ÷ (WB + UPNL), or times 0 where that sum is not above 0.
    Amounts in settle currency. Source: Binance, "What Is Auto-Deleveraging (ADL)".
    """
    pnl = exact(unrealized_pnl, "unrealized pnl")
    wallet = exact(wallet_balance, "wallet balance")
    required = not_negative(maintenance_margin, "maintenance margin")
    balance = wallet + pnl
    if balance <= 0:
        return Decimal(0)
    return decimal_from(max(Fraction(0), pnl) / max(Fraction(1), wallet) * required / balance)


def price_and_leverage_score(
    position: Position, mark_price: Number, account_value: Number
) -> Decimal:
    """Return mark ÷ entry (a short: entry ÷ mark) × mark notional ÷ account value.

    The page prints the long's form; the short's is its mirror image, so that profit ranks first on
    both sides. Source: Hyperliquid docs, "Auto-deleveraging".
    """
    mark = positive(mark_price, "mark price")
    long = position.side is PositionSide.LONG
    moved = mark / position.entry_price if long else position.entry_price / mark
    return decimal_from(
        moved * position.value_at(mark_price) / positive(account_value, "account value")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdlEntry:
    """A position in the queue of its side: who, how much (unsigned, above 0), and its score."""

    account: str
    quantity: Number
    score: Number


def adl_queue(entries: Sequence[AdlEntry]) -> tuple[AdlEntry, ...]:
    """Return the entries in the order they are closed: score falling, then account rising."""
    if len({entry.account for entry in entries}) != len(entries):
        raise ValueError("an account may stand in the queue of one side only once")
    return tuple(sorted(entries, key=lambda entry: (-exact(entry.score, "score"), entry.account)))


def adl_rotation(entries: Sequence[AdlEntry], *, start: int) -> tuple[AdlEntry, ...]:
    """Return the entries by account, rotated to begin at `start` modulo their number.

    The order of a venue without ranking; `start` comes from its pseudo-random source. Source: dYdX
    v4, deleveraging.
    """
    ordered = sorted(entries, key=lambda entry: entry.account)
    first = start % len(ordered) if ordered else 0
    return tuple(ordered[first:] + ordered[:first])


def adl_percentiles(entries: Sequence[AdlEntry], rules: RuleSet = BITMEX) -> dict[str, int]:
    """Return for each account the fifth of the queue that it stands in: 20, 40, 60, 80 or 100.

    By cumulative quantity, not by number of accounts; 20 is closed first.

    - `AdlLights.UP_TO_AND_WITH`: ceil(5 × quantity up to and with the entry ÷ total) × 20.
    - `AdlLights.AHEAD_OF` (ours): (floor(5 × quantity ahead of the entry ÷ total) + 1) × 20, so
      that who would be closed first is always told so, however large he is.
    Source: BitMEX, "Auto-Deleveraging Examples".
    """
    if rules.adl_lights is None:
        raise UnknownRule(rules, "which contracts count for the lights")
    total = sum((positive(entry.quantity, "quantity") for entry in entries), Fraction(0))
    percentiles: dict[str, int] = {}
    reached = Fraction(0)
    for entry in adl_queue(entries):
        ahead, reached = reached, reached + exact(entry.quantity)
        fifth = int(-(-LIGHTS * reached // total))
        if rules.adl_lights is AdlLights.AHEAD_OF:
            fifth = int(LIGHTS * ahead // total) + 1
        percentiles[entry.account] = fifth * (100 // LIGHTS)
    return percentiles


def adl_lights(percentile: int) -> int:
    """Return how many of the five lights a percentile of `adl_percentiles` shows: 20 → 5."""
    if percentile not in range(20, 101, 20):
        raise ValueError(f"a percentile is 20, 40, 60, 80 or 100, not {percentile}")
    return LIGHTS + 1 - percentile // (100 // LIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdlAllocation:
    """What each account closes, in queue order without zeros, and what nobody was left to take."""

    closed: dict[str, Decimal]
    unallocated: Decimal


def adl_allocation(queue: Sequence[AdlEntry], *, quantity: Number) -> AdlAllocation:
    """Return how a bankrupt quantity is closed against the queue, from its top. Exact.

    `queue` in closing order: `adl_queue` or `adl_rotation`. No account closes more than it holds.
    Source: BitMEX, "Auto-Deleveraging Examples".
    """
    left = not_negative(quantity, "quantity")
    closed: dict[str, Decimal] = {}
    for entry in queue:
        part = min(left, positive(entry.quantity, "quantity"))
        if part == 0:
            break
        closed[entry.account] = decimal_from(part)
        left -= part
    return AdlAllocation(closed=closed, unallocated=decimal_from(left))


def adl_price(
    *,
    bankruptcy_price: Number,
    mark_price: Number,
    previous_mark_price: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the price at which the bankrupt position and its counterparty are closed.

    The bankruptcy price of the bankrupt position, or the mark, or the mark before, as the rule set
    says; in quote currency, exact.
    """
    match rules.adl_price:
        case None:
            raise UnknownRule(rules, "the price of auto-deleveraging")
        case AdlPrice.BANKRUPTCY:
            return decimal_from(exact(bankruptcy_price, "bankruptcy price"))
        case AdlPrice.MARK:
            return decimal_from(positive(mark_price, "mark price"))
        case AdlPrice.PREVIOUS_MARK:
            previous = _given(previous_mark_price, "previous mark price")
            return decimal_from(positive(previous, "previous mark price"))


def can_absorb(*, side: PositionSide | str, bankruptcy_price: Number, price: Number) -> bool:
    """Return whether a counterparty can close at a price without going bankrupt by it.

    `side` and `bankruptcy_price` are the counterparty's: a long needs a price at or above its own
    bankruptcy price, a short one at or below. Source: dYdX v4, deleveraging (overlap of prices).
    """
    own, at = exact(bankruptcy_price, "bankruptcy price"), exact(price, "price")
    return at >= own if PositionSide(side) is PositionSide.LONG else at <= own


def _given(value: Number | None, what: str) -> Number:
    if value is None:
        raise ValueError(f"this ranking needs the {what}")
    return value
