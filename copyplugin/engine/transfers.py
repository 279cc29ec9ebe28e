"""Money on its way: each planned transfer is made under its id until its outcome is known (M7)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from copyplugin.domain.account import TransferKind, TransferOutcome
from copyplugin.domain.identifiers import AccountId, FollowId, TransferId
from copyplugin.domain.paper import is_paper
from copyplugin.engine.attempts import attempt_all, in_sets
from copyplugin.engine.settling import LAST_CALL
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.store import follows, lane_work, transfers
from copyplugin.store.database import Session
from copyplugin.store.shortfalls import cut_share
from copyplugin.store.transfers import LONGEST_PAUSE, Attempt
from copyplugin.store.venue_terms import Allotment, drop_allotment, put_allotment

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = timedelta(seconds=1)
TOGETHER = 100
"""Transfers that are written down in one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What came of an attempt: made, refused for that reason, or not known why: tried again."""

    transfer_id: TransferId
    follow_id: FollowId
    attempts: int
    refused: str | None = None
    unknown: str | None = None
    is_cut: bool = False  # it is written down already, and what is left was planned anew


class Mover:
    """`turn` is served under `Work.TRANSFERS`; one slow transfer keeps nobody else waiting."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._busy: set[TransferId] = set()
        self._outcomes: list[_Outcome] = []

    async def turn(self, _: frozenset[int]) -> None:
        """Book what is back, and set every transfer that is due on its way."""
        outcomes, self._outcomes = self._outcomes, []
        await attempt_all(in_sets(outcomes, TOGETHER), self._book)
        now = self._around.clock.now()
        with self._around.database.read() as session:
            due = transfers.due_transfer_ids(session, now=now)
        waiting = [each for each in due if each not in self._busy]
        await attempt_all(in_sets(waiting, TOGETHER), self._send_off)

    async def _send_off(self, transfer_ids: Sequence[TransferId]) -> None:
        attempts = await self._write(lambda s: transfers.transfers_attempted(s, transfer_ids))
        for attempt in attempts:
            self._busy.add(attempt.request.transfer_id)
            name = f"transfer {attempt.request.transfer_id}"
            self._around.dispatcher.spawn(name, self._run(attempt))

    async def _run(self, attempt: Attempt) -> None:
        try:
            outcome = await self._move(attempt)
        except BaseException:  # a bug, or the end: the rows say that it was tried
            self._busy.discard(attempt.request.transfer_id)
            raise
        if outcome is None:
            self._busy.discard(attempt.request.transfer_id)
            return
        self._outcomes.append(outcome)
        self._around.dispatcher.announce(Work.TRANSFERS)

    async def _move(self, attempt: Attempt) -> _Outcome | None:
        """Make the transfer where it was not made; None where it may be another engine's by now.

        Not every venue refuses a transfer whose name it has seen.
        """
        try:
            known = await self._known(attempt)
            if known is not None:
                return known
            if not self._around.is_at_work():
                return None
            await self._around.venue.transfer(attempt.request)
        except TransferRejected as error:
            return await self._rejected(attempt, error)
        except (OutcomeUnknown, VenueUnavailable) as error:
            return _outcome(attempt, unknown=str(error))
        return _outcome(attempt)

    async def _known(self, attempt: Attempt) -> _Outcome | None:
        """Return what has come, or is to come, of an attempt without another request."""
        request = attempt.request
        if stays_where_it_is(self._around, request.from_account):
            return _outcome(attempt, refused=await self._why_not(attempt))
        # It may have been carried out by an attempt whose answer was lost.
        if attempt.number > 1 and (
            await self._around.venue.transfer_outcome(request) is TransferOutcome.DONE
        ):
            return _outcome(attempt)
        if self._gives_up(attempt):
            return _outcome(attempt, refused="the venue could not be reached")
        return None

    async def _rejected(self, attempt: Attempt, error: TransferRejected) -> _Outcome:
        """Give up what a follow was to begin with; what is owed is tried until it can be made."""
        if attempt.kind is TransferKind.FUND:
            return _outcome(attempt, refused=error.sentence)
        return _outcome(
            attempt, unknown=str(error), is_cut=await self._cut(attempt, error.sentence)
        )

    async def _cut(self, attempt: Attempt, reason: str) -> bool:
        """Cut a share to what is there where nothing more will be; return whether it was."""
        request, follow_id = attempt.request, attempt.follow_id
        if attempt.kind not in transfers.SHARES:
            return False
        try:
            left = (await self._around.venue.balance(request.from_account)).contract_available
        except VenueUnavailable:
            return False
        now = self._around.clock.now()

        def work(session: Session) -> bool:
            state = follows.get_follow(session, follow_id).state
            if state not in LAST_CALL or not lane_work.is_flat(session, follow_id):
                return False
            return cut_share(session, request.transfer_id, left=left, reason=reason, at=now)

        return await self._write(work)

    def _gives_up(self, attempt: Attempt) -> bool:
        if attempt.kind is not TransferKind.FUND:
            return False
        with self._around.database.read() as session:
            settings = self._around.settings_at(session, self._around.clock.now())
        return attempt.number > settings.open_attempts

    async def _why_not(self, attempt: Attempt) -> str | None:
        """Return why what no venue moves (V6) cannot be booked; None where it can.

        A follow begins with what its account holds already.
        """
        request = attempt.request
        if attempt.kind is not TransferKind.FUND:
            return None
        held = (await self._around.venue.balance(request.to_account)).contract_wallet
        if held == request.money:
            await self._write(lambda session: drop_allotment(session, request.to_account))
            return None
        seen = Allotment(account=request.to_account, held=held, at=self._around.clock.now())
        await self._write(lambda session: put_allotment(session, request.from_account, seen))
        return (
            f"This venue moves no money for us: account {request.to_account} stands ready "
            f"for you and holds {held.normalize():f} USDT. Choose that as copy amount, or "
            "move money there by hand first."
        )

    async def _book(self, outcomes: Sequence[_Outcome]) -> None:
        """Write down what came of these; what cannot be is asked for again, and stops no other."""
        try:
            await self._write_down(outcomes)
        except Exception:
            if len(outcomes) == 1:
                raise
            log.exception("transfers could not be booked together; they are booked one by one")
            await attempt_all(outcomes, lambda outcome: self._write_down([outcome]))

    async def _write_down(self, outcomes: Sequence[_Outcome]) -> None:
        now = self._around.clock.now()
        try:
            await self._write(lambda session: _write_down(session, outcomes, now))
        finally:
            self._busy.difference_update(outcome.transfer_id for outcome in outcomes)
        for outcome in outcomes:
            if outcome.is_cut:
                self._around.dispatcher.announce(Work.TRANSFERS)
            elif outcome.unknown is not None:
                at = now + _pause_after(outcome.attempts)
                self._around.dispatcher.announce_at(at, Work.TRANSFERS)
        self._around.dispatcher.announce(Work.FOLLOWS, {each.follow_id for each in outcomes})

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await self._around.database.write(work)


