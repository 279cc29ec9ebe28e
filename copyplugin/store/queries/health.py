"""How the engine fares: jobs, drift, copy delay, and whether the ledger adds up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from copyplugin.domain.account import TransferState
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandState
from copyplugin.domain.follow import SHOWN_AS_COPYING, FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import LedgerEntryId
from copyplugin.domain.leader import ShareState
from copyplugin.domain.money import ZERO_MONEY
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.store.halts import halts_in_force
from copyplugin.store.protection import unprotected_positions
from copyplugin.store.queries.delay import Delay, copy_delay
from copyplugin.store.queries.orphans import Orphan, orphans_held
from copyplugin.store.queries.position_protection import AlarmLine, raised_alarms
from copyplugin.store.queries.spread import Spread, copy_spread
from copyplugin.store.rows import (
    CommandRow,
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    JobRunRow,
    LaneRow,
    LeaderFillRow,
    LedgerEntryRow,
    LedgerPostingRow,
    TransferRow,
)

SILENT_AFTER = timedelta(minutes=1)

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    name: str
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    backlog: int | None
    runs: int
    failures: int
    last_error: str | None  # of any run there was
    failing_since: datetime | None  # None: the last run went well


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerState:
    """`broken_entry` is the first entry whose postings do not sum to zero."""

    entries: int
    broken_entry: LedgerEntryId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    jobs: tuple[Job, ...]
    lanes: int
    lanes_drifting: int
    drift_contracts: int  # Σ |target − actual|
    follows_running: int
    paper_follows_running: int
    follows_aborting: int
    orders_copied: int
    orders_in_doubt: int
    orders_rejected: int
    orders_skipped: int
    last_leader_fill_at: datetime | None
    commands_pending: int
    shares_due: int
    transfers_open: int
    transfers_refused: int
    delay: Delay | None  # None: nothing copied yet
    spread: Spread | None  # None: nothing copied by several yet
    ledger: LedgerState
    positions_unprotected: int  # open, with a stop loss set and none at rest
    alarms: tuple[AlarmLine, ...]
    orphans: tuple[Orphan, ...]  # positions that no lane wants
    halts: tuple[str, ...]  # why opens are halted for a leader or for all, the latest first

    silent_since: datetime | None  # when the last job began, where that is long ago

    @property
    def is_well(self) -> bool:
        """Tell whether nothing needs an operator; drift while orders are on their way does not."""
        return (
            self.ledger.broken_entry is None
            and self.silent_since is None
            and self.lanes_drifting <= self.orders_in_doubt
            and not self.follows_aborting
            and not self.transfers_refused
            and not self.positions_unprotected
            and not self.alarms
            and not self.orphans
            and not any(job.failing_since for job in self.jobs)
        )


_WIDE = frozenset({HaltScope.GLOBAL, HaltScope.LEADER})


def health(session: Session, *, now: datetime) -> Health:
    lanes, drifting, drift = session.execute(
        select(
            func.count(),
            func.count().filter(LaneRow.target != LaneRow.actual),
            func.coalesce(func.sum(func.abs(LaneRow.target - LaneRow.actual)), 0),
        ).select_from(LaneRow)
    ).one()
    orders = _counts(session, CopyOrderRow.state)
    transfers = _counts(session, TransferRow.state)
    follows = dict(
        session.execute(
            select(FollowRow.state, func.count())
            .where(FollowRow.paper.is_(False))
            .group_by(FollowRow.state)
        ).all()
    )
    jobs = _jobs(session)
    return Health(
        jobs=jobs,
        silent_since=_silent_since(jobs, now),
        lanes=lanes,
        lanes_drifting=drifting,
        drift_contracts=drift,
        follows_running=sum(follows.get(state, 0) for state in SHOWN_AS_COPYING),
        paper_follows_running=_count(
            session, FollowRow.paper.is_(True) & FollowRow.state.in_(SHOWN_AS_COPYING)
        ),
        follows_aborting=follows.get(FollowState.ABORTING, 0),
        orders_copied=_copied(session),
        orders_in_doubt=orders.get(CopyOrderState.SENT, 0),
        orders_rejected=orders.get(CopyOrderState.REJECTED, 0),
        orders_skipped=_count(session, CopyDecisionRow.skip_reason.is_not(None)),
        last_leader_fill_at=session.scalar(select(func.max(LeaderFillRow.received_at))),
        commands_pending=_count(session, CommandRow.state == CommandState.PENDING),
        shares_due=_count(session, CopiedPositionRow.share_state == ShareState.DUE),
        transfers_open=transfers.get(TransferState.PLANNED, 0),
        transfers_refused=transfers.get(TransferState.REFUSED, 0),
        delay=copy_delay(session),
        spread=copy_spread(session),
        ledger=ledger_state(session),
        positions_unprotected=len(unprotected_positions(session)),
        alarms=tuple(
            alarm
            for alarm in raised_alarms(session)
            if alarm.kind is not AlarmKind.LEADER_MARGIN  # a word to the follower
        ),
        orphans=orphans_held(session),
        halts=tuple(row.reason for row in halts_in_force(session, _WIDE, now=now)),
    )


def _silent_since(jobs: tuple[Job, ...], now: datetime) -> datetime | None:
    """Return when the engine was last heard of, where that is too long ago for one that runs.

    The copy sweep alone runs every few seconds; None too where no job ever ran.
    """
    last = max((job.started_at for job in jobs), default=None)
    return last if last is not None and now - last > SILENT_AFTER else None


def ledger_state(session: Session) -> LedgerState:
    """Sum every entry; the chain of hashes is checked by the command and the job, not here."""
    broken = session.scalar(
        select(LedgerPostingRow.entry_id)
        .group_by(LedgerPostingRow.entry_id)
        .having(func.sum(LedgerPostingRow.money) != ZERO_MONEY)
        .order_by(LedgerPostingRow.entry_id)
        .limit(1)
    )
    entries = session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0
    return LedgerState(entries=entries, broken_entry=broken)


def _jobs(session: Session) -> tuple[Job, ...]:
    return tuple(
        Job(
            name=row.name,
            started_at=row.started_at,
            finished_at=row.finished_at,
            duration_ms=row.duration_ms,
            backlog=row.backlog,
            runs=row.runs,
            failures=row.failures,
            last_error=row.last_error,
            failing_since=row.failing_since,
        )
        for row in session.scalars(select(JobRunRow).order_by(JobRunRow.name))
    )


def _copied(session: Session) -> int:
    """Count the orders that follow a leader's and of which at least a part was filled."""
    return _count(session, (CopyOrderRow.purpose == OrderPurpose.COPY) & (CopyOrderRow.filled > 0))


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0


def _counts(session: Session, state: InstrumentedAttribute[State]) -> dict[State, int]:
    return dict(session.execute(select(state, func.count()).group_by(state)).all())
