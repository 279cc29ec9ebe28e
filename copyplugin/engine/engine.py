"""The engine put together: what is served on a wake-up, and what runs by the clock."""

import asyncio
import logging
from collections.abc import Callable

from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import CommandId
from copyplugin.domain.notice import NoticeKind
from copyplugin.engine.commands import CommandDesk
from copyplugin.engine.depth_watch import DepthWatch
from copyplugin.engine.executor import Executor
from copyplugin.engine.feed import Feed
from copyplugin.engine.following import Following
from copyplugin.engine.herald import Herald
from copyplugin.engine.jobs import Cadence, JobBook
from copyplugin.engine.margin_watch import MarginWatch
from copyplugin.engine.market_data import MarketData
from copyplugin.engine.protection import Protector
from copyplugin.engine.reconcile import Reconciler
from copyplugin.engine.settling import Settler
from copyplugin.engine.statistics import Statistician
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.engine.transfers import Mover
from copyplugin.store import escrow, lane_work, ledger, marking, notices, payables
from copyplugin.store.database import Session

log = logging.getLogger(__name__)

ENDED = frozenset({FollowState.CLOSING, FollowState.ABORTING})


class Engine:
    """Everything that happens by itself. `start` picks up whatever a crash left behind."""

    def __init__(
        self,
        around: Surroundings,
        *,
        on_answer: Callable[[CommandId], None] = lambda _: None,
    ) -> None:
        """Lanes that the dispatcher leaves to other processes are only woken here."""
        self.around = around
        self.market_data = MarketData(around)
        self.feed = Feed(around, self.market_data)
        self.executor = Executor(around)
        self.settler = Settler(around)
        self.following = Following(around, self.feed, self.settler, self.market_data)
        self.mover = Mover(around)
        self.protector = Protector(around)
        self.margin_watch = MarginWatch(around)
        self.depth_watch = DepthWatch(around)
        self.reconciler = Reconciler(around)
        self.statistician = Statistician(around)
        self.herald = Herald(around)
        self.desk = CommandDesk(around, self.feed, self.market_data, on_answer)
        self._serve()
        self._schedule()

    async def start(self) -> None:
        """Learn the instruments, listen to the leaders, and look at all that is unfinished."""
        with self.around.database.read() as session:
            self.around.learn_instruments(session)
        await self.market_data.load_instruments()  # a silent venue leaves those stored
        await self.market_data.publish_marks()
        await self.around.dispatcher.start()
        await self.feed.start()
        await self.copy_sweep()
        await self.close_ended()
        await self.protector.sweep()
        self.around.dispatcher.announce(Work.FIGURES)
        self.around.dispatcher.announce(Work.COMMANDS)

    async def stop(self) -> None:
        """Stop listening, start nothing more, and wait for what is under way."""
        self.desk.stop()
        await self.feed.stop()
        await self.around.dispatcher.stop()

    async def copy_sweep(self) -> int:
        """Find fills, lanes and commands that nothing told of; return the lanes with work."""
        await self.feed.sweep()
        await self.executor.sweep()
        self.around.dispatcher.announce(Work.COMMANDS)
        with self.around.database.read() as session:
            return lane_work.lanes_marked(session)

    async def close_ended(self) -> int:
        """Let go of what nobody wants any more, and send the money of ended follows home."""
        shards = await self.around.database.write(
            lambda session: marking.aim_ended_at_nothing(session, ENDED)
        )
        orphaned = await self.around.database.write(self._let_orphans_go)
        if orphaned:
            log.error("lanes in shards %s held what their leader holds no more", sorted(orphaned))
        shards |= orphaned
        if shards:
            self.around.dispatcher.announce(Work.LANES, shards)
        return await self.following.sweep()

    def _let_orphans_go(self, session: Session) -> set[int]:
        now = self.around.clock.now()
        shards = marking.aim_orphans_at_nothing(session)
        if shards:
            notices.tell_operators(
                session,
                NoticeKind.ORPHAN,
                f"orphans:{now.isoformat()}",
                "Positions were held that their leader holds no more, in shards "
                f"{sorted(shards)}: they are being closed.",
                at=now,
                is_event=True,
            )
        return shards

    async def prove_ledger(self) -> None:
        """Prove the books from the first entry to the last (M5); raises `LedgerBroken`."""

        def prove() -> None:
            with self.around.database.read() as session:
                ledger.verify(session)
                payables.verify(session)
                escrow.verify(session)

        await asyncio.get_running_loop().run_in_executor(None, prove)

    async def refresh_figures(self, _: frozenset[int]) -> None:
        """Bring pages up to date at once: after a start, and when a leader is new."""
        await self.market_data.bring_position_data()
        await self.statistician.run()

    def _serve(self) -> None:
        dispatcher = self.around.dispatcher
        dispatcher.serve(Work.FEED, self.feed.turn)
        dispatcher.serve(Work.LANES, self.executor.turn)
        dispatcher.serve(Work.PROTECT, self.protector.turn)
        dispatcher.serve(Work.RECONCILE, self.reconciler.turn)
        dispatcher.serve(Work.TRANSFERS, self.mover.turn)
        dispatcher.serve(Work.FOLLOWS, self.following.turn)
        dispatcher.serve(Work.COMMANDS, self.desk.turn)
        dispatcher.serve(Work.FIGURES, self.refresh_figures)

    def _schedule(self) -> None:
        settings = self.around.settings
        JobBook(
            self.around,
            {
                "copy": Cadence(seconds=settings.copy_sweep_seconds, job=self.copy_sweep),
                "close ended": Cadence(seconds=settings.close_ended_seconds, job=self.close_ended),
                "protect": Cadence(seconds=settings.protection_seconds, job=self.protector.sweep),
                "margin": Cadence(seconds=settings.margin_seconds, job=self.margin_watch.run),
                "settle": Cadence(seconds=settings.settle_seconds, job=self.settler.run),
                "position data": Cadence(
                    seconds=settings.position_data_seconds,
                    job=self.market_data.bring_position_data,
                ),
                "statistics": Cadence(
                    seconds=settings.statistics_seconds, job=self.statistician.run
                ),
                "return aborted": Cadence(
                    seconds=settings.return_aborted_seconds, job=self.following.sweep_aborted
                ),
                "notices": Cadence(seconds=settings.notify_seconds, job=self.herald.run),
                "marks": Cadence(
                    seconds=settings.marks_seconds, job=self.market_data.publish_marks
                ),
                "depth": Cadence(seconds=settings.depth_seconds, job=self.depth_watch.run),
                "ledger": Cadence(seconds=settings.ledger_seconds, job=self.prove_ledger),
                "reconcile": Cadence(seconds=settings.reconcile_seconds, job=self.reconciler.run),
            },
        )
