"""Money on its way: each planned transfer is made under its id until its outcome is known (M7)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from copyplugin.domain.account import (
    TransferKind,
    TransferOutcome,
    TransferRequest,
    TransferState,
)
from copyplugin.domain.identifiers import AccountId, FollowId, TransferId
from copyplugin.domain.paper import is_paper
from copyplugin.engine.settling import LAST_CALL, SHARES
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.store import follows, lane_work, transfers
from copyplugin.store.database import Session
from copyplugin.store.shortfalls import cut_share
from copyplugin.store.venue_terms import Allotment, drop_allotment, put_allotment

T = TypeVar("T")

FIRST_PAUSE = timedelta(seconds=1)


class Mover:
    """`turn` is served under `Work.TRANSFERS`; one slow transfer keeps nobody else waiting."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._busy: set[TransferId] = set()

    async def turn(self, _: frozenset[int]) -> None:
        """Set every transfer that is due on its way."""
        now = self._around.clock.now()
        with self._around.database.read() as session:
            due = [(row.id, row.follow_id) for row in transfers.due_transfers(session, now=now)]
        for transfer_id, follow_id in due:
            if transfer_id not in self._busy:
                self._busy.add(transfer_id)
                self._around.dispatcher.spawn(
                    f"transfer {transfer_id}", self._run(transfer_id, follow_id)
                )

    async def _run(self, transfer_id: TransferId, follow_id: FollowId) -> None:
        try:
            await self._move(transfer_id)
        finally:
            self._busy.discard(transfer_id)
        self._around.dispatcher.announce(Work.FOLLOWS, (follow_id,))

    async def _move(self, transfer_id: TransferId) -> None:
        venue = self._around.venue
        request, attempts, kind = await self._write(lambda s: _attempt(s, transfer_id))
        try:
            if stays_where_it_is(self._around, request.from_account):
                await self._enter(request, kind)
                return
            # It may have been carried out by an attempt whose answer was lost.
            if attempts > 1 and (await venue.transfer_outcome(request) is TransferOutcome.DONE):
                await self._write(lambda s: _done(s, transfer_id, self._around.clock.now()))
                return
            if kind is TransferKind.FUND and attempts > await self._write(self._attempts_of_start):
                await self._refuse(transfer_id, "the venue could not be reached")
                return
            await venue.transfer(request)
        except TransferRejected as error:
            await self._rejected(request, kind, attempts, error)
        except (OutcomeUnknown, VenueUnavailable) as error:
            await self._put_off(transfer_id, attempts, str(error))
        else:
            await self._write(lambda s: _done(s, transfer_id, self._around.clock.now()))

    def _attempts_of_start(self, session: Session) -> int:
        now = self._around.clock.now()
        return self._around.settings_at(session, now).open_attempts

    async def _rejected(
        self, request: TransferRequest, kind: TransferKind, attempts: int, error: TransferRejected
    ) -> None:
        """Give up what a follow was to begin with; what is owed is tried until it can be made."""
        if kind is TransferKind.FUND:
            await self._refuse(request.transfer_id, error.sentence)
        elif not await self._cut(request, kind, error.sentence):
            await self._put_off(request.transfer_id, attempts, str(error))

    async def _cut(self, request: TransferRequest, kind: TransferKind, reason: str) -> bool:
        """Cut a share to what is there where nothing more will be; return whether it was."""
        if kind not in SHARES:
            return False
        try:
            left = (await self._around.venue.balance(request.from_account)).contract_available
        except VenueUnavailable:
            return False
        now = self._around.clock.now()

        def work(session: Session) -> bool:
            follow_id = transfers.get_transfer(session, request.transfer_id).follow_id
            state = follows.get_follow(session, follow_id).state
            if state not in LAST_CALL or not lane_work.is_flat(session, follow_id):
                return False
            return cut_share(session, request.transfer_id, left=left, reason=reason, at=now)

        return await self._write(work)

    async def _enter(self, request: TransferRequest, kind: TransferKind) -> None:
        """Book what no venue moves (V6): a follow begins with what its account holds already."""
        if kind is TransferKind.FUND:
            held = (await self._around.venue.balance(request.to_account)).contract_wallet
            if held != request.money:
                seen = Allotment(account=request.to_account, held=held, at=self._around.clock.now())
                await self._write(lambda s: put_allotment(s, request.from_account, seen))
                await self._refuse(
                    request.transfer_id,
                    f"This venue moves no money for us: account {request.to_account} stands ready "
                    f"for you and holds {held.normalize():f} USDT. Choose that as copy amount, or "
                    "move money there by hand first.",
                )
                return
            await self._write(lambda s: drop_allotment(s, request.to_account))
        await self._write(lambda s: _done(s, request.transfer_id, self._around.clock.now()))

    async def _refuse(self, transfer_id: TransferId, reason: str) -> None:
        now = self._around.clock.now()
        await self._write(
            lambda s: _refused(s, transfer_id, reason, now),
        )

    async def _put_off(self, transfer_id: TransferId, attempts: int, error: str) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 16), transfers.LONGEST_PAUSE)
        retry_at = self._around.clock.now() + pause
        await self._write(
            lambda s: transfers.transfer_put_off(s, transfer_id, error=error, retry_at=retry_at)
        )
        self._around.dispatcher.announce_at(retry_at, Work.TRANSFERS)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await self._around.database.write(work)


def stays_where_it_is(around: Surroundings, account: AccountId) -> bool:
    """Return whether nothing moves money of this account for us; play money always moves."""
    moves = around.venue.capabilities.moves_money
    return moves is MovesMoney.NONE and not is_paper(account)


def _attempt(
    session: Session, transfer_id: TransferId
) -> tuple[TransferRequest, int, TransferKind]:
    request = transfers.transfer_attempted(session, transfer_id)
    row = transfers.get_transfer(session, transfer_id)
    return request, row.attempts, row.kind


def _done(session: Session, transfer_id: TransferId, at: datetime) -> None:
    transfers.transfer_done(session, transfer_id, at=at)


def _refused(session: Session, transfer_id: TransferId, reason: str, at: datetime) -> None:
    row = transfers.get_transfer(session, transfer_id)
    if row.state is TransferState.PLANNED:
        transfers.transfer_refused(session, transfer_id, reason=reason, at=at)
