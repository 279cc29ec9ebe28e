"""The drain test: when all is cancelled and closed, nothing may be held back anywhere."""

from simexchange.campaign.instruments import STRICT_STEP
from simexchange.campaign.stream import Stream
from simexchange.core.accounts import INSURANCE_FUND
from simexchange.core.commands import (
    AdvanceTime,
    CancelAll,
    CancelPlanOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetMark,
)
from simexchange.core.types import OrderKind, PositionSide, Side, TimeInForce, Wallet
from simexchange.core.views import PositionView

PASSES = 8  # an armed fault may refuse an order or two, a funding may liquidate meanwhile
_DEEP = 10**17
_AT_LEAST = 1_000  # contracts of an offer, so that no minimum notional stands in its way


def drain(stream: Stream) -> None:
    """Cancel everything, close every position at its mark price, and check what is left.

    A trader with deep pockets takes the other side, the insurance fund's too. AssertionError with
    the figures when a hold, a margin, an entry cost or a contract remains.
    """
    stream.may_go_back = False  # what is asked for here must happen
    cancel_everything(stream)
    deep_pockets = max(stream.exchange.accounts) + 1
    stream.apply(OpenAccount())
    stream.apply(Deposit(deep_pockets, Wallet.CONTRACT, _DEEP))
    for symbol, price in stream.prices.items():
        for _ in range(PASSES):
            stream.apply(SetMark(symbol, price))
            for position in _open_positions(stream, symbol, deep_pockets):
                _close(stream, deep_pockets, position, price)
            if stream.exchange.open_interest(symbol) == 0:
                break
        left = stream.exchange.open_interest(symbol)
        assert left == 0, f"{symbol}: {left} contracts are still open after {PASSES} passes"
    check_drained(stream)


def cancel_everything(stream: Stream) -> None:
    exchange = stream.exchange
    for number in exchange.accounts:
        if number == INSURANCE_FUND:
            continue
        while exchange.open_orders(number) or exchange.open_plans(number):
            stream.apply(CancelAll(number))
            for plan in exchange.open_plans(number):
                stream.apply(CancelPlanOrder(number, plan.symbol, plan.plan_id))


def check_drained(stream: Stream) -> None:
    """Check that nothing but balances is left: AssertionError names the account otherwise."""
    exchange = stream.exchange
    for number in exchange.accounts:
        account = exchange.account(number)
        name = f"account {number}"
        assert exchange.positions(number) == [], f"{name}: {exchange.positions(number)}"
        assert account.order_hold == 0, f"{name}: {account.order_hold} on hold for no order"
        equity, balance = exchange.equity(number), account.contract_balance
        assert equity == balance, f"{name}: equity {equity}, wallet {balance}, no position"
        assert exchange.available_balance(number) == max(0, balance), name
        for symbol in stream.prices:
            for side in PositionSide:
                position = exchange.position(number, symbol, side)
                left = position.entry_cost, position.margin
                assert left == (0, 0), f"{name} {symbol}: flat with cost and margin {left}"
    exchange.check()


def _open_positions(stream: Stream, symbol: str, apart_from: int) -> list[PositionView]:
    return [
        position
        for number in stream.exchange.accounts
        if number != apart_from
        for position in stream.exchange.positions(number)
        if position.symbol == symbol
    ]


def _close(stream: Stream, deep_pockets: int, position: PositionView, price: int) -> None:
    """Offer to take the position and let its owner sell; the fund sells when time passes."""
    short = position.position_side is PositionSide.SHORT or position.contracts < 0
    side = Side.BUY if short else Side.SELL
    # a deleveraged or liquidated position need not be a whole number of steps
    contracts = -(-abs(position.contracts) // STRICT_STEP) * STRICT_STEP
    most = stream.exchange.instrument(position.symbol).max_contracts // STRICT_STEP * STRICT_STEP
    contracts = min(contracts, most)  # what is more than one order may, the next pass closes
    stream.apply(
        PlaceOrder(
            deep_pockets,
            position.symbol,
            Side(-side),
            max(contracts, _AT_LEAST),
            OrderKind.LIMIT,
            price,
        )
    )
    if position.account == INSURANCE_FUND:
        stream.apply(AdvanceTime())
    else:
        stream.apply(
            PlaceOrder(
                position.account,
                position.symbol,
                side,
                contracts,
                OrderKind.LIMIT,
                price,
                TimeInForce.IOC,
                reduce_only=True,
                position_side=position.position_side,
            )
        )
    stream.apply(CancelAll(deep_pockets))
