"""A change of margin that the venue did not answer is made once, or told: never guessed (C14)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.store.rows import AlarmRow, MarginAttemptRow, MarginMirrorRow
from copyplugin.venues.forwarding import ForwardingVenue
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin
from simexchange.core.types import MONEY_SCALE, PositionSide
from tests.simulation.copy_world import Plugin
from tests.simulation.faults import ProcessKilled
from tests.simulation.pair import SOL, Pair

LONG = PositionSide.LONG
LIVES = 10
"""Seconds in which a request that was not answered may still arrive."""


class LateVenue(ForwardingVenue):
    """A venue on whose line a change of margin is held up, lost, or answered to nobody."""

    def __init__(self, behind):
        super().__init__(behind)
        self.error: Callable[[], BaseException] | None = None
        self.arrives_first = False
        self.under_way: list[tuple[object, ...]] = []
        self.asked = 0

    @property
    def capabilities(self):
        return replace(super().capabilities, requests_live_seconds=LIVES)

    async def adjust_margin(self, account, symbol, position_side, money):
        self.asked += 1
        error, self.error = self.error, None
        self.under_way.append((account, symbol, position_side, money))
        if error is None or self.arrives_first:
            await self.arrive()
        if error is not None:
            raise error()

    async def arrive(self):
        await super().adjust_margin(*self.under_way.pop())


@dataclass
class Doubt:
    """A follower of half his leader's size, whose leader adds 100 and is not answered."""

    pair: Pair
    plugin: Plugin
    venue: LateVenue
    before: Decimal = Decimal(0)

    async def begin(self, error, *, arrives_first=False):
        self.before = self.margin
        self.venue.error, self.venue.arrives_first = error, arrives_first
        self.lead(100)
        await self.plugin.run_jobs("margin")
        assert self.venue.asked == 1

    def lead(self, money: int) -> None:
        self.pair.market.apply(AdjustMargin(self.pair.leader, SOL, LONG, money * MONEY_SCALE))

    @property
    def margin(self) -> Decimal:
        exchange = self.pair.market.exchange
        return Decimal(exchange.position(self.pair.sub_account, SOL, LONG).margin).scaleb(-8)

    @property
    def added(self) -> Decimal:
        return round(self.margin - self.before, 1)

    @property
    def is_done(self) -> bool:
        [mirror] = self.pair.rows(MarginMirrorRow)
        return mirror.is_done

    @property
    def told(self) -> list[str]:
        return [row.sentence for row in self.pair.rows(AlarmRow, AlarmRow.cleared_at.is_(None))]

    async def look_after(self, seconds: int) -> None:
        self.pair.market.clock.advance(seconds=seconds)
        await self.plugin.run_jobs("margin")


@pytest.fixture
def venue(market):
    return LateVenue(SimulatedVenue(market.simulation))


@pytest.fixture
async def doubt(plugin, market, venue):
    pair = await Pair(plugin, market).start(mode="multiple", factor="0.5", mirrors_margin=True)
    await pair.buy(20)
    await plugin.run_jobs("margin")
    return Doubt(pair, plugin, venue)


def unanswered():
    return OutcomeUnknown("the connection was cut")


async def test_a_request_that_arrives_late_is_not_made_a_second_time(doubt, venue):
    await doubt.begin(unanswered)
    await doubt.look_after(LIVES - 1)
    assert venue.asked == 1, "it may still arrive"
    await venue.arrive()
    await doubt.look_after(0)

    assert (venue.asked, doubt.added) == (1, 50)
    assert doubt.is_done
    assert doubt.pair.rows(MarginAttemptRow) == []


async def test_a_request_that_was_lost_is_made_once_more_when_it_can_arrive_no_more(doubt, venue):
    await doubt.begin(unanswered)
    await doubt.look_after(LIVES)

    assert (venue.asked, doubt.added) == (2, 50)
    assert doubt.is_done
    assert doubt.told == []


