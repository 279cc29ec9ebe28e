"""What runs every few seconds reads what there is to do, not all there ever was."""

import re
from datetime import timedelta

import pytest

from copyplugin.store import (
    halts,
    lane_work,
    leader_margins,
    marking,
    news,
    notices,
    protection,
    venue_closes,
)
from copyplugin.store.statement import driver_connection
from tests.integration.store.store_builders import NOW

GROW_FOR_EVER = {
    "copy_order",
    "copied_position",
    "follow_history",
    "notice",
    "order_fill",
    "transfer",
}
AS_MANY_AS_FOLLOWERS = {"lane", "follow", "follower"}
SWEEPS = {
    "lanes with open work": lambda s: marking.mark_gaps(s, no_pause_after=NOW),
    "how many of them": lane_work.lanes_marked,
    "stops that do not rest": protection.unprotected_positions,
    "margins to mirror": leader_margins.mirrors_to_make,
    "halts that are over": lambda s: halts.lift_expired(s, now=NOW),
    "news of follows": lambda s: news.tell_of_history(s, after=1),
    "what the venue took": lambda s: venue_closes.tell_of_taken(s, after=NOW - timedelta(days=1)),
    "stops that closed": lambda s: venue_closes.tell_of_protection(
        s, after=NOW - timedelta(days=1)
    ),
    "shares that moved": lambda s: news.tell_of_settled(s, after=NOW - timedelta(days=1)),
    "new notices": lambda s: notices.dispatch(s, (), at=NOW),
}


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_sweep_reads_no_table_that_grows_from_end_to_end(database, sweep):
    def plans(session):
        connection, asked = driver_connection(session), []
        connection.set_trace_callback(asked.append)
        SWEEPS[sweep](session)
        session.flush()
        connection.set_trace_callback(None)
        return [
            (step[3], statement)
            for statement in asked
            for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    steps = database.write_and_wait(plans)

    assert steps, "nothing was asked"
    whole = [
        (table[1], statement)
        for step, statement in steps
        if (table := re.fullmatch(r"SCAN (\w+)", step))
        and table[1] in GROW_FOR_EVER | AS_MANY_AS_FOLLOWERS
    ]
    assert whole == []
