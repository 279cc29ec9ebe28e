"""Self-trade prevention: what happens when an order would meet another of the same owner.

One quantity equation holds for every order at every moment: original = executed + prevented +
remaining. The taker's mode decides; only TRANSFER must be asked for by both orders, or it is
DECREMENT. Source: Binance, self-trade prevention FAQ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from simexchange.rules.exact import Number, decimal_from, positive
from simexchange.rules.ruleset import RuleSet, SelfTradePrevention
from simexchange.rules.rulesets import BINANCE
from simexchange.rules.side import OrderSide


class OrderStatus(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    EXPIRED = "EXPIRED"  # what was left of an order that may not rest
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"  # emptied by self-trade prevention


@dataclass(frozen=True, slots=True, kw_only=True)
class StpOrder:
    """An order; `price` None is a market order. Owner: the account, or its trade group if any.

    `mode` None: the rule set's default. `rests` False: IOC or market, what is left expires.
    """

    order_id: str
    side: OrderSide | str
    quantity: Number
    price: Number | None = None
    mode: SelfTradePrevention | str | None = None
    account: str = ""
    trade_group: str | None = None
    rests: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StpResult:
    """What became of one order; original = executed + prevented + remaining, exactly."""

    status: OrderStatus
    executed: Decimal
    prevented: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A trade, or under TRANSFER a prevented one whose quantity still changes accounts."""

    maker_id: str
    taker_id: str
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StpOutcome:
    """Every order's result by its id, the trades, and the transfers between accounts of a group."""

    orders: dict[str, StpResult]
    trades: tuple[Match, ...]
    transfers: tuple[Match, ...]


@dataclass(slots=True)
class _Working:
    order: StpOrder
    remaining: Fraction
    executed: Fraction = Fraction(0)
    prevented: Fraction = Fraction(0)
    emptied_by_prevention: bool = False

    def execute(self, quantity: Fraction) -> None:
        self.executed += quantity
        self.remaining -= quantity
        self.emptied_by_prevention = False

    def prevent(self, quantity: Fraction) -> None:
        self.prevented += quantity
        self.remaining -= quantity
        self.emptied_by_prevention = True

    def result(self, *, is_taker: bool) -> StpResult:
        return StpResult(
            status=self._status(is_taker=is_taker),
            executed=decimal_from(self.executed),
            prevented=decimal_from(self.prevented),
            remaining=decimal_from(self.remaining),
        )

    def _status(self, *, is_taker: bool) -> OrderStatus:
        if self.remaining == 0:
            prevented = self.emptied_by_prevention
            return OrderStatus.EXPIRED_IN_MATCH if prevented else OrderStatus.FILLED
        if is_taker and (self.order.price is None or not self.order.rests):
            return OrderStatus.EXPIRED
        return OrderStatus.PARTIALLY_FILLED if self.executed else OrderStatus.NEW


@dataclass(slots=True)
class _Matching:
    taker: _Working
    trades: list[Match] = field(default_factory=list["Match"])
    transfers: list[Match] = field(default_factory=list["Match"])

    def meet(self, maker: _Working, mode: SelfTradePrevention) -> None:
        """Trade with one maker, or prevent the trade as the effective mode says."""
        quantity = min(self.taker.remaining, maker.remaining)
        match mode:
            case SelfTradePrevention.NONE:
                maker.execute(quantity)
                self.taker.execute(quantity)
                self.trades.append(self._match(maker, quantity))
            case SelfTradePrevention.EXPIRE_TAKER:
                self.taker.prevent(self.taker.remaining)
            case SelfTradePrevention.EXPIRE_MAKER:
                maker.prevent(maker.remaining)
            case SelfTradePrevention.EXPIRE_BOTH:
                maker.prevent(maker.remaining)
                self.taker.prevent(self.taker.remaining)
            case SelfTradePrevention.DECREMENT | SelfTradePrevention.TRANSFER:
                maker.prevent(quantity)
                self.taker.prevent(quantity)
                if mode is SelfTradePrevention.TRANSFER:
                    self.transfers.append(self._match(maker, quantity))

    def _match(self, maker: _Working, quantity: Fraction) -> Match:
        assert maker.order.price is not None
        return Match(
            maker_id=maker.order.order_id,
            taker_id=self.taker.order.order_id,
            price=decimal_from(positive(maker.order.price, "price of a maker")),
            quantity=decimal_from(quantity),
        )


def match_with_prevention(
    *, makers: Sequence[StpOrder], taker: StpOrder, rules: RuleSet = BINANCE
) -> StpOutcome:
    """Return what a taker does to the resting orders, in price-time order, and they to it.

    `makers`: resting limit orders in order of arrival, with ids of their own; those on the taker's
    side or beyond its price are not touched. Quantities and prices exact, no rounding.
    """
    working = [_Working(maker, positive(maker.quantity, "quantity")) for maker in makers]
    matching = _Matching(_Working(taker, positive(taker.quantity, "quantity")))
    _check_ids([*makers, taker])
    for maker in _reachable(working, taker):
        if matching.taker.remaining == 0:
            break
        matching.meet(maker, effective_mode(maker.order, taker, rules))
    orders = {maker.order.order_id: maker.result(is_taker=False) for maker in working}
    orders[taker.order_id] = matching.taker.result(is_taker=True)
    return StpOutcome(
        orders=orders, trades=tuple(matching.trades), transfers=tuple(matching.transfers)
    )


def effective_mode(
    maker: StpOrder, taker: StpOrder, rules: RuleSet = BINANCE
) -> SelfTradePrevention:
    """Return the mode in which the two orders meet; NONE for strangers, who simply trade."""
    same_account = maker.account == taker.account
    same_group = taker.trade_group is not None and maker.trade_group == taker.trade_group
    if not (same_account or same_group):
        return SelfTradePrevention.NONE
    mode = _mode_of(taker, rules)
    if mode is not SelfTradePrevention.TRANSFER:
        return mode
    # Inside one account there is nothing to transfer.
    both = _mode_of(maker, rules) is SelfTradePrevention.TRANSFER and not same_account
    return SelfTradePrevention.TRANSFER if both else SelfTradePrevention.DECREMENT


def _mode_of(order: StpOrder, rules: RuleSet) -> SelfTradePrevention:
    if order.mode is not None:
        return SelfTradePrevention(order.mode)
    return rules.self_trade_prevention or SelfTradePrevention.NONE


def _reachable(makers: Sequence[_Working], taker: StpOrder) -> Iterator[_Working]:
    """Yield the makers that the taker's price reaches, best price first, then oldest."""
    side = OrderSide(taker.side)
    limit = None if taker.price is None else positive(taker.price, "price of the taker")

    def price_of(maker: _Working) -> Fraction:
        if maker.order.price is None:
            raise ValueError("a resting order needs a price")
        return positive(maker.order.price, "price of a maker")

    opposite = [maker for maker in makers if OrderSide(maker.order.side) is not side]
    for maker in sorted(opposite, key=lambda maker: side.sign * price_of(maker)):
        if limit is not None and side.sign * (price_of(maker) - limit) > 0:
            return
        yield maker


def _check_ids(orders: Sequence[StpOrder]) -> None:
    if len({order.order_id for order in orders}) != len(orders):
        raise ValueError("every order needs an id of its own")
