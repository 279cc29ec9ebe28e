"""Worlds in which leaders' orders fill in parts, and others do something between two parts."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from copyplugin.domain.command import CommandKind
from simexchange.core.types import PositionSide, Side
from tests.simulation.crowd import LEGS, Crowd
from tests.simulation.faults import Faults
from tests.simulation.overlapping import WorldDispatcher
from tests.simulation.worlds import Tally, bad_day, end, good_day, live, steps_of
from tests.simulation.worlds_of_rules import residues, resumed

PAUSES = (50, 300, 900, 2500, 11_000)
"""Milliseconds between two parts: within a top-up, after it, and after an order has gone quiet."""

A_MOMENT = 7
"""Milliseconds before and after what a user asks for: rows do not order what is of one instant."""

AWAY = 5
"""Ticks from the price at which a leader's order rests, where no follower trades with it."""

Rules = Sequence[tuple[str, dict[str, object]]]

CARRIED: Rules = (
    ("multiple", {"factor": "0.37", "below_minimum": "carry"}),
    ("fixed", {}),
    ("multiple", {"factor": "0.61", "below_minimum": "carry"}),
)
WITHOUT_VALUES: Rules = (
    *CARRIED,
    ("fixed_margin", {"order_margin": "9", "leverage": "7", "below_minimum": "raise"}),
    ("fixed", {"orders_per_day_max": 6, "order_margin_max": "8"}),
    ("multiple", {"factor": "0.29", "below_minimum": "carry", "price_protection": "0.004"}),
)
"""No cap is measured against what a follow holds: users may close in the middle of an order."""

BOUNDS = ("price_bound_major", "price_bound_other")


class PartsCrowd(Crowd):
    """Most of the leaders' orders rest and fill in parts; `asks`: users do something in between."""

    asks: bool = False
    has_closed: bool = False  # one follower, since the order under way began

    def _open(self) -> None:
        """Open, and let no command be of the instant of a decision."""
        super()._open()
        assert isinstance(self.plugin.dispatcher, WorldDispatcher)
        self.plugin.dispatcher.set_apart = self.pass_a_moment

    def pass_a_moment(self) -> None:
        self.market.clock.advance(microseconds=1000 * A_MOMENT)

    async def step(self) -> None:
        if self.random.random() < 0.6:
            await self.trade_in_parts()
        await super().step()

    async def trade_in_parts(self) -> None:
        random, market = self.random, self.market
        leader = random.choice(self.leaders)
        symbol, leg = random.choice(list(market.prices)), random.choice(LEGS)
        held = market.exchange.position(leader, symbol, leg).contracts
        side = Side.BUY if leg is PositionSide.LONG else Side.SELL
        contracts = random.randint(2, 30)
        if held > 1 and random.random() < 0.4:
            side, contracts = Side(-side), random.randint(2, held)
        tick = market.exchange.instrument(symbol).tick_size
        price = market.prices[symbol] - side * AWAY * tick
        market.trade(leader, symbol, side, contracts, leg, price=price)
        self.has_closed = False
        left = contracts
        while left:
            part = random.randint(1, left)
            self.fill(symbol, side, part, price)
            left -= part
            await self.between_parts(symbol, is_last=not left)

    def fill(self, symbol: str, side: Side, contracts: int, price: Decimal) -> None:
        """Let so much of a resting order fill; a price that came to it has filled more."""
        self.market.cancel_offers(symbol)
        self.market.offer(symbol, Side(-side), contracts, price)
        self.market.cancel_offers(symbol)
        self.stand_by(symbol)

    async def between_parts(self, symbol: str, *, is_last: bool) -> None:
        random = self.random
        if random.random() < 0.7:
            await self.live(self.plugin.settle)
        self.market.clock.advance(microseconds=1000 * random.choice(PAUSES))
        if random.random() < 0.3:
            await self.live(self.plugin.dispatcher.run, "copy")
        if is_last:
            return
        if random.random() < 0.15:
            self.move()
            self.pass_a_moment()
        if self.prices_move and random.random() < 0.2:
            self.move_price(symbol)
        if self.asks and random.random() < 0.25:
            await self.ask()

    async def ask(self) -> None:
        """Let a user ask for something; he may be refused, but he is answered."""
        follows = self.live_follows()
        if not follows:
            return
        follow_id = self.random.choice(follows)
        asked = self.random.choice(("halt", "resume", "resume", "close", "close", "bound"))
        of_follow = {"scope": "follow", "follow_id": follow_id}
        if asked == "resume":
            await self.submit(CommandKind.RESUME_COPYING, **of_follow)
        elif asked == "bound":
            name = self.random.choice(BOUNDS)
            value = f"0.00{self.random.randint(1, 9)}"
            await self.submit(CommandKind.PROPOSE_SETTING, name=name, value=value, reason="a test")
        elif asked == "halt":
            closes = not self.has_closed and self.random.random() < 0.5
            self.has_closed |= closes
            await self.submit(CommandKind.HALT_COPYING, close=closes, **of_follow)
        elif not self.has_closed:
            self.has_closed = True
            position = self.open_position(follow_id)
            if position is not None:
                await self.submit(CommandKind.CLOSE_POSITION, copied_position_id=position)


def crowd_of(number: int, faults: Faults, rules: Rules, **terms: object) -> PartsCrowd:
    chosen = Random(number).sample(rules, 3)
    return PartsCrowd(
        number,
        faults,
        modes=tuple(mode for mode, _ in chosen),
        each=tuple(settings for _, settings in chosen),
        **terms,
    )


async def orders_in_parts(number: int) -> Tally:
    """An order that fills in parts is copied as if it had come whole, whatever fails meanwhile."""
    steps = steps_of(number) // 2 + 1
    bad = await live(crowd_of(number, bad_day(number), CARRIED), steps)
    good = await live(crowd_of(number, good_day(number), CARRIED), steps)
    bad.check_alive()
    bad.check_feed()
    assert bad.holdings() == good.holdings()
    assert residues(bad) == residues(good)
    return await end(bad, good)


async def between_parts(number: int) -> Tally:
    """Whatever is asked for, and whatever prices do, between two parts: nothing is lost."""
    crowd = crowd_of(
        number,
        bad_day(number, rejected=50),
        WITHOUT_VALUES,
        prices_move=True,
        patience=number // 2 % 2 == 0,
        overlapping=number // 4 % 3 == 0,
    )
    crowd.asks = True
    await crowd.start()
    for _ in range(steps_of(number)):
        await crowd.step()
    return await resumed(crowd)
