"""What may not be ordered may not be amended into either; what cannot be computed is not listed."""

from decimal import Decimal

from simexchange.core.commands import (
    AmendOrder,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetMark,
)
from simexchange.core.events import CommandRejected, OrderAccepted, OrderAmended, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import MONEY_SCALE, OrderKind, RejectReason, Side, Wallet

SYMBOL = "BTCUSDT"
TIERS = (
    MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125),
    MarginTier(
        floor=1_000 * MONEY_SCALE,
        maintenance_rate=2_000_000,
        max_leverage=20,
        deduction=16 * MONEY_SCALE,
    ),
)


def instrument(**changes: object) -> Instrument:
    settings = {
        "symbol": SYMBOL,
        "base": "BTC",
        "tick_size": Decimal(1),
        "contract_size": Decimal("0.1"),
        "tiers": TIERS,
    }
    return Instrument(**(settings | changes))


def test_an_order_is_not_amended_beyond_what_its_leverage_allows() -> None:
    exchange = Exchange()
    for command in (
        ListInstrument(instrument()),
        OpenAccount(),
        Deposit(1, Wallet.CONTRACT, 10**6 * MONEY_SCALE),
        SetMark(SYMBOL, 100),
        SetLeverage(1, SYMBOL, 100),
    ):
        exchange.apply(command, 0)
    placed = PlaceOrder(1, SYMBOL, Side.BUY, 200, OrderKind.LIMIT, 100)
    (refused,) = exchange.apply(placed, 0)
    assert isinstance(refused, OrderRejected)
    assert refused.reason is RejectReason.EXCEEDS_TIER
    (accepted,) = exchange.apply(PlaceOrder(1, SYMBOL, Side.BUY, 90, OrderKind.LIMIT, 100), 0)
    assert isinstance(accepted, OrderAccepted)

    (beyond,) = exchange.apply(AmendOrder(1, SYMBOL, accepted.order_id, contracts=200), 0)
    (within,) = exchange.apply(AmendOrder(1, SYMBOL, accepted.order_id, contracts=99), 0)

    assert isinstance(beyond, CommandRejected)
    assert beyond.reason is RejectReason.EXCEEDS_TIER
    assert isinstance(within, OrderAmended)
    exchange.check()


def test_an_impact_notional_below_one_tick_of_one_contract_is_not_listed() -> None:
    tick_value = instrument().tick_value

    too_small = instrument(funding=FundingRules(impact_notional=tick_value - 1))

    assert "impact notional" in (too_small.problem() or "")
    assert instrument(funding=FundingRules(impact_notional=tick_value)).problem() is None
