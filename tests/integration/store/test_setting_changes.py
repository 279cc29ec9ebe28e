"""Changes of settings as rows, on both databases: one decision each, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from copyplugin.domain.command import CommandKind
from copyplugin.domain.setting_change import SettingChangeState, SettingName
from copyplugin.errors import Refused
from copyplugin.store import schema, setting_changes
from copyplugin.store.commands import submit_command
from copyplugin.store.database import open_database, upgrade_database, writing_engine
from copyplugin.store.rows import SettingChangeRow
from tests.integration.store.store_builders import NOW

BOUND = SettingName.PRICE_BOUND_MAJOR
LATER = NOW + timedelta(hours=1)


def proposed(session) -> SettingChangeRow:
    return setting_changes.propose(
        session,
        BOUND,
        "0.01",
        value_before="0.005",
        reason="thin books",
        actor="operator:ann",
        at=NOW,
        expires_at=NOW + timedelta(days=3),
    )


def approved_by(session, actor, number=1):
    row = setting_changes.get_proposal(session, number, now=LATER)
    setting_changes.decide(
        session, row, SettingChangeState.APPROVED, actor=actor, decision="seen", at=LATER
    )


def test_a_change_is_in_force_from_its_approval_on(database):
    number = database.write_and_wait(lambda s: proposed(s).id)
    database.write_and_wait(lambda s: approved_by(s, "operator:bob", number))

    with database.read() as session:
        assert setting_changes.values_in_force(session, at=NOW) == {}
        assert setting_changes.values_in_force(session, at=LATER) == {BOUND: "0.01"}
        [row] = setting_changes.changes_made(session)
    assert (row.decided_by, row.decided_at, row.in_force_from) == ("operator:bob", LATER, LATER)


def test_of_many_approvals_at_once_one_is_taken(url, database):
    number = database.write_and_wait(lambda s: proposed(s).id)
    others = [open_database(url) for _ in range(4)]
    at_once = Barrier(len(others))

    def approve(each):
        at_once.wait()
        try:
            each.write_and_wait(lambda s: approved_by(s, f"operator:{id(each)}", number))
        except Refused as refusal:
            return refusal.sentence
        return "done"

    with ThreadPoolExecutor(len(others)) as pool:
        answers = list(pool.map(approve, others))
    for each in others:
        each.close()

    assert answers.count("done") == 1
    assert sum("nothing was done again" in answer for answer in answers) == len(others) - 1
    with database.read() as session:
        assert len(setting_changes.changes_made(session)) == 1


def test_a_proposal_is_gone_when_its_time_is_over_and_another_takes_its_place(database):
    database.write_and_wait(proposed)
    with pytest.raises(Refused, match="proposed already"):
        database.write_and_wait(proposed)
    late = NOW + timedelta(days=4)

    def anew(session):
        return setting_changes.propose(
            session,
            BOUND,
            None,
            value_before="0.005",
            reason="again",
            actor="operator:ann",
            at=late,
            expires_at=late + timedelta(days=3),
        ).id

    database.write_and_wait(anew)
    with database.read() as session:
        latest = setting_changes.latest_changes(session, limit=9)
        assert [row.state for row in latest] == [
            SettingChangeState.PROPOSED,
            SettingChangeState.EXPIRED,
        ]


def test_going_down_forgets_changes_and_their_commands(url):
    upgrade_database(url)
    database = open_database(url)

    def fill(session):
        number = proposed(session).id
        approved_by(session, "operator:bob", number)
        for kind in (CommandKind.PROPOSE_SETTING, CommandKind.HALT_COPYING):
            submit_command(session, kind, {}, actor="a", idempotency_key=kind, at=NOW)

    database.write_and_wait(fill)
    database.close()
    engine = writing_engine(url)
    schema.downgrade(engine, "0020")
    with engine.connect() as connection:
        kinds = connection.execute(text("SELECT kind FROM command")).scalars().all()
    engine.dispose()

    assert kinds == ["halt_copying"]
    upgrade_database(url)
    open_database(url).close()
