"""The real engine on a database of its own, taken step by step; its venue is also its clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import AccountId, CommandId, FollowId, LeaderId, Symbol
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import Refused
from copyplugin.replay.follow_spec import FollowSpec
from copyplugin.replay.watch import CastFollow, Watch
from copyplugin.settings import load_settings
from copyplugin.store import commands, follows, settings
from copyplugin.store.database import Database, new_database_file, open_database
from copyplugin.venues.scripted import ScriptedVenue

LOOKS_AFTER = timedelta(minutes=2)
"""How long after a step what was put off is still done: then the next step is the next occasion."""


class EngineRoom:
    """Engine, database and those who follow; the database is there until `close`."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self.venue = venue
        self.follows: list[CastFollow] = []
        self.watches: dict[FollowId, Watch] = {}
        self._folder = TemporaryDirectory(prefix="copyplugin-replay-")
        self._url = new_database_file(Path(self._folder.name, "replay.db"))
        self.database: Database = open_database(self._url)
        self._dispatcher = SteppedDispatcher(venue)
        self._engine = Engine(
            Surroundings(
                settings=load_settings(database_url=self._url),
                database=self.database,
                venue=venue,
                clock=venue,
                dispatcher=self._dispatcher,
            )
        )
        self._asked = 0

    def close(self) -> None:
        """Let go of the database and delete it."""
        self.database.close()
        self._folder.cleanup()

    async def start(self) -> None:
        await self._engine.start()
        await self._dispatcher.settle()
        now = self.venue.now()
        await self.database.write(
            lambda s: settings.put_setting(
                s, settings.IS_OPEN_SCALE, "1", changed_by="replay", at=now
            )
        )

    async def stop(self) -> None:
        await self._engine.stop()

    async def step(self) -> None:
        """Work until nothing is left, see what was liquidated, and settle what is due."""
        await self.look()
        await self._dispatcher.settle()
        liquidated = [watch.is_newly_liquidated(self.venue) for watch in self.watches.values()]
        if any(liquidated):
            await self._engine.reconciler.run()
            await self._dispatcher.settle()
        await self._engine.settler.run()
        await self._dispatcher.settle()
        await self.look()

    async def pass_time(self, until: datetime) -> None:
        """Let the engine do what it has put off until before that time, within `LOOKS_AFTER`."""
        until = min(until, self.venue.now() + LOOKS_AFTER)
        due = self._dispatcher.next_at
        while due is not None and due < until:
            self.venue.set_clock(due)
            await self._dispatcher.settle()
            due = self._dispatcher.next_at

    async def let_orders_end(self) -> None:
        """Let so much time pass that the leader's orders count as whole, and copy what is left."""
        quiet = self._engine.around.settings.quiet
        await self.pass_time(self.venue.now() + 2 * quiet)
        self.venue.set_clock(self.venue.now() + 2 * quiet)
        await self._engine.copy_sweep()
        await self.step()

    async def look(self) -> None:
        """Note what each follower has now, and how near liquidation he is."""
        for watch in self.watches.values():
            await watch.look(self.venue)

    async def add_leader(self, account: AccountId, terms: Mapping[str, Any]) -> LeaderId:
        result = await self._ask(CommandKind.ADD_LEADER, {"account": account, **terms})
        return LeaderId(result["leader_id"])

    async def start_follow(
        self, spec: FollowSpec, leader: str, leader_id: LeaderId, symbols: Sequence[Symbol]
    ) -> CastFollow:
        """Let one more follower begin, with his copy amount and nothing else."""
        unknown = sorted((spec.instruments or frozenset()) - set(symbols))
        if unknown:
            raise Refused(
                f"--follow {spec.text}: the record has no {', '.join(unknown)}; "
                f"it has {', '.join(sorted(symbols))}."
            )
        account = self.venue.open_account(f"follower {len(self.follows) + 1}", spec.amount)
        follower = await self._ask(CommandKind.REGISTER_FOLLOWER, {"account": account})
        arguments: dict[str, Any] = {
            "leader_id": leader_id,
            "follower_id": follower["follower_id"],
            "mode": spec.mode.value,
            "copy_amount": f"{spec.amount:f}",
            "instruments": sorted(spec.instruments or symbols),
            **spec.terms,
        }
        if spec.bound is not None:
            arguments["price_protection"] = str(spec.bound)
        started = await self._ask(CommandKind.START_FOLLOW, arguments)
        cast = CastFollow(spec=spec, leader=leader, follow_id=FollowId(started["follow_id"]))
        self.follows.append(cast)
        with self.database.read() as session:
            sub_account = follows.get_follow(session, cast.follow_id).sub_account
        assert sub_account is not None, "a follow that has started has its sub-account"
        self.watches[cast.follow_id] = Watch(
            main=account, sub_account=sub_account, peak=spec.amount
        )
        return cast

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
