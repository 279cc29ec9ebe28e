"""The checks a new order must pass, each with the sentence it is refused with."""

from simexchange.core.accounts import Account, position_mode
from simexchange.core.book import Level
from simexchange.core.commands import PlaceOrder
from simexchange.core.margin import available_balance, order_cost, tier_of
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.state import Refusal
from simexchange.core.types import RATE_SCALE, OrderKind, RejectReason, TimeInForce

RESTING = (TimeInForce.GTC, TimeInForce.POST_ONLY)


def unknown(number: int, symbol: str, account: Account | None) -> Refusal:
    if account is None:
        return Refusal(RejectReason.UNKNOWN_ACCOUNT, f"there is no account {number}")
    return Refusal(RejectReason.UNKNOWN_INSTRUMENT, f"there is no instrument {symbol!r}")


def size_problem(kind: OrderKind, contracts: int, market: Market) -> Refusal | None:
    instrument = market.instrument
    most = instrument.max_contracts
    if kind is OrderKind.MARKET:
        most = min(most, instrument.max_market_contracts)
    if contracts < 1:
        return Refusal(
            RejectReason.INVALID_CONTRACTS,
            f"an order needs at least 1 contract, not {contracts}",
        )
    if contracts < instrument.min_contracts:
        return Refusal(
            RejectReason.BELOW_MINIMUM,
            f"{contracts} contracts are below the minimum of {instrument.min_contracts}",
        )
    if contracts > most:
        return Refusal(
            RejectReason.ABOVE_MAXIMUM,
            f"{contracts} contracts are above the maximum of {most} for a {kind} order",
        )
    if contracts % instrument.contracts_step:
        return Refusal(
            RejectReason.INVALID_CONTRACTS,
            f"{contracts} contracts are not a multiple of the step {instrument.contracts_step}",
        )
    return None


def client_id_problem(
    client_order_id: str, account: Account, plan_id: int | None
) -> Refusal | None:
    """Check that the id is new; the order of a fired plan takes over the plan's own id."""
    known = account.client_ids.get(client_order_id)
    if known is None or (plan_id is not None and known.plan_id == plan_id):
        return None
    return Refusal(
        RejectReason.DUPLICATE_CLIENT_ORDER_ID,
        f"client order id {client_order_id!r} was used before by this account",
    )


def side_problem(account: Account) -> Refusal:
    wanted = "NET" if account.is_one_way else "LONG or SHORT"
    return Refusal(
        RejectReason.POSITION_SIDE_MISMATCH,
        f"account {account.number} is in {position_mode(account)} mode; position_side must be "
        f"{wanted}",
    )


def order_rules_problem(command: PlaceOrder, account: Account, market: Market) -> Refusal | None:
    """Check the optional filters: step, market size, open orders, price band, notional."""
    instrument = market.instrument
    if problem := size_problem(command.kind, command.contracts, market):
        return problem
    if len(account.open_orders) >= instrument.max_open_orders and not command.close_on_trigger:
        return Refusal(
            RejectReason.TOO_MANY_ORDERS,
            f"account {account.number} has {len(account.open_orders)} open orders, the most "
            "allowed",
        )
    price = command.price
    if price is not None and (problem := band_problem(price, market)):
        return problem
    return notional_problem(command, command.contracts, price, market)


def notional_problem(
    command: PlaceOrder, contracts: int, price: int | None, market: Market
) -> Refusal | None:
    """Check the worth of an order for ``contracts``; one that only closes may be of any worth.

    ``price`` None: a market order, which is worth what it is at the mark price.
    """
    reference = market.mark if price is None else price
    closes = command.position_side * command.side < 0  # of a leg in hedge mode
    if reference is None or closes or command.reduce_only or command.close_on_trigger:
        return None
    notional, least = reference * contracts * market.tick_value, market.instrument.min_notional
    if notional >= least:
        return None
    return Refusal(
        RejectReason.BELOW_MINIMUM_NOTIONAL,
        f"the order is worth {notional}, below the minimum of {least}",
    )


