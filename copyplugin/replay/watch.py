"""What a follower had at every step: the deepest drawdown, the nearest liquidation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, FollowId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Money, Price, money_total
from copyplugin.replay.follow_spec import FollowSpec
from copyplugin.venues.scripted import ScriptedVenue


@dataclass(frozen=True, kw_only=True, slots=True)
class CastFollow:
    spec: FollowSpec
    leader: str
    follow_id: FollowId


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearness:
    """How far a position was from being liquidated; `distance` is a ratio of its mark price.

    Mostly the venue tells a liquidation price. Positions that share the account's margin may have
    none: their distance is the move against all of them at once that leaves what the venue asks to
    hold them, estimated by its lowest rate; the largest of them is named.
    """

    symbol: Symbol
    position_side: PositionSide
    mark: Price
    liquidation_price: Price | None
    distance: Fraction


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks at a follower before and after each step; what lies between two is not seen.

    All he has is the equity of his sub-account and what came home to his main account. Drawdowns
    are what he has less than at the highest before: the largest in money and the largest as a ratio
    of that highest, which need not be the same.
    """

    main: AccountId
    sub_account: AccountId
    peak: Money
    equity: Money = ZERO_MONEY
    drawdown: Money = ZERO_MONEY
    drawdown_ratio: Fraction = Fraction(0)
    nearest: Nearness | None = None
    liquidations: int = 0

    async def look(self, venue: ScriptedVenue) -> None:
        at_home = (await venue.balance(self.main)).spot_available
        self.equity = money_total((await venue.balance(self.sub_account)).equity, at_home)
        self.peak = max(self.peak, self.equity)
        lost = Money(self.peak - self.equity)
        self.drawdown = max(self.drawdown, lost)
        self.drawdown_ratio = max(self.drawdown_ratio, Fraction(lost) / Fraction(self.peak))
        positions = await venue.positions(self.sub_account)
        if positions:
            self._compare(positions, await venue.marks(), await venue.instruments(), at_home)

    def _compare(
        self,
        positions: Sequence[VenuePosition],
        marks: Mapping[Symbol, Price],
        instruments: Mapping[Symbol, Instrument],
        at_home: Money,
    ) -> None:
        found = [_alone(held, marks[held.symbol]) for held in positions]
        shared = [held for held in positions if held.margin_mode is MarginMode.CROSS]
        if any(held.liquidation_price is None for held in shared):
            apart = money_total(
                ZERO_MONEY,
                *(
                    money_total(held.margin, held.unrealized_pnl)
                    for held in positions
                    if held.margin_mode is MarginMode.ISOLATED
                ),
            )
            backing = Fraction(self.equity) - Fraction(at_home) - Fraction(apart)
            found.append(_together(shared, marks, instruments, backing))
        for near in found:
            if near is not None and (self.nearest is None or near.distance < self.nearest.distance):
                self.nearest = near

    def is_newly_liquidated(self, venue: ScriptedVenue) -> bool:
        """Return whether the exchange has closed a position since this was last asked."""
        before, self.liquidations = self.liquidations, venue.liquidations(self.sub_account)
        return self.liquidations > before


def _alone(held: VenuePosition, mark: Price) -> Nearness | None:
    if held.liquidation_price is None:
        return None
    return Nearness(
        symbol=held.symbol,
        position_side=held.position_side,
        mark=mark,
        liquidation_price=held.liquidation_price,
        distance=abs(Fraction(mark) - Fraction(held.liquidation_price)) / Fraction(mark),
    )


def _together(
    shared: Sequence[VenuePosition],
    marks: Mapping[Symbol, Price],
    instruments: Mapping[Symbol, Instrument],
    backing: Fraction,
) -> Nearness:
    """Return the distance of positions that share one margin; `backing` is what stands behind."""
    values = {
        (held.symbol, held.position_side): Fraction(
            instruments[held.symbol].notional(held.contracts, marks[held.symbol])
        )
        for held in shared
    }
    asked = sum(
        (value * _maintenance(instruments[symbol]) for (symbol, _), value in values.items()),
        Fraction(0),
    )
    symbol, side = max(values, key=lambda leg: values[leg])
    return Nearness(
        symbol=symbol,
        position_side=side,
        mark=marks[symbol],
        liquidation_price=None,
        distance=(backing - asked) / sum(values.values(), Fraction(0)),
    )


def _maintenance(instrument: Instrument) -> Fraction:
    return Fraction(instrument.maintenance_rate or 0) + Fraction(instrument.taker_fee)
