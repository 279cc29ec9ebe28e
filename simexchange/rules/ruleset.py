"""What a rule set is: the choices in which perpetual venues differ, as one frozen value.

A rule set is passed to a rule; no rule asks for a venue by name. A choice that is None has not been
published by the venue as far as its pages could be read: a rule that needs it then refuses with a
sentence, and the caller passes the number instead.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class MarginBasis(StrEnum):
    """At which price maintenance margin is counted."""

    MARK = "mark"
    ENTRY = "entry"


class LiquidationFeeBasis(StrEnum):
    """Which notional the closing fee inside the liquidation price is taken on."""

    NONE = "none"  # the venue's price leaves the fee out
    ENTRY = "entry"  # on the entry notional: a constant
    CLOSING = "closing"  # on the notional at the liquidation price itself
    BANKRUPTCY = "bankruptcy"  # on the notional at the bankruptcy price: a constant


class InitialMarginModel(StrEnum):
    NOTIONAL_OVER_LEVERAGE = "notional / leverage"
    RATE = "notional * rate"
    RATE_OVER_LEVERAGE = "notional / leverage * rate"


class LiquidationStep(StrEnum):
    """How much of a position one step of its liquidation closes."""

    WHOLE = "whole"
    UNTIL_COMPLIANT = "until compliant"  # one large IOC, stopped as soon as margin suffices
    LOWER_TIER = "lower tier"  # down to the highest tier that the margin satisfies
    NEXT_TIER = "next tier"  # below the floor of its tier, then look again; all in the lowest
    TWO_TIERS = "two tiers"  # two tiers down, then look again
    TWENTY_PERCENT = "twenty percent"  # a fifth first, the rest after a pause
    RESTORE_MARGIN = "restore margin"  # the smallest size that restores the margin


class LiquidationOrder(StrEnum):
    IOC = "IOC"
    FOK = "FOK"
    FILLABLE_PRICE = "fillable price"  # a limit that worsens as the account nears bankruptcy


class Surplus(StrEnum):
    """Who keeps what is left when a liquidation closes better than the bankruptcy price."""

    FUND = "fund"
    USER_AFTER_FEE = "user after fee"


class AdlRanking(StrEnum):
    PROFIT_AND_LEVERAGE = "profit and leverage"  # BitMEX
    PROFIT_AND_MARGIN_RATIO = "profit and margin ratio"  # Binance
    PRICE_AND_LEVERAGE = "price and leverage"  # Hyperliquid
    UNRANKED = "unranked"  # dYdX: from a pseudo-random start


class AdlLights(StrEnum):
    """Which contracts of its side count for the lights of a position in the queue."""

    UP_TO_AND_WITH = "up to and with"  # BitMEX: a lone position shows one light
    AHEAD_OF = "ahead of"  # the first in the queue always shows five


class AdlPrice(StrEnum):
    BANKRUPTCY = "bankruptcy"
    MARK = "mark"
    PREVIOUS_MARK = "previous mark"


class PremiumWeights(StrEnum):
    """How the premium samples of an interval are averaged."""

    EQUAL = "equal"
    RISING = "rising"  # the n-th sample counts n times: the last ones count most


class FundingScaling(StrEnum):
    """What becomes smaller where the funding interval is shorter than 8 hours."""

    WHOLE_RATE = "whole rate"
    INTEREST = "interest"  # premium and clamp are those of any interval


class OrderFees(StrEnum):
    """Which fees an order holds money for while it rests."""

    NONE = "none"
    OPENING = "opening"
    OPENING_AND_CLOSING = "opening and closing"  # the close at the bankruptcy price


class SelfTradePrevention(StrEnum):
    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"
    TRANSFER = "TRANSFER"

    @classmethod
    def _missing_(cls, value: object) -> "SelfTradePrevention":
        known = ", ".join(mode.value for mode in cls)
        raise ValueError(f"self-trade prevention is one of {known}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The choices of one venue. Rates are ratios (0.0005 = 0.05 %), times are seconds or hours."""

    name: str

    # Margin and liquidation price
    margin_basis: MarginBasis | None = None
    maintenance_over_leverage: bool = False  # NautilusTrader's default model
    initial_margin_model: InitialMarginModel = InitialMarginModel.NOTIONAL_OVER_LEVERAGE
    liquidation_fee_basis: LiquidationFeeBasis | None = None
    # Margin given as leverage also holds the fee for closing at the bankruptcy price.
    margin_holds_closing_fee: bool = False
    liquidation_price_buffer: Decimal = Decimal(0)  # part of |entry - price| added toward entry

    # Liquidation procedure
    liquidation_step: LiquidationStep | None = None
    liquidation_order: LiquidationOrder | None = None
    surplus: Surplus | None = None
    maximum_liquidation_fee_rate: Decimal | None = None

    # Auto-deleveraging
    adl_ranking: AdlRanking | None = None
    adl_lights: AdlLights | None = None
    adl_price: AdlPrice | None = None
    adl_drawdown: Decimal | None = None  # 8-hour loss ÷ highest fund balance; negative
    adl_drawdown_stop: Decimal | None = None

    # Funding
    funding_interval_hours: int | None = None
    interest_rate: Decimal | None = None  # per 8 hours
    funding_clamp: Decimal | None = None  # on interest - premium, per 8 hours
    funding_scaling: FundingScaling = FundingScaling.WHOLE_RATE
    funding_cap_multiple: Decimal | None = None  # of what, says the rule that takes it
    funding_grace_seconds: int = 0
    premium_sample_seconds: int | None = None
    premium_weights: PremiumWeights | None = None

    # Mark and index price
    mark_window_seconds: int | None = None
    mark_sample_seconds: int | None = None
    index_outlier_ratio: Decimal | None = None

    # Orders
    self_trade_prevention: SelfTradePrevention | None = None
    market_order_buffer: Decimal | None = None  # a market short is charged at last × (1 + this)
    order_fees: OrderFees | None = None


class UnknownRule(ValueError):
    """The rule set does not say what the rule needs; pass the number instead."""

    def __init__(self, rules: RuleSet, what: str) -> None:
        super().__init__(f"rule set {rules.name} says nothing about {what}; pass it explicitly")
