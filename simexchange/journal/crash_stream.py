"""A stream of commands for killing an exchange in: command n is a function of (seed, n) alone."""

from collections.abc import Callable
from decimal import Decimal

from simexchange.core.commands import (
    AdjustMargin,
    AdvanceTime,
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetPositionMode,
    Transfer,
    Withdraw,
)
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    OrderKind,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    Wallet,
)
from simexchange.market.chance import Chance

SYMBOLS = ("AUSDT", "BUSDT")
ACCOUNTS = 12
HEDGED = (3, 4)
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
    listings = [
        ListInstrument(
            Instrument(
                symbol=symbol,
                base=symbol[0],
                tick_size=Decimal("0.01"),
                contract_size=Decimal("0.1"),
            )
        )
        for symbol in SYMBOLS
    ]
    accounts = [OpenAccount(), OpenAccount(owner=1)] + [OpenAccount()] * (ACCOUNTS - 2)
    money = [
        Deposit(account, Wallet.CONTRACT, 20_000 * MONEY_SCALE)
        for account in range(1, ACCOUNTS + 1)
    ]
    modes = [SetPositionMode(account, PositionMode.HEDGE) for account in HEDGED]
    marks = [SetIndex(symbol, MIDDLE) for symbol in SYMBOLS]
    return (*listings, *accounts, *money, *modes, *marks)


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


def _order(chance: Chance, number: int) -> Command:
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


# Shares in percent; the rest lets time pass.
_KINDS: tuple[tuple[int, Callable[[Chance, int], Command]], ...] = (
    (55, _order),
    (15, _cancel),
    (8, _amend),
    (6, _index),
    (3, _leverage),
    (3, _margin),
    (4, _move_money),
    (1, _cancel_all),
)
