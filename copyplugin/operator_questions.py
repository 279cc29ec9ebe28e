"""What the operator's pages show: halts, what is owed, settings and their changes, dry runs."""

from dataclasses import dataclass
from datetime import datetime

from copyplugin.changeable_settings import configured_value, setting_text, with_changes
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.setting_change import (
    CHANGEABLE,
    ChangeableSetting,
    SettingChangeState,
    SettingName,
)
from copyplugin.ports import Clock
from copyplugin.setting_trial import TrialReport, try_settings
from copyplugin.settings import Settings
from copyplugin.store import halts, setting_changes
from copyplugin.store.database import Database, Session
from copyplugin.store.queries.leader_names import LeaderName, leader_names
from copyplugin.store.queries.payables import Payable, owed, owed_and_paid
from copyplugin.store.rows import HaltRow, SettingChangeRow
from copyplugin.store.settings import is_proportional_allowed
from copyplugin.trial_words import Tried

SHOWN = 50
"""So many halts that were lifted, and changes that were decided, are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HaltLine:
    """`leader` is the nickname where it is one's followers; lifted where `lifted_at` is set."""

    scope: HaltScope
    scope_id: int
    leader: str | None
    actor: str
    reason: str
    halted_at: datetime
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeLine:
    """A change of a setting; `value` None: back to what is configured."""

    number: int
    name: SettingName
    value_before: str
    value: str | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    state: SettingChangeState
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingLine:
    """What holds now; `change` is what made it so, None where it is as configured."""

    name: SettingName
    rule: ChangeableSetting
    value: str
    configured: str
    change: ChangeLine | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsNow:
    lines: tuple[SettingLine, ...]
    proposals: tuple[ChangeLine, ...]
    decided: tuple[ChangeLine, ...]
    needs_second_person: bool


class OperatorQuestions:
    """Answers are values that outlive the database session."""

    def __init__(self, database: Database, clock: Clock, configured: Settings) -> None:
        self._database = database
        self._clock = clock
        self._configured = configured

    def leaders(self) -> tuple[LeaderName, ...]:
        with self._database.read() as session:
            return leader_names(session)

    def halts(self) -> tuple[tuple[HaltLine, ...], tuple[HaltLine, ...]]:
        """Return what is halted now, and what was lifted lately."""
        now = self._clock.now()
        with self._database.read() as session:
            names = {leader.leader_id: leader.nickname for leader in leader_names(session)}
            in_force = halts.halts_in_force(session, frozenset(HaltScope), now=now)
            known = {row.id for row in in_force}
            over = [row for row in halts.all_halts(session, limit=SHOWN) if row.id not in known]
            return (
                tuple(_halt_line(row, names) for row in in_force),
                tuple(_halt_line(row, names) for row in over),
            )

    def payables(self, *, also_paid: bool) -> tuple[Payable, ...]:
        with self._database.read() as session:
            return tuple(owed_and_paid(session) if also_paid else owed(session))

    def settings_now(self) -> SettingsNow:
        now = self._clock.now()
        with self._database.read() as session:
            rows = setting_changes.in_force_rows(session, at=now)
            values = {name: row.value for name, row in rows.items() if row.value is not None}
            settings = with_changes(self._configured, values)
            is_scale = is_proportional_allowed(session)
            proposals = setting_changes.open_proposals(session, now=now)
            waiting = {row.id for row in proposals}
            return SettingsNow(
                lines=tuple(self._line(name, settings, rows, is_scale) for name in CHANGEABLE),
                proposals=tuple(_change_line(row) for row in proposals),
                decided=tuple(
                    _change_line(row)
                    for row in setting_changes.latest_changes(session, limit=SHOWN)
                    if row.id not in waiting
                ),
                needs_second_person=self._configured.second_person,
            )

    def try_settings(self, tried: Tried, *, hours: int) -> TrialReport:
        """Take the decisions of the last hours again; raises `Refused` where that cannot be."""
        with self._database.read() as session:
            return try_settings(
                session,
                self._configured,
                tried,
                hours=hours,
                now=self._clock.now(),
                leaders=_leaders(session),
            )

    def _line(
        self,
        name: SettingName,
        settings: Settings,
        rows: dict[SettingName, SettingChangeRow],
        is_scale: bool,  # noqa: FBT001 - the one setting that is kept in rows only
    ) -> SettingLine:
        row = rows.get(name)
        value = configured_value(settings, name)
        if name is SettingName.IS_OPEN_SCALE:
            value = int(is_scale)
        return SettingLine(
            name=name,
            rule=CHANGEABLE[name],
            value=setting_text(value),
            configured=setting_text(configured_value(self._configured, name)),
            change=None if row is None or row.value is None else _change_line(row),
        )


def _leaders(session: Session) -> list[tuple[LeaderId, str]]:
    return [(leader.leader_id, leader.nickname) for leader in leader_names(session)]


def _halt_line(row: HaltRow, names: dict[LeaderId, str]) -> HaltLine:
    leader = names.get(LeaderId(row.scope_id)) if row.scope is HaltScope.LEADER else None
    return HaltLine(
        scope=row.scope,
        scope_id=row.scope_id,
        leader=leader,
        actor=row.actor,
        reason=row.reason,
        halted_at=row.halted_at,
        until=row.until,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lift_reason=row.lift_reason,
    )


def _change_line(row: SettingChangeRow) -> ChangeLine:
    return ChangeLine(
        number=row.id,
        name=row.name,
        value_before=row.value_before,
        value=row.value,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision=row.decision,
    )
