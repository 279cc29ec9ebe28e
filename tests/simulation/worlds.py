"""The kinds of worlds there are: each lives through a number's life and keeps its laws, or asserts.

A world's number is its seed; it says who follows how, what the leaders do and what fails.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import func, select

from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow
from tests.simulation.crowd import Crowd
from tests.simulation.faults import Faults
from tests.simulation.protected_crowd import ProtectedCrowd

FIXED = ("fixed", "fixed", "fixed")
STEPS_LEAST, STEPS_MOST = 2, 8


@dataclass(kw_only=True)
class Tally:
    """What worlds had in them."""

    faults: Counter[str] = field(default_factory=Counter[str])
    kills: int = 0
    orders: int = 0
    skips: int = 0

    def add(self, other: "Tally") -> None:
        self.faults += other.faults
        self.kills += other.kills
        self.orders += other.orders
        self.skips += other.skips


Kind = Callable[[int], Awaitable[Tally]]


def bad_day(number: int, *, rejected: int = 0) -> Faults:
    return Faults(
        random=Random(number + 1000),
        lost_requests=60,
        lost_answers=60,
        unavailable=60,
        rejected=rejected,
        kills=15,
        lost_wakes=200,
    )


def good_day(number: int) -> Faults:
    return Faults(random=Random(number), is_healed=True)


def kills_only(number: int) -> Faults:
    """Return a venue that answers, and a process that dies and is not woken."""
    return Faults(random=Random(number + 2000), kills=15, lost_wakes=200)


def steps_of(number: int) -> int:
    return Random(number + 3000).randint(STEPS_LEAST, STEPS_MOST)


async def live(crowd: Crowd, steps: int) -> Crowd:
    """Let a crowd start, trade so often, and recover."""
    await crowd.start()
    for _ in range(steps):
        await crowd.step()
    await crowd.recover()
    return crowd


async def lived(number: int, faults: Faults, **terms: object) -> Crowd:
    figures = number % 10 == 0  # reckoning what pages show takes most of a small world's time
    return await live(Crowd(number, faults, shows_figures=figures, **terms), steps_of(number))


async def end(*crowds: Crowd, then: Callable[[Crowd], None] = lambda _: None) -> Tally:
    """Let everybody go home, prove that all the money came with them, and tell of the worlds.

    And that every decision of theirs can be taken again.
    """
    told = Tally()
    for crowd in crowds:
        await crowd.end_all()
        then(crowd)
        crowd.check_alive()
        crowd.check_money_home()
        crowd.check_decisions()
        told.add(tally_of(crowd))
        crowd.plugin.close()
    return told


def tally_of(crowd: Crowd) -> Tally:
    with crowd.plugin.database.read() as session:
        orders = session.scalar(select(func.count()).select_from(CopyOrderRow))
        skipped = select(func.count()).where(CopyDecisionRow.skip_reason.is_not(None))
        skips = session.scalar(skipped)
    return Tally(
        faults=crowd.faults.struck, kills=crowd.kills, orders=orders or 0, skips=skips or 0
    )


async def twins(number: int) -> Tally:
    """Whatever fails, the followers end where nothing failed."""
    bad = await lived(number, bad_day(number), modes=FIXED)
    good = await lived(number, good_day(number), modes=FIXED)
    bad.check_alive()
    bad.check_feed()
    assert bad.holdings() == good.holdings()
    return await end(bad, good)


async def moving_prices(number: int) -> Tally:
    """Nothing is lost when prices move and orders are refused."""
    faults = bad_day(number, rejected=100)
    crowd = await lived(number, faults, prices_move=True, patience=number % 2 == 0)
    crowd.check_alive()
    crowd.check_feed()
    return await end(crowd)


async def slow_calls(number: int) -> Tally:
    """Calls that take long change nothing: no order is asked for before its answer."""
    slow = await lived(number, Faults(random=Random(number)), modes=FIXED, overlapping=True)
    good = await lived(number, good_day(number), modes=FIXED)
    slow.check_alive()
    slow.check_feed()
    assert slow.venue.asked == []
    assert slow.holdings() == good.holdings()
    return await end(slow, good)


async def slow_calls_that_fail(number: int) -> Tally:
    """Whatever fails while calls are out, nothing is lost."""
    crowd = await lived(number, bad_day(number), prices_move=True, overlapping=True)
    crowd.check_alive()
    crowd.check_feed()
    return await end(crowd)


async def stops_while_killed(number: int) -> Tally:
    """While the venue answers, no position is five seconds without its stop."""
    crowd = ProtectedCrowd(number, kills_only(number), prices_move=True)
    await live(crowd, steps_of(number) // 2)
    crowd.check_alive()
    crowd.check_protected()
    crowd.check_no_alarm()
    return await end(crowd)


async def stops_whatever_fails(number: int) -> Tally:
    """Whatever fails, everybody is protected or out in the end."""
    crowd = ProtectedCrowd(number, bad_day(number), prices_move=True, venue_answers=False)
    await live(crowd, steps_of(number) // 2)
    crowd.check_alive()
    crowd.check_protected()
    crowd.check_no_alarm()
    return await end(crowd)


async def stops_at_rest(number: int) -> Tally:
    """Stops that do not fire rest where they do without faults."""
    terms = {
        "stop_loss": "0.02", "take_profit": "0.03", "modes": ("fixed", "fixed"),
        "venue_answers": False,
    }  # fmt: skip
    steps = steps_of(number) // 2
    bad = ProtectedCrowd(number, bad_day(number), **terms)
    good = ProtectedCrowd(number, good_day(number), **terms)
    for crowd in (bad, good):
        await live(crowd, steps)
        crowd.check_protected()
    assert bad.holdings() == good.holdings()
    assert bad.resting() == good.resting()
    return await end(bad, good)
