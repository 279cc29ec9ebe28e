"""The rule sets: ours first, then the venues and simulators whose pages could be read.

Where a venue changed its rules, each era is a value of its own. `docs/RULES.md` names the pages.
"""

from dataclasses import replace
from decimal import Decimal

from simexchange.rules.ruleset import (
    AdlLights,
    AdlPrice,
    AdlRanking,
    FundingScaling,
    InitialMarginModel,
    LiquidationFeeBasis,
    LiquidationOrder,
    LiquidationStep,
    MarginBasis,
    OrderFees,
    PremiumWeights,
    RuleSet,
    SelfTradePrevention,
    Surplus,
)

# The simulated exchange: maintenance margin and closing fee both on the notional at the price
# itself, so that the reported price is the one at which the account is really liquidated.
OURS = RuleSet(
    name="OURS",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
    liquidation_step=LiquidationStep.NEXT_TIER,
    liquidation_order=LiquidationOrder.IOC,
    surplus=Surplus.USER_AFTER_FEE,
    adl_ranking=AdlRanking.PROFIT_AND_LEVERAGE,
    adl_lights=AdlLights.AHEAD_OF,
    adl_price=AdlPrice.BANKRUPTCY,
    funding_interval_hours=8,
    interest_rate=Decimal("0.0001"),
    funding_clamp=Decimal("0.0005"),
    funding_grace_seconds=0,
    premium_sample_seconds=5,
    premium_weights=PremiumWeights.EQUAL,
    mark_window_seconds=30,
    mark_sample_seconds=1,
    index_outlier_ratio=Decimal("0.05"),
    self_trade_prevention=SelfTradePrevention.NONE,
    order_fees=OrderFees.OPENING,
)

BINANCE = RuleSet(
    name="BINANCE",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
    liquidation_step=LiquidationStep.UNTIL_COMPLIANT,
    liquidation_order=LiquidationOrder.IOC,
    surplus=Surplus.FUND,
    adl_ranking=AdlRanking.PROFIT_AND_MARGIN_RATIO,
    adl_lights=AdlLights.UP_TO_AND_WITH,
    adl_price=AdlPrice.BANKRUPTCY,
    funding_interval_hours=8,
    interest_rate=Decimal("0.0001"),
    funding_clamp=Decimal("0.0005"),
    funding_cap_multiple=Decimal(1),  # of the maintenance margin rate
    funding_grace_seconds=15,
    premium_sample_seconds=5,
    premium_weights=PremiumWeights.RISING,
    mark_window_seconds=30,
    mark_sample_seconds=1,
    index_outlier_ratio=Decimal("0.05"),
    self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER,
    market_order_buffer=Decimal("0.0015"),
    order_fees=OrderFees.NONE,
)
# Until 2025-09-18 the mark window was 30 minutes first, then 2.5 minutes at 5 s, and a shorter
# interval had a smaller interest rate only.
BINANCE_MARK_30_MINUTES = replace(
    BINANCE,
    name="BINANCE_MARK_30_MINUTES",
    mark_window_seconds=1800,
    mark_sample_seconds=5,
    funding_scaling=FundingScaling.INTEREST,
)
BINANCE_MARK_150_SECONDS = replace(
    BINANCE_MARK_30_MINUTES, name="BINANCE_MARK_150_SECONDS", mark_window_seconds=150
)

BYBIT = RuleSet(
    name="BYBIT",
    margin_basis=MarginBasis.ENTRY,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
    liquidation_step=LiquidationStep.LOWER_TIER,
    liquidation_order=LiquidationOrder.FOK,
    surplus=Surplus.FUND,
    adl_ranking=AdlRanking.PROFIT_AND_LEVERAGE,
    adl_lights=AdlLights.UP_TO_AND_WITH,
    adl_price=AdlPrice.BANKRUPTCY,
    adl_drawdown=Decimal("-0.3"),
    adl_drawdown_stop=Decimal("-0.25"),
    funding_interval_hours=8,
    interest_rate=Decimal("0.0001"),
    funding_clamp=Decimal("0.0005"),
    funding_scaling=FundingScaling.INTEREST,
    premium_sample_seconds=60,
    premium_weights=PremiumWeights.RISING,
    mark_window_seconds=300,
    mark_sample_seconds=1,
    self_trade_prevention=None,
    order_fees=OrderFees.OPENING_AND_CLOSING,
)
# Inverse contracts before the unified account: the closing fee at the bankruptcy price counts too.
BYBIT_INVERSE = replace(
    BYBIT, name="BYBIT_INVERSE", liquidation_fee_basis=LiquidationFeeBasis.BANKRUPTCY
)