def _outcome(
    attempt: Attempt,
    *,
    refused: str | None = None,
    unknown: str | None = None,
    is_cut: bool = False,
) -> _Outcome:
    return _Outcome(
        transfer_id=attempt.request.transfer_id,
        follow_id=attempt.follow_id,
        attempts=attempt.number,
        refused=refused,
        unknown=unknown,
        is_cut=is_cut,
    )


def _pause_after(attempts: int) -> timedelta:
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 16), LONGEST_PAUSE)


def _write_down(session: Session, outcomes: Sequence[_Outcome], now: datetime) -> None:
    made: list[TransferId] = []
    for outcome in outcomes:
        if outcome.is_cut:
            continue
        if outcome.refused is not None:
            transfers.transfer_refused(session, outcome.transfer_id, reason=outcome.refused, at=now)
        elif outcome.unknown is not None:
            transfers.transfer_put_off(
                session,
                outcome.transfer_id,
                error=outcome.unknown,
                retry_at=now + _pause_after(outcome.attempts),
            )
        else:
            made.append(outcome.transfer_id)
    transfers.transfers_done(session, made, at=now)


def stays_where_it_is(around: Surroundings, account: AccountId) -> bool:
    """Return whether nothing moves money of this account for us; play money always moves."""
    moves = around.venue.capabilities.moves_money
    return moves is MovesMoney.NONE and not is_paper(account)


def escrow_seconds(around: Surroundings, *, is_paper: bool) -> int:
    """Return how long shares are held: not where no venue can bring them to who holds them."""
    can_move = around.venue.capabilities.moves_money is MovesMoney.FULL
    return around.settings.share_escrow_seconds if is_paper or can_move else 0
