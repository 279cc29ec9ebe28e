"""One replay: the engine taken step by step, the record as the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.money import Money, Price, Ratio
from copyplugin.replay.bridge import LeaderCash
from copyplugin.replay.engine_room import EngineRoom
from copyplugin.replay.follow_spec import FollowSpec
from copyplugin.replay.leader_book import LeaderBook
from copyplugin.replay.watch import CastFollow
from copyplugin.venues.recorded import (
    Assumptions,
    Played,
    RecordedFills,
    RecordedVenue,
)

LARGEST_AMOUNT = Money(Decimal(10) ** 9)
"""Copy amounts of a replay lie between the seed's smallest, 10 USDT, and this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """What is replayed: whose fills, on which assumptions, and who follows."""

    record: RecordedFills
    leaders: Sequence[str]
    follows: Sequence[FollowSpec]
    assumptions: Assumptions
    share_ratio: Ratio


@dataclass(slots=True)
class Tally:
    """What was counted while a leader's record was played."""

    fills: int = 0
    orders: int = 0
    excess_fills: int = 0


class Stage:
    """Plays the record through the engine; the database is there until the stage is left."""

    def __init__(self, plot: Plot) -> None:
        """Raise `Refused` where the plot cannot be played."""
        self.plot = plot
        self.venue = RecordedVenue(plot.record, plot.leaders, plot.assumptions)
        self.books = {name: LeaderBook() for name in plot.leaders}
        self.cash = {name: LeaderCash() for name in plot.leaders}
        self.tallies = {name: Tally() for name in plot.leaders}
        self.leader_ids: dict[str, LeaderId] = {}
        self.room = EngineRoom(self.venue)
        self.database = self.room.database

    @property
    def follows(self) -> Sequence[CastFollow]:
        return self.room.follows

    def close(self) -> None:
        """Let go of the database and delete it."""
        self.room.close()

    async def play(self) -> None:
        """Set the stage, play every order of the record, and settle what is due."""
        self.venue.start_at_first_fill()
        await self.room.start()
        await self._cast()
        for order in self.venue.orders():
            played = self.venue.play(order)
            self._note(played)
            await self.room.step()
        await self.room.stop()

    async def marks(self) -> Mapping[Symbol, Price]:
        return await self.venue.marks()

    async def _cast(self) -> None:
        symbols = sorted(Symbol(name) for name in self.plot.record.precisions)
        for name, account in self.venue.accounts.items():
            self.leader_ids[name] = await self.room.add_leader(
                account,
                {
                    "nickname": name,
                    "instruments": symbols,
                    "share_ratio": str(self.plot.share_ratio),
                    "max_copy_amount": str(LARGEST_AMOUNT),
                },
            )
        for name in self.plot.leaders:
            for spec in self.plot.follows:
                await self.room.start_follow(spec, name, self.leader_ids[name], symbols)

    def _note(self, played: Played) -> None:
        """Enter one played order into the leader's exact books."""
        tally, book = self.tallies[played.leader], self.books[played.leader]
        tally.orders += 1
        tally.fills += played.recorded_fills
        for fill in played.fills:
            tally.excess_fills += fill.excess > 0
            if fill.traded:
                self.cash[played.leader].traded(
                    Symbol(fill.leg[0]),
                    fill.traded,
                    fill.price,
                    is_buy=fill.is_long == fill.is_opening,
                )
            if fill.traded and fill.is_opening:
                book.opened(fill.leg, fill.traded, fill.price)
            elif fill.traded:
                book.closed(fill.leg, fill.traded, fill.price, is_long=fill.is_long)
            book.recorded(
                fill.leg,
                fill.realized_pnl,
                is_closing=not fill.is_opening,
                excess=fill.excess,
            )