async def test_a_request_that_was_carried_out_and_not_answered_is_booked(doubt, venue):
    await doubt.begin(unanswered, arrives_first=True)
    await doubt.look_after(1)

    assert (venue.asked, doubt.added) == (1, 50)
    assert doubt.is_done
    assert doubt.pair.rows(MarginAttemptRow) == []


async def test_a_line_that_was_never_up_leaves_nothing_in_doubt(doubt, venue):
    await doubt.begin(lambda: VenueUnavailable("no connection"))
    assert doubt.pair.rows(MarginAttemptRow) == []
    await doubt.look_after(0)

    assert (venue.asked, doubt.added) == (2, 50)


@pytest.mark.parametrize("arrives_first", [True, False])
async def test_a_process_that_dies_between_call_and_booking_adds_it_once(
    doubt, venue, arrives_first
):
    with pytest.raises(ProcessKilled):
        await doubt.begin(ProcessKilled, arrives_first=arrives_first)
    await doubt.plugin.die()
    doubt.plugin.open()
    await doubt.plugin.start()
    await doubt.look_after(LIVES)
    assert venue.asked == 1, "it may have left just before the first look at it"
    for _ in venue.under_way[:]:
        await venue.arrive()
    await doubt.look_after(1)

    assert (venue.asked, doubt.added) == (1, 50)
    assert doubt.is_done


async def test_a_process_that_died_before_its_call_makes_it_up(doubt, venue):
    with pytest.raises(ProcessKilled):
        await doubt.begin(ProcessKilled)
    await doubt.plugin.die()
    doubt.plugin.open()
    await doubt.plugin.start()
    await doubt.look_after(0)
    await doubt.look_after(LIVES)

    assert (venue.asked, doubt.added) == (2, 50)
    assert doubt.is_done


async def test_where_the_position_has_changed_since_nothing_is_added_and_it_is_told(doubt, venue):
    await doubt.begin(unanswered)
    await doubt.pair.sell(10)
    assert doubt.pair.held() == 5
    for _ in range(4):
        await doubt.look_after(LIVES)

    assert venue.asked == 1
    [sentence] = doubt.told
    assert sentence.startswith("The leader changed the margin of this position, and 50 USDT were")
    assert "the venue did not say whether it was done" in sentence
    assert doubt.is_done
    assert doubt.pair.rows(MarginAttemptRow) == []


async def test_where_it_is_not_clear_the_next_wish_is_worked_out_from_what_is_there(doubt, venue):
    await doubt.begin(unanswered, arrives_first=True)
    await doubt.pair.sell(10)
    await doubt.look_after(LIVES)
    doubt.lead(40)
    await doubt.look_after(1)

    leader = doubt.pair.market.exchange.position(doubt.pair.leader, SOL, LONG)
    assert round(doubt.margin, 1) == round(Decimal(leader.margin).scaleb(-8) / 2, 1)
    assert doubt.told == []


async def test_a_leader_who_changes_his_mind_meanwhile_is_mirrored_from_what_is_there(doubt, venue):
    await doubt.begin(unanswered)
    doubt.lead(-40)
    await doubt.look_after(1)
    await venue.arrive()
    await doubt.look_after(1)

    assert (venue.asked, doubt.added) == (2, 30)
    assert doubt.is_done


async def test_contracts_that_left_before_it_was_made_take_their_part_of_it_along(doubt, venue):
    await doubt.begin(lambda: VenueUnavailable("no connection"))
    await doubt.pair.sell(10)
    doubt.before = doubt.margin
    await doubt.look_after(1)

    assert (venue.asked, doubt.added) == (2, 25)


async def test_an_engine_that_may_have_been_replaced_asks_for_nothing(doubt, venue):
    doubt.before = doubt.margin
    doubt.plugin.engine.around.is_at_work = lambda: False
    doubt.lead(100)
    await doubt.plugin.run_jobs("margin")
    assert (venue.asked, doubt.added) == (0, 0)
    doubt.plugin.engine.around.is_at_work = lambda: True
    for _ in range(2):
        await doubt.look_after(LIVES)

    assert (venue.asked, doubt.added) == (1, 50)
