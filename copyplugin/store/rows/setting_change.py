"""Changes of settings while copying goes on: proposed, decided upon, in force from when."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.setting_change import SettingChangeState, SettingName
from copyplugin.store.rows.base import KEY, Row

_OPEN = text("state = 'proposed'")


class SettingChangeRow(Row, kw_only=True):
    """`value` as an operator writes it; None: as the process is configured.

    `value_before` is what was in force when it was proposed. Only an approved change has
    `in_force_from` and a place in the `sequence` of decisions; of several for one setting the last
    in it counts, though a clock was set back.
    """

    __tablename__ = "setting_change"
    __table_args__ = (
        CheckConstraint(
            "(state = 'approved') = (in_force_from IS NOT NULL AND sequence IS NOT NULL)",
            "approved_is_in_force",
        ),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", "decided_once"),
        Index("uq_setting_change_sequence", "sequence", unique=True),
        Index(
            "uq_setting_change_name_open",
            "name",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    name: Mapped[SettingName]
    value_before: Mapped[str]
    value: Mapped[str | None]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[SettingChangeState] = mapped_column(default=SettingChangeState.PROPOSED)
    decided_by: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    decision: Mapped[str | None] = mapped_column(default=None)  # why, in words
    in_force_from: Mapped[datetime | None] = mapped_column(default=None)
    sequence: Mapped[int | None] = mapped_column(default=None)
