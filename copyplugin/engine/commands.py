"""Commands of users and operators: each carried out once, in the order given, and answered.

What changes only rows is done and answered in one transaction. What needs the venue leaves rows
that say how far it is, and is answered when it has come to its end.
"""

from collections.abc import Callable, Mapping

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.engine import (
    allotting,
    change_commands,
    follow_commands,
    halt_commands,
    leader_commands,
    notice_commands,
    orphan_commands,
    payable_commands,
    protection_commands,
    setting_commands,
)
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.feed import Feed
from copyplugin.engine.market_data import MarketData
from copyplugin.engine.permissions import refuse_strangers
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.engine.what_ifs import WhatIfs
from copyplugin.errors import Refused, VenueUnavailable
from copyplugin.store import commands
from copyplugin.store.database import Session
from copyplugin.store.rows import CommandRow

COMMANDS_AT_ONCE = 100

ON_ROWS: Mapping[CommandKind, Callable[[Asked], Done]] = {
    CommandKind.ADD_LEADER: leader_commands.add_leader,
    CommandKind.EDIT_LEADER: leader_commands.edit_leader,
    CommandKind.PROHIBIT_LEADER: leader_commands.prohibit_leader,
    CommandKind.RESTORE_LEADER: leader_commands.restore_leader,
    CommandKind.PIN_LEADER: leader_commands.pin_leader,
    CommandKind.REGISTER_FOLLOWER: follow_commands.register_follower,
    CommandKind.START_FOLLOW: follow_commands.start_follow,
    CommandKind.START_PAPER_FOLLOW: follow_commands.start_paper_follow,
    CommandKind.END_FOLLOW: follow_commands.end_follow,
    CommandKind.CLOSE_POSITION: follow_commands.close_position,
    CommandKind.END_FROM_POSITION: follow_commands.end_from_position,
    CommandKind.CHANGE_FOLLOW: change_commands.change_follow,
    CommandKind.SET_PROTECTION: protection_commands.set_protection,
    CommandKind.HALT_COPYING: halt_commands.halt_copying,
    CommandKind.RESUME_COPYING: halt_commands.resume_copying,
    CommandKind.MARK_PAID: payable_commands.mark_paid,
    CommandKind.PROPOSE_SETTING: setting_commands.propose_setting,
    CommandKind.APPROVE_SETTING: setting_commands.approve_setting,
    CommandKind.REJECT_SETTING: setting_commands.reject_setting,
    CommandKind.CLOSE_ORPHAN: orphan_commands.close_orphan,
    CommandKind.CHOOSE_NOTICES: notice_commands.choose_notices,
    CommandKind.NAME_ACCOUNT: allotting.name_account,
    CommandKind.READ_NOTICES: notice_commands.read_notices,
}


class CommandDesk:
    """`turn` is served under `Work.COMMANDS`. `on_answer` hears of every command answered."""

    def __init__(
        self,
        around: Surroundings,
        feed: Feed,
        market_data: MarketData,
        on_answer: Callable[[CommandId], None],
    ) -> None:
        self._around = around
        self._feed = feed
        self._market_data = market_data
        self._on_answer = on_answer
        self._what_ifs = WhatIfs(around)

    def stop(self) -> None:
        """Leave what takes long to the next process."""
        self._what_ifs.stop()

    async def turn(self, _: frozenset[int]) -> None:
        """Carry out every command that waits."""
        with self._around.database.read() as session:
            waiting = commands.pending_commands(session, limit=COMMANDS_AT_ONCE)
        await attempt_all(waiting, self._take)

    async def _take(self, row: CommandRow) -> None:
        try:
            if row.kind is CommandKind.WHAT_IF:
                self._begin_what_if(row)
            else:
                await self._carry_out(row)
        except Refused as refusal:
            await self._refuse(row.id, refusal.sentence)
        except VenueUnavailable:
            await self._refuse(row.id, "The venue cannot be reached now: try again later.")

    def _begin_what_if(self, row: CommandRow) -> None:
        words = self._what_ifs.begin(row)
        if words is not None:
            self._around.dispatcher.spawn(f"what-if {row.id}", self._finish_what_if(row.id, words))

    async def _finish_what_if(self, command_id: CommandId, words: tuple[str, ...]) -> None:
        answer = await self._what_ifs.compute(command_id, words)
        if answer is None:
            return
        if answer.report is None:
            await self._refuse(command_id, answer.sentence)
            return
        await self._around.database.write(
            lambda session: commands.finish_command(
                session,
                command_id,
                CommandState.DONE,
                message=answer.sentence,
                result=answer.report,
                at=self._around.clock.now(),
            )
        )
        self._on_answer(command_id)

    async def _carry_out(self, row: CommandRow) -> None:
        """Ask the venue what the command needs to know, then do it."""
        given = Arguments(row.arguments)
        if row.kind is CommandKind.ADD_LEADER:
            await leader_commands.ask_about_leader(given, self._around)
        elif row.kind is CommandKind.REGISTER_FOLLOWER:
            await follow_commands.ask_about_follower(given, self._around)
        elif row.kind is CommandKind.START_FOLLOW and row.result is None:
            await follow_commands.ask_about_money(given, self._around)
        elif row.kind is CommandKind.START_PAPER_FOLLOW and row.result is None:
            await follow_commands.ask_about_play_money(given, self._around)
        elif row.kind is CommandKind.NAME_ACCOUNT:
            await allotting.ask_about_allotment(given, self._around)
        done = await self._around.database.write(
            lambda session: self._do(session, row.id, given), urgent=True
        )
        if done is not None:
            await self._follow_up(done)
            if done.message is not None:
                self._on_answer(row.id)

    def _do(self, session: Session, command_id: CommandId, given: Arguments) -> Done | None:
        row = commands.get_command(session, command_id)
        if row.state is not CommandState.PENDING:
            return None
        asked = Asked(session=session, row=row, given=given, around=self._around)
        refuse_strangers(asked)
        done = ON_ROWS[row.kind](asked)
        if done.message is not None:
            commands.finish_command(
                session,
                command_id,
                CommandState.DONE,
                message=done.message,
                result=done.result,
                at=self._around.clock.now(),
            )
        return done

    async def _follow_up(self, done: Done) -> None:
        dispatcher = self._around.dispatcher
        if done.shards:
            dispatcher.announce(Work.LANES, done.shards)
        if done.follow_ids:
            dispatcher.announce(Work.FOLLOWS, done.follow_ids)
            dispatcher.announce(Work.PROTECT, done.follow_ids)
        if done.moves_money:
            dispatcher.announce(Work.TRANSFERS)
        if done.reconcile:
            dispatcher.announce(Work.RECONCILE, done.reconcile)
        if done.leader is not None:
            await self._feed.add(*done.leader)
            dispatcher.announce(Work.FIGURES)
        if done.wallets:
            await self._market_data.refresh_wallets(done.wallets)

    async def _refuse(self, command_id: CommandId, sentence: str) -> None:
        await self._around.database.write(
            lambda session: commands.finish_command(
                session,
                command_id,
                CommandState.REFUSED,
                message=sentence,
                result=None,
                at=self._around.clock.now(),
            )
        )
        self._on_answer(command_id)
