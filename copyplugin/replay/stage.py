"""One replay: a database of its own, the engine taken step by step, the record as the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId, FollowId, LeaderId
from copyplugin.domain.money import Money, Ratio
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import Refused
from copyplugin.replay.follow_spec import FollowSpec
from copyplugin.replay.leader_book import LeaderBook
from copyplugin.settings import load_settings
from copyplugin.store import commands, settings
from copyplugin.store.database import Database, open_database, upgrade_database
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


@dataclass(frozen=True, kw_only=True, slots=True)
class CastFollow:
    spec: FollowSpec
    leader: str
    follow_id: FollowId


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
        self.tallies = {name: Tally() for name in plot.leaders}
        self.leader_ids: dict[str, LeaderId] = {}
        self.follows: list[CastFollow] = []
        self._folder = TemporaryDirectory(prefix="copyplugin-replay-")
        self._dispatcher = SteppedDispatcher(self.venue)
        self.database = self._open_database()
        self._engine = Engine(
            Surroundings(
                settings=load_settings(database_url=self._url),
                database=self.database,
                venue=self.venue,
                clock=self.venue,
                dispatcher=self._dispatcher,
            )
        )
        self._asked = 0

    @property
    def _url(self) -> str:
        return f"sqlite:///{Path(self._folder.name) / 'replay.db'}"

    def _open_database(self) -> Database:
        upgrade_database(self._url)
        return open_database(self._url)

    def close(self) -> None:
        """Let go of the database and delete it."""
        self.database.close()
        self._folder.cleanup()

    async def play(self) -> None:
        """Set the stage, play every order of the record, and settle what is due."""
        self.venue.start_at_first_fill()
        await self._engine.start()
        await self._dispatcher.settle()
        await self._cast()
        for order in self.venue.orders():
            played = self.venue.play(order)
            self._note(played)
            await self._dispatcher.settle()
            await self._engine.settler.run()
            await self._dispatcher.settle()
        await self._engine.stop()

    async def _cast(self) -> None:
        now = self.venue.now()
        await self.database.write(
            lambda s: settings.put_setting(
                s, settings.IS_OPEN_SCALE, "1", changed_by="replay", at=now
            )
        )
        symbols = sorted(self.plot.record.precisions)
        for name, account in self.venue.accounts.items():
            result = await self._ask(
                CommandKind.ADD_LEADER,
                {
                    "account": account,
                    "nickname": name,
                    "instruments": symbols,
                    "share_ratio": str(self.plot.share_ratio),
                    "max_copy_amount": str(LARGEST_AMOUNT),
                },
            )
            self.leader_ids[name] = LeaderId(result["leader_id"])
        for name in self.plot.leaders:
            for spec in self.plot.follows:
                self.follows.append(await self._follow(name, spec))

    async def _follow(self, leader: str, spec: FollowSpec) -> CastFollow:
        symbols = frozenset(self.plot.record.precisions)
        unknown = sorted((spec.instruments or frozenset()) - symbols)
        if unknown:
            raise Refused(
                f"--follow {spec.text}: the record has no {', '.join(unknown)}; "
                f"it has {', '.join(sorted(symbols))}."
            )
        account = self.venue.open_account(f"follower {len(self.follows) + 1}", spec.amount)
        follower = await self._ask(CommandKind.REGISTER_FOLLOWER, {"account": account})
        arguments: dict[str, Any] = {
            "leader_id": self.leader_ids[leader],
            "follower_id": follower["follower_id"],
            "mode": spec.mode.value,
            "copy_amount": f"{spec.amount:f}",
            "instruments": sorted(spec.instruments or symbols),
            **spec.terms,
        }
        if spec.bound is not None:
            arguments["price_protection"] = str(spec.bound)
        started = await self._ask(CommandKind.START_FOLLOW, arguments)
        return CastFollow(spec=spec, leader=leader, follow_id=FollowId(started["follow_id"]))

    async def _ask(self, kind: CommandKind, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out a command as a page would; `Refused` with the engine's own sentence."""
        self._asked += 1
        key, at = f"replay-{self._asked}", self.venue.now()

        command_id: CommandId = (
            await self.database.write(
                lambda s: commands.submit_command(
                    s, kind, arguments, actor="replay", idempotency_key=key, at=at
                )
            )
        ).id
        self._dispatcher.announce(Work.COMMANDS)
        await self._dispatcher.settle()
        with self.database.read() as session:
            row = commands.get_command(session, command_id)
        if row.state is CommandState.REFUSED:
            raise Refused(row.message or "The engine refused without a word.")
        assert row.state is CommandState.DONE, f"{kind} was not answered"
        return row.result or {}

    def _note(self, played: Played) -> None:
        """Enter one played order into the leader's exact book."""
        tally, book = self.tallies[played.leader], self.books[played.leader]
        tally.orders += 1
        tally.fills += played.recorded_fills
        for fill in played.fills:
            tally.excess_fills += fill.excess > 0
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
