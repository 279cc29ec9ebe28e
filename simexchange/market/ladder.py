"""The quotes a market maker wants: a ladder round the index, leaning against his inventory."""

import msgspec

from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, RATE_SCALE, Side
from simexchange.market.chance import PERCENT, Chance


class Quote(msgspec.Struct, frozen=True):
    """What one level wants: `price` in ticks, `contracts` ≥ 1."""

    side: Side
    price: int
    contracts: int


class LadderShape(msgspec.Struct, frozen=True, kw_only=True):
    """One maker's ladder. Distances are rates (10⁻⁸) of the reference price, sizes are money.

    `half_spread` to the first level (0: bid and ask are one tick apart), `reach` to the last;
    between them distances grow with the square of the level, so levels are dense near the touch.
    Level k holds `size` and `growth_percent` of it for each k², so depth grows with distance as
    recorded books do; the first level holds `touch` more. Sizes vary by ± `jitter_percent`.
    `skew`: how far the reference moves against a full inventory. `inventory_limit`: notional
    beyond which only the side that reduces it is quoted; before that the other side thins out.
    """

    levels: int = 15
    half_spread: int = 10_000
    reach: int = 400_000
    size: int = 4_000 * MONEY_SCALE
    touch: int = 0
    growth_percent: int = 8
    jitter_percent: int = 30
    skew: int = 60_000
    inventory_limit: int = 5_000_000 * MONEY_SCALE

    def __post_init__(self) -> None:
        if self.levels < 1 or self.half_spread < 0 or self.reach < self.half_spread:
            raise ValueError("a ladder needs a level, and a reach that is not inside its spread")
        if not 0 <= self.jitter_percent < PERCENT:
            raise ValueError("jitter_percent must be at least 0 and below 100")

    def distance(self, level: int) -> int:
        """Return how far `level` stands from the reference, as a rate."""
        steps = max(1, (self.levels - 1) ** 2)
        return self.half_spread + (self.reach - self.half_spread) * level * level // steps


# Shaped after Binance's BTCUSDT book of 2024-08-08, medians of five minutes: 0.2 million USDT a
# side at a touch one tick wide, 0.9 million within 2 basis points, 9 within 10, 80 within 50.
RECORDED_LADDER = LadderShape(
    levels=40,
    half_spread=0,
    reach=50 * RATE_SCALE // 10_000,
    size=60_000 * MONEY_SCALE,
    touch=150_000 * MONEY_SCALE,
    growth_percent=7,
    inventory_limit=50_000_000 * MONEY_SCALE,
)


def ladder(
    instrument: Instrument, index: int, inventory: int, shape: LadderShape, chance: Chance
) -> list[Quote]:
    """Return the quotes round `index` ticks for a maker who holds `inventory` contracts (signed).

    Best first, bids and asks apart by at least one tick, at most one quote a side and price. A bid
    may stand at the reference itself, an ask is above it. Each price snaps away from the reference
    to a grid that widens with its distance, and its size depends on its price: a small move of the
    index leaves most far quotes as they are.
    """
    held = inventory * index * instrument.tick_value
    limit = shape.inventory_limit
    share = max(-RATE_SCALE, min(RATE_SCALE, held * RATE_SCALE // limit))
    reference = max(1, index - index * shape.skew * share // RATE_SCALE**2)
    quotes: list[Quote] = []
    for side in (Side.BUY, Side.SELL):
        room = RATE_SCALE - max(0, side * share)
        quotes.extend(_one_side(instrument, reference, room, side, shape, chance))
    return quotes


def _one_side(
    instrument: Instrument,
    reference: int,
    room: int,
    side: Side,
    shape: LadderShape,
    chance: Chance,
) -> list[Quote]:
    sizes: dict[int, int] = {}
    nearer = 0
    for level in range(shape.levels):
        ticks = reference * shape.distance(level) // RATE_SCALE
        grid = max(1, (ticks - nearer) // 2) if level else 1
        nearer = ticks
        price = _snap(reference - ticks if side is Side.BUY else reference + ticks + 1, grid, side)
        if price < 1:
            break
        money = shape.size * (PERCENT + level * level * shape.growth_percent) // PERCENT
        if level == 0:
            money += shape.touch
        spread = shape.jitter_percent
        money = money * chance.between(PERCENT - spread, PERCENT + spread, side.name, price)
        contracts = money * room // (PERCENT * RATE_SCALE * price * instrument.tick_value)
        if contracts >= instrument.min_contracts:
            sizes.setdefault(price, min(contracts, instrument.max_contracts))
    return [Quote(side, price, contracts) for price, contracts in sizes.items()]


def _snap(price: int, grid: int, side: Side) -> int:
    """Return the nearest multiple of `grid` that lies no nearer to the reference than `price`."""
    return price // grid * grid if side is Side.BUY else -(-price // grid) * grid
