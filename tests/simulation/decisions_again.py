"""Every recorded decision of a world taken again under the settings of its time."""

from datetime import UTC, datetime

from sqlalchemy import select

from copyplugin.domain.dry_run import FollowDryRun, Trial, dry_run
from copyplugin.setting_trial import SettingsOfThen, order_settings
from copyplugin.store.copy_stories import copy_stories
from copyplugin.store.rows import LeaderRow
from copyplugin.store.setting_changes import changes_made
from tests.simulation.copy_world import Plugin

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def decisions_again(plugin: Plugin) -> list[FollowDryRun]:
    """Return what came of it, follow by follow."""
    with plugin.database.read() as session:
        then = order_settings(SettingsOfThen(plugin.settings, changes_made(session)).at)
        trial = Trial(since=BEGINNING, in_force=then, tried=then, rule=lambda rule: rule)
        return [
            dry_run(story, trial)
            for leader_id in session.scalars(select(LeaderRow.id)).all()
            for story in copy_stories(session, leader_id, since=BEGINNING, zone=UTC)
        ]


def check_decisions_again(plugin: Plugin) -> None:
    """The settings of the time give every decision and every bound as recorded, and no other money.

    Whatever failed meanwhile: what decisions rested on stands in the rows.
    """
    for run in decisions_again(plugin):
        assert (run.unlike, run.unlike_orders) == ((), ()), "decisions do not come out as recorded"
        assert (run.least, run.most) == (0, 0)
        assert run.would_hold == run.held
