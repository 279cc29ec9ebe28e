"""The instruments of the mixed streams: awkward on purpose, so that every rounding shows."""

from decimal import Decimal

from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import MONEY_SCALE

FUNDING_US = 150_000
STRICT = "XRPUSDT"
STRICT_STEP = 5
STALE_US = 30_000

TIERS = (
    MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125, deduction=0),
    MarginTier(
        floor=2_000 * MONEY_SCALE,
        maintenance_rate=1_000_000,
        max_leverage=50,
        deduction=12 * MONEY_SCALE,
    ),
    MarginTier(
        floor=20_000 * MONEY_SCALE,
        maintenance_rate=2_500_000,
        max_leverage=20,
        deduction=312 * MONEY_SCALE,
    ),
)


def make_instrument(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    """Return a perpetual of 0.001 base a contract and ticks of 0.1 USDT, with `changes`."""
    fields: dict[str, object] = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "tick_size": Decimal("0.1"),
        "contract_size": Decimal("0.001"),
    }
    return Instrument(**(fields | changes))  # pyright: ignore[reportArgumentType] - msgspec checks


def listed_instruments(*, has_funding: bool) -> tuple[Instrument, ...]:
    """Return what a stream lists: one with funding, one with tiers, one with every filter.

    Few contracts per unit of money and odd fee rates, so that every division leaves a rest.
    """
    funding = FundingRules(
        interval_us=FUNDING_US, sample_us=50_000, impact_notional=100 * MONEY_SCALE
    )
    return (
        make_instrument(
            maker_fee=-7_777,
            taker_fee=54_321,
            funding=funding if has_funding else None,
            liquidation_fee=99_999,
        ),
        make_instrument(
            "ETHUSDT",
            tiers=TIERS,
            contract_size=Decimal("0.0371"),
            index_stale_us=STALE_US,
            mark_protection=3_000_000,
        ),
        make_instrument(
            STRICT,
            tiers=TIERS,
            contract_size=Decimal("0.0123"),
            min_contracts=STRICT_STEP,
            contracts_step=STRICT_STEP,
            max_contracts=2_000,
            max_market_contracts=400,
            min_notional=60 * MONEY_SCALE,
            price_band=10_000_000,
            market_slippage=1_000_000,
            max_open_orders=12,
            max_open_plans=5,
            liquidation_fee=33_333,
        ),
    )