def band_problem(price: int, market: Market) -> Refusal | None:
    """Check a limit price against the band around the mark price."""
    band, mark = market.instrument.price_band, market.mark
    if band is None or mark is None:
        return None
    lowest = -(-mark * (RATE_SCALE - band) // RATE_SCALE)
    highest = mark * (RATE_SCALE + band) // RATE_SCALE
    if lowest <= price <= highest:
        return None
    return Refusal(
        RejectReason.PRICE_OUTSIDE_BAND,
        f"price {price} is outside {lowest} to {highest} around the mark price {mark}",
    )


def tier_problem(position: Position, sign: int, notional: int) -> Refusal | None:
    """Check that the leverage is allowed for the position with all its opening orders."""
    exposure = notional
    if position.cost * sign > 0:
        exposure += abs(position.cost)
    for order in position.account.open_orders.values():
        if order.position is position and order.sign == sign and order.price is not None:
            opening = order.remaining - order.promised
            if not order.closing:
                exposure += opening * order.price * order.market.tick_value
    tier = tier_of(position.market.tiers, exposure)
    if position.leverage <= tier.max_leverage:
        return None
    return Refusal(
        RejectReason.EXCEEDS_TIER,
        f"position and orders would be worth {exposure}, where leverage is at most "
        f"{tier.max_leverage}; it is {position.leverage}",
    )


def hold_problem(
    position: Position, sign: int, contracts: int, price: int, worst: int
) -> Refusal | None:
    """Check the tier and the money of opening ``contracts`` at up to ``price``."""
    account, leverage = position.account, position.leverage
    notional = contracts * price * position.market.tick_value
    cap = position.tier_cap
    # Orders hold at least their value / leverage: without this much there is no need to look.
    if cap is not None and (
        notional + abs(position.cost) + account.hold * leverage >= cap
        and (refusal := tier_problem(position, sign, notional))
    ):
        return refusal
    cost = order_cost(
        sign, contracts, notional, worst, position.market, leverage, position.hold_fee.rate
    )
    available = available_balance(account)
    if cost <= available:
        return None
    return Refusal(
        RejectReason.INSUFFICIENT_MARGIN,
        f"opening {contracts} contracts at up to {price} with leverage {leverage} needs {cost} "
        f"(initial margin, loss against the mark price, fee); available are {available}",
    )


def slippage_key(market: Market, sign: int) -> int | None:
    """Return the book key beyond which a market order must not trade; None: no bound."""
    slippage, mark = market.instrument.market_slippage, market.mark
    if slippage is None or mark is None:
        return None
    if sign > 0:
        return mark * (RATE_SCALE + slippage) // RATE_SCALE
    return mark * (RATE_SCALE - slippage) // -RATE_SCALE


def would_cross(price: int | None, best: Level | None) -> Refusal:
    assert best is not None
    return Refusal(
        RejectReason.POST_ONLY_WOULD_CROSS,
        f"a post-only order at {price} would trade at once at {best.price}",
    )


def may_rest(kind: OrderKind, time_in_force: TimeInForce) -> bool:
    return kind is OrderKind.LIMIT and time_in_force in RESTING


def expiry_problem(command: PlaceOrder, now: int) -> Refusal | None:
    """Check an order that says when it ends."""
    expires_at = command.expires_at
    if not may_rest(command.kind, command.time_in_force):
        return Refusal(RejectReason.INVALID_REQUEST, "only a limit order that may rest can expire")
    if expires_at is not None and expires_at <= now:
        message = f"an order that is to end at {expires_at} came at {now}"
        return Refusal(RejectReason.INVALID_REQUEST, message)
    return None


def price_problem(command: PlaceOrder) -> Refusal:
    if command.kind is OrderKind.LIMIT:
        return Refusal(
            RejectReason.INVALID_PRICE,
            f"a limit order needs a price of at least 1 tick, not {command.price}",
        )
    return Refusal(RejectReason.INVALID_PRICE, "a market order takes no price")


def nothing_to_reduce(position: Position, sign: int) -> Refusal:
    verb = "buy" if sign > 0 else "sell"
    return Refusal(
        RejectReason.REDUCE_ONLY_REJECTED,
        f"there is nothing to close: the position holds {position.contracts} contracts and the "
        f"order would {verb}",
    )
