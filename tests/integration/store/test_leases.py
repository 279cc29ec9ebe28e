"""Leases: one owner at a time, by the database's clock; whoever has lost one writes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from copyplugin.store import leases
from copyplugin.store.rows import LeaseRow
from tests.integration.store.store_builders import make_follow, make_lane, make_leader

LONG, GONE = timedelta(minutes=5), timedelta(microseconds=-1)


def take(database, numbers, owner, length=LONG):
    return database.write_and_wait(lambda s: leases.take(s, numbers, owner=owner, length=length))


def test_a_lease_has_one_owner_until_it_runs_out(database):
    assert take(database, [1, 2], "a", GONE).keys() == {1, 2}
    assert take(database, [2, 3], "b") == {2: 2, 3: 1}

    assert take(database, [1, 2, 3], "c").keys() == {1}
    assert take(database, [2], "b") == {2: 2}  # its own again: no new epoch


def test_who_has_lost_a_lease_is_told_when_he_writes(database):
    take(database, [1], "a", GONE)

    def confirm(owner):
        return database.write_and_wait(lambda s: leases.confirm(s, [1], owner=owner))

    assert confirm("a") == {}
    assert take(database, [1], "b") == {1: 2}
    assert confirm("b") == {1: 2}
    assert (
        database.write_and_wait(lambda s: leases.keep(s, [1], owner="a", length=LONG))
        == frozenset()
    )


@pytest.mark.parametrize("marked", [True, False])
def test_a_lease_is_dropped_only_where_nothing_is_left_to_do(database, marked):
    def work(session):
        follow = make_follow(session, make_leader(session))
        make_lane(session, follow, marked=marked)
        return follow.shard

    shard = database.write_and_wait(work)
    take(database, [shard], "a")

    dropped = database.write_and_wait(lambda s: leases.drop_idle(s, [shard], owner="a"))

    assert dropped == (frozenset() if marked else {shard})
    held = database.write_and_wait(lambda s: leases.held(s, [shard]))
    assert held == (frozenset({shard}) if marked else frozenset())


def test_every_shard_has_a_lease_and_the_engine_one(database):
    with database.read() as session:
        numbers = set(session.scalars(select(LeaseRow.number)))
    assert numbers == {leases.ENGINE, *range(256)}
