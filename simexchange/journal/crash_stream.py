"""A stream of commands for killing an exchange in: command n is a function of (seed, n) alone."""

from collections.abc import Callable
from decimal import Decimal

from simexchange.core.commands import (
    AdjustMargin,
    AdvanceTime,
    AmendOrder,
    Batch,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Command,
    Deposit,
    ForceReject,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    SkipFunding,
    Transfer,
    Withdraw,
)
from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import (
    MONEY_SCALE,
    SECOND_US,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from simexchange.market.chance import Chance

SYMBOLS = ("AUSDT", "BUSDT")
ACCOUNTS = 12
HEDGED = (3, 4)
CROSS = (4, 5, 6, 7)
MIDDLE = 10_000
START_AT = 1_700_000_000_000_000
STEP_US = 250_000


def crash_command(seed: int, number: int) -> tuple[int, Command]:
    """Return the time and the command of place `number`, counted from 1."""
    opening = _opening()
    at = START_AT + number * STEP_US
    if number <= len(opening):
        return at, opening[number - 1]
    return at, _random(Chance(seed, "crash"), number)


def _opening() -> tuple[Command, ...]:
    everyone = range(1, ACCOUNTS + 1)
    return (
        *(ListInstrument(_instrument(symbol)) for symbol in SYMBOLS),
        OpenAccount(),
        OpenAccount(owner=1),
        *(OpenAccount() for _ in everyone[2:]),
        *(Deposit(account, Wallet.CONTRACT, 20_000 * MONEY_SCALE) for account in everyone),
        *(SetPositionMode(account, PositionMode.HEDGE) for account in HEDGED),
        *(
            SetMarginMode(account, symbol, MarginMode.CROSS)
            for account in CROSS
            for symbol in SYMBOLS
        ),
        *(SetIndex(symbol, MIDDLE) for symbol in SYMBOLS),
    )


def _instrument(symbol: str) -> Instrument:
    """Return an instrument with tiers and a funding interval short enough for a short run."""
    floor = 50_000 * MONEY_SCALE
    return Instrument(
        symbol=symbol,
        base=symbol[0],
        tick_size=Decimal("0.01"),
        contract_size=Decimal("0.1"),
        tiers=(
            MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125),
            MarginTier(
                floor=floor,
                maintenance_rate=1_000_000,
                max_leverage=50,
                deduction=floor * 600_000 // 10**8,
            ),
        ),
        funding=FundingRules(interval_us=60 * SECOND_US, sample_us=5 * SECOND_US),
    )


def _random(chance: Chance, number: int) -> Command:
    draw = chance.below(100, "kind", number)
    for share, make in _KINDS:
        if draw < share:
            return make(chance, number)
        draw -= share
    return AdvanceTime()


def _account(chance: Chance, number: int) -> int:
    return chance.between(1, ACCOUNTS, "account", number)


def _symbol(chance: Chance, number: int) -> str:
    return SYMBOLS[chance.below(len(SYMBOLS), "symbol", number)]


def _price(chance: Chance, number: int) -> int:
    return MIDDLE + chance.between(-120, 120, "price", number)


def _order(chance: Chance, number: int) -> PlaceOrder:
    account = _account(chance, number)
    kind = OrderKind.MARKET if chance.happens(25, "market", number) else OrderKind.LIMIT
    in_force = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.POST_ONLY)
    legs = (PositionSide.LONG, PositionSide.SHORT)
    is_limit = kind is OrderKind.LIMIT
    return PlaceOrder(
        account,
        _symbol(chance, number),
        Side.BUY if chance.happens(50, "side", number) else Side.SELL,
        chance.between(1, 400, "contracts", number),
        kind,
        _price(chance, number) if is_limit else None,
        in_force[chance.below(len(in_force), "force", number)] if is_limit else TimeInForce.GTC,
        reduce_only=account not in HEDGED and chance.happens(10, "reduce", number),
        position_side=legs[chance.below(2, "leg", number)]
        if account in HEDGED
        else PositionSide.NET,
        client_order_id=f"c{number}",
        self_trade_prevention=tuple(SelfTradePrevention)[chance.below(5, "stp", number)],
    )


