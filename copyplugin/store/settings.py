"""What operators set by key and value (K8), with who changed it and when."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.store.rows import SettingRow

IS_OPEN_SCALE = "isOpenScale"
"""Proportional copying is offered where this is '1' (C5); the seed's own name for it."""


def get_setting(session: Session, key: str) -> str | None:
    """Return what was set, or None where the default holds."""
    row = session.get(SettingRow, key)
    return None if row is None else row.value


def put_setting(session: Session, key: str, value: str, *, changed_by: str, at: datetime) -> None:
    row = session.get(SettingRow, key)
    if row is None:
        session.add(SettingRow(key=key, value=value, changed_by=changed_by, changed_at=at))
        return
    row.value = value
    row.changed_by = changed_by
    row.changed_at = at


def is_proportional_allowed(session: Session) -> bool:
    return get_setting(session, IS_OPEN_SCALE) == "1"


def settings_set(session: Session) -> dict[str, SettingRow]:
    """Return everything that was ever set, by key."""
    return {row.key: row for row in session.scalars(select(SettingRow).order_by(SettingRow.key))}
