"""The computer's clock behind the `Clock` port; the one file of the plugin that reads it."""

from datetime import UTC, datetime


class SystemClock:
    """Time as the computer tells it; honours freezegun."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - every other file gets its time from here