def _earlier(chance: Chance, number: int) -> str:
    return f"c{max(1, number - chance.between(1, 60, 'earlier', number))}"


def _cancel(chance: Chance, number: int) -> Command:
    named = _earlier(chance, number)
    account, symbol = _of(chance, named)
    return CancelOrder(account, symbol, client_order_id=named)


def _amend(chance: Chance, number: int) -> Command:
    named = _earlier(chance, number)
    account, symbol = _of(chance, named)
    return AmendOrder(account, symbol, client_order_id=named, price=_price(chance, number))


def _of(chance: Chance, client_order_id: str) -> tuple[int, str]:
    """Return who placed the order of that id, and where, if it was an order at all."""
    placed = int(client_order_id[1:])
    return _account(chance, placed), _symbol(chance, placed)


def _index(chance: Chance, number: int) -> Command:
    return SetIndex(_symbol(chance, number), MIDDLE + chance.between(-900, 900, "index", number))


def _leverage(chance: Chance, number: int) -> Command:
    leverage = chance.between(1, 100, "leverage", number)
    return SetLeverage(_account(chance, number), _symbol(chance, number), leverage)


def _margin(chance: Chance, number: int) -> Command:
    account = _account(chance, number)
    leg = PositionSide.LONG if account in HEDGED else PositionSide.NET
    money = chance.between(-50, 100, "money", number) * MONEY_SCALE
    return AdjustMargin(account, _symbol(chance, number), leg, money)


def _move_money(chance: Chance, number: int) -> Command:
    money = chance.between(1, 500, "money", number) * MONEY_SCALE
    if chance.happens(50, "deposit", number):
        return Deposit(_account(chance, number), Wallet.CONTRACT, money)
    if chance.happens(50, "withdraw", number):
        return Withdraw(_account(chance, number), Wallet.CONTRACT, money)
    return Transfer(1, Wallet.CONTRACT, 2, Wallet.CONTRACT, money, f"t{number}")


def _cancel_all(chance: Chance, number: int) -> Command:
    return CancelAll(_account(chance, number))


def _batch(chance: Chance, number: int) -> Command:
    """Return a batch of orders, each drawn for a number of its own far ahead of the stream."""
    size = chance.between(2, 4, "batch", number)
    return Batch(tuple(_order(chance, number * 10 + 10**9 + place) for place in range(size)))


def _plan(chance: Chance, number: int) -> Command:
    order = _order(chance, number)
    prices = tuple(TriggerBy)
    is_closing = chance.happens(30, "close", number)
    return PlacePlanOrder(
        order.account,
        order.symbol,
        order.side,
        0 if is_closing else order.contracts,
        MIDDLE + chance.between(-400, 400, "trigger", number),
        prices[chance.below(len(prices), "by", number)],
        position_side=order.position_side,
        client_order_id=f"p{number}",
        close_position=is_closing,
        group=f"g{order.account}" if chance.happens(20, "group", number) else None,
    )


def _cancel_plan(chance: Chance, number: int) -> Command:
    placed = max(1, number - chance.between(1, 200, "earlier", number))
    account, symbol = _account(chance, placed), _symbol(chance, placed)
    return CancelPlanOrder(account, symbol, client_order_id=f"p{placed}")


def _operator(chance: Chance, number: int) -> Command:
    symbol, price = _symbol(chance, number), MIDDLE + chance.between(-300, 300, "source", number)
    commands = (
        SetIndexSources(symbol, (price, price + 3, price * 2)),
        SetFundingRate(symbol, chance.between(-300_000, 300_000, "rate", number)),
        SetFundingRate(symbol, None),
        SkipFunding(symbol),
        ForceReject(_account(chance, number), ("order", "plan", "fire")[number % 3], 1),
    )
    return commands[chance.below(len(commands), "operator", number)]


# Shares in percent; the rest lets time pass.
_KINDS: tuple[tuple[int, Callable[[Chance, int], Command]], ...] = (
    (47, _order),
    (12, _cancel),
    (6, _amend),
    (6, _index),
    (3, _leverage),
    (3, _margin),
    (4, _move_money),
    (1, _cancel_all),
    (4, _batch),
    (7, _plan),
    (2, _cancel_plan),
    (3, _operator),
)
