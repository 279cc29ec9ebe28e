"""Worlds on the other database: a bad day ends where a good one on SQLite does."""

from tests.simulation.protected_crowd import ProtectedCrowd
from tests.simulation.worlds import FIXED, bad_day, end, good_day, lived

NUMBER = 1


async def test_a_bad_day_on_postgresql_ends_where_a_good_one_on_sqlite_does(postgres):
    bad = await lived(NUMBER, bad_day(NUMBER), modes=FIXED, url=postgres.migrated())
    good = await lived(NUMBER, good_day(NUMBER), modes=FIXED)

    bad.check_alive()
    bad.check_feed()
    assert bad.faults.happened > 0
    assert bad.holdings() == good.holdings() != {}
    await end(bad, good)


async def test_stops_are_booked_and_moved_on_postgresql_too(postgres):
    url = postgres.migrated()
    crowd = ProtectedCrowd(NUMBER, bad_day(NUMBER), prices_move=True, venue_answers=False, url=url)
    await crowd.start()
    while crowd.count_fires() == 0:
        await crowd.step()
    await crowd.recover()

    crowd.check_alive()
    crowd.check_protected()
    await end(crowd)
