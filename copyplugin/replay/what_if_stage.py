"""One what-if: a leader's stored past is told again, and the visitor follows him from its start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from copyplugin.domain.fill import LeaderFill, OrderSide, PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.money import Money, Price, Ratio, money_floor, money_total
from copyplugin.domain.transition import Legs, legs_after, transitions
from copyplugin.errors import Refused
from copyplugin.replay.bridge import LeaderCash
from copyplugin.replay.engine_room import EngineRoom
from copyplugin.replay.follow_report import LeaderFacts
from copyplugin.replay.follow_spec import FollowSpec
from copyplugin.store.leader_past import LeaderPast
from copyplugin.venues.told import Scene, Told, ToldVenue

BEFORE_THE_FIRST = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """What is asked: whose past, with which settings, and what stands in for what is not known.

    `leader_balance` is his available balance and equity wherever the rows do not tell them.
    """

    past: LeaderPast
    follows: Sequence[FollowSpec]
    slippage: Ratio
    funding_rate: Ratio
    leader_balance: Money | None


class WhatIfStage:
    """Plays the past through the engine; its database is there until the stage is left."""

    def __init__(self, asked: WhatIf) -> None:
        """Raise `Refused` where the past cannot be told again."""
        self.asked = asked
        past = asked.past
        self._fills = [_with_balance(fill, asked) for fill in past.fills]
        self.begins = _first_prices(past.fills)
        unknown = sorted(set(self.begins) - set(past.instruments))
        if unknown:
            raise Refused(
                f"The rules of {', '.join(unknown)} are not stored: start the engine once, so that "
                "it learns what the venue trades."
            )
        self._legs = {symbol: held for symbol, held in past.legs.items() if symbol in self.begins}
        begins_at = past.fills[0].at - BEFORE_THE_FIRST
        self._symbols = sorted(symbol for symbol in past.symbols if symbol in past.instruments)
        self.venue = ToldVenue(
            Scene(
                instruments={
                    symbol: past.instruments[symbol]
                    for symbol in sorted({*self.begins, *self._symbols})
                },
                legs=self._legs,
                begins_at=begins_at,
                slippage=asked.slippage,
                funding_rate=asked.funding_rate,
            )
        )
        self.venue.set_prices(self.begins, begins_at)
        self.cash = LeaderCash()
        self.fees = money_total(*(fill.fee for fill in self._fills))
        self.room = EngineRoom(self.venue)

    def close(self) -> None:
        """Let go of the database and delete it."""
        self.room.close()

    async def play(self) -> LeaderFacts:
        """Tell the whole past, look at the last marks, and return what to compare with."""
        await self.room.start()
        leader_id = await self._cast()
        self._note()
        for told in self._moments():
            await self.room.pass_time(told.at)
            self.venue.tell(told)
            await self.room.step()
        last = self._fills[-1].at
        await self.room.let_orders_end()
        later = {
            symbol: (at, price)
            for symbol, (at, price) in self.asked.past.marks.items()
            if symbol in self.begins and at >= last
        }
        if later:
            self.venue.set_prices(
                {symbol: price for symbol, (_, price) in later.items()},
                max(at for at, _ in later.values()),
            )
            await self.room.step()
        await self.room.stop()
        return await self._facts(leader_id)

    async def _cast(self) -> LeaderId:
        leader = self.asked.past.leader
        leader_id = await self.room.add_leader(
            self.venue.leader,
            {
                "nickname": leader.nickname,
                "instruments": self._symbols,
                "share_ratio": str(leader.share_ratio),
                "share_basis": leader.share_basis.value,
                "min_copy_amount": f"{leader.min_copy_amount:f}",
                "max_copy_amount": f"{leader.max_copy_amount:f}",
            },
        )
        for spec in self.asked.follows:
            await self.room.start_follow(spec, leader.nickname, leader_id, self._symbols)
        return leader_id

    def _moments(self) -> Iterator[Told]:
        """Yield what was told of one order at one moment, moment by moment."""
        gathered: list[LeaderFill] = []
        for fill in self._fills:
            if gathered and (fill.order_id, fill.symbol, fill.at) != (
                gathered[0].order_id,
                gathered[0].symbol,
                gathered[0].at,
            ):
                yield self._told(gathered)
                gathered = []
            gathered.append(fill)
        if gathered:
            yield self._told(gathered)

    def _told(self, fills: Sequence[LeaderFill]) -> Told:
        equity = self.asked.past.equity_at(fills[0])
        return Told(
            fills=tuple(fills),
            leader_equity=self.asked.leader_balance if equity is None else equity,
        )

    def _note(self) -> None:
        """Enter what the leader held and all he traded since into his own account."""
        legs = dict(self._legs)
        for symbol, held in legs.items():
            size = Fraction(self.asked.past.instruments[symbol].contract_size)
            for side in PositionSide:
                self.cash.traded(
                    symbol,
                    held.of(side) * size,
                    self.begins[symbol],
                    is_buy=side is PositionSide.LONG,
                )
        for fill in self._fills:
            before = legs.get(fill.symbol, Legs())
            moved = transitions(before, fill)
            legs[fill.symbol] = legs_after(before, moved)
            # What closes more than is known was opened where nobody saw it: it is nobody's copy.
            traded = sum(transition.contracts for transition in moved)
            size = Fraction(self.asked.past.instruments[fill.symbol].contract_size)
            is_buy = fill.side is OrderSide.BUY
            self.cash.traded(fill.symbol, traded * size, fill.price, is_buy=is_buy)

    async def _facts(self, leader_id: LeaderId) -> LeaderFacts:
        marks = await self.venue.marks()
        return LeaderFacts(
            leader_id=leader_id,
            result=self.cash.result(marks),
            closed=None,
            marks=marks,
            before={
                (symbol, side): held.of(side)
                for symbol, held in self._legs.items()
                for side in PositionSide
                if held.of(side)
            },
            begins=self.begins,
        )


def _first_prices(fills: Sequence[LeaderFill]) -> dict[Symbol, Price]:
    return {fill.symbol: fill.price for fill in reversed(fills)}


def _with_balance(fill: LeaderFill, asked: WhatIf) -> LeaderFill:
    """Return the fill with what was available after it, assumed where no row tells."""
    if fill.available_after is not None or asked.leader_balance is None:
        return fill
    instrument = asked.past.instruments.get(fill.symbol)
    if instrument is None:
        return fill
    margin = Fraction(instrument.notional(fill.contracts, fill.price)) / Fraction(fill.leverage)
    left = Fraction(asked.leader_balance) - margin - Fraction(fill.fee)
    return replace(fill, available_after=money_floor(left))