OKX = RuleSet(
    name="OKX",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
    liquidation_step=LiquidationStep.TWO_TIERS,
    surplus=Surplus.FUND,
    adl_ranking=AdlRanking.PROFIT_AND_LEVERAGE,
    adl_lights=AdlLights.UP_TO_AND_WITH,
    adl_price=AdlPrice.MARK,
    adl_drawdown=Decimal("-0.3"),
)

GATE = RuleSet(
    name="GATE",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
)

BITGET = RuleSet(
    name="BITGET",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
)

KUCOIN = RuleSet(
    name="KUCOIN",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
    surplus=Surplus.FUND,
)
# Until 2025-05-22.
KUCOIN_2024 = replace(
    KUCOIN,
    name="KUCOIN_2024",
    margin_basis=MarginBasis.ENTRY,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
)

PHEMEX = RuleSet(
    name="PHEMEX",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.CLOSING,
    margin_holds_closing_fee=True,
)

HYPERLIQUID = RuleSet(
    name="HYPERLIQUID",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
    liquidation_step=LiquidationStep.TWENTY_PERCENT,
    adl_ranking=AdlRanking.PRICE_AND_LEVERAGE,
    adl_price=AdlPrice.PREVIOUS_MARK,
)

BITMEX = RuleSet(
    name="BITMEX",
    adl_ranking=AdlRanking.PROFIT_AND_LEVERAGE,
    adl_lights=AdlLights.UP_TO_AND_WITH,
    adl_price=AdlPrice.BANKRUPTCY,
)

DYDX = RuleSet(
    name="DYDX",
    margin_basis=MarginBasis.MARK,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
    initial_margin_model=InitialMarginModel.RATE,
    liquidation_order=LiquidationOrder.FILLABLE_PRICE,
    surplus=Surplus.USER_AFTER_FEE,
    adl_ranking=AdlRanking.UNRANKED,
    adl_price=AdlPrice.BANKRUPTCY,
    funding_interval_hours=1,
    premium_sample_seconds=60,
    premium_weights=PremiumWeights.EQUAL,
    funding_cap_multiple=Decimal(6),  # of initial - maintenance margin rate
)

DRIFT = RuleSet(
    name="DRIFT",
    margin_basis=MarginBasis.MARK,
    initial_margin_model=InitialMarginModel.RATE,
    liquidation_step=LiquidationStep.RESTORE_MARGIN,
)

# The seed's printed display: both requirements counted on the entry notional (its model A).
CHAINUP = RuleSet(
    name="CHAINUP",
    margin_basis=MarginBasis.ENTRY,
    liquidation_fee_basis=LiquidationFeeBasis.ENTRY,
)

# Simulators, for comparison with their figures.
JESSE = RuleSet(
    name="JESSE",
    margin_basis=MarginBasis.ENTRY,
    liquidation_fee_basis=LiquidationFeeBasis.NONE,
    liquidation_step=LiquidationStep.WHOLE,
)
NAUTILUS = RuleSet(
    name="NAUTILUS",
    margin_basis=MarginBasis.ENTRY,
    maintenance_over_leverage=True,
    initial_margin_model=InitialMarginModel.RATE_OVER_LEVERAGE,
    liquidation_step=LiquidationStep.WHOLE,
    liquidation_order=LiquidationOrder.IOC,
)
NAUTILUS_STANDARD = replace(
    NAUTILUS,
    name="NAUTILUS_STANDARD",
    maintenance_over_leverage=False,
    initial_margin_model=InitialMarginModel.RATE,
)
FREQTRADE_BINANCE = replace(
    BINANCE, name="FREQTRADE_BINANCE", liquidation_price_buffer=Decimal("0.05")
)

RULE_SETS: dict[str, RuleSet] = {
    rules.name: rules
    for rules in (
        OURS,
        BINANCE,
        BINANCE_MARK_30_MINUTES,
        BINANCE_MARK_150_SECONDS,
        BYBIT,
        BYBIT_INVERSE,
        OKX,
        GATE,
        BITGET,
        KUCOIN,
        KUCOIN_2024,
        PHEMEX,
        HYPERLIQUID,
        BITMEX,
        DYDX,
        DRIFT,
        CHAINUP,
        JESSE,
        NAUTILUS,
        NAUTILUS_STANDARD,
        FREQTRADE_BINANCE,
    )
}
