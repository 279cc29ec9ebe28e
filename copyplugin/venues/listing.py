"""A real venue's instruments on an exchange of our own: its rules, and prices worse by a slippage.

For the stages where followers trade beside a venue and not on it: what-ifs and paper follows.
"""

from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.fill import OrderSide
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio, product
from copyplugin.errors import Refused
from copyplugin.venues.simulated_values import units_of
from simexchange.core import types
from simexchange.core.instrument import FundingRules, MarginTier
from simexchange.core.instrument import Instrument as ExchangeInstrument

_LEVERAGE_DEFAULT = 10


def exchange_instrument(instrument: Instrument, funding: FundingRules | None) -> ExchangeInstrument:
    """Return the venue's rules as the exchange has them; `Refused` where they are not exact."""
    leverage_max = int(instrument.leverage_max)
    maintenance = instrument.maintenance_rate
    if maintenance is None:  # half of what the greatest leverage asks to open
        maintenance = Ratio(Decimal(1) / (2 * leverage_max))
    listed = ExchangeInstrument(
        symbol=instrument.symbol,
        base=instrument.base,
        settle=instrument.settle,
        tick_size=instrument.tick_size,
        contract_size=instrument.contract_size,
        min_contracts=instrument.contracts_min,
        max_contracts=instrument.contracts_max,
        max_market_contracts=instrument.contracts_max,
        min_notional=units_of(instrument.notional_min),
        max_leverage=leverage_max,
        default_leverage=min(_LEVERAGE_DEFAULT, leverage_max),
        tiers=(
            MarginTier(floor=0, maintenance_rate=_rate_up(maintenance), max_leverage=leverage_max),
        ),
        maker_fee=_rate_up(instrument.maker_fee),
        taker_fee=_rate_up(instrument.taker_fee),
        funding=funding,
    )
    problem = listed.problem()
    if problem is not None:
        raise Refused(f"{problem}.")
    return listed


def slipped_ticks(price: Price, side: OrderSide, slippage: Ratio, tick_size: Decimal) -> int:
    """Return the price, worse by the slippage, in ticks, rounded against whoever takes it."""
    tick = Fraction(tick_size)
    if side is OrderSide.BUY:
        return int(-(-Fraction(price) * (1 + Fraction(slippage)) // tick))
    return max(1, int(Fraction(price) * (1 - Fraction(slippage)) // tick))


def _rate_up(ratio: Ratio) -> int:
    """Return the ratio in 10⁻⁸, rounded up: never a lower fee or margin than the venue's."""
    return int(-(-Fraction(product(ratio, types.RATE_SCALE)) // 1))
