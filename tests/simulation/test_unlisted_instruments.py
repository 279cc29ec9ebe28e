"""An instrument that the venue lists no more: it is closed by its last terms, and not opened."""

from dataclasses import replace

import pytest

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.store.rows import AlarmRow, CopyOrderRow
from copyplugin.venues.forwarding import ForwardingVenue
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import Side
from tests.simulation.pair import BTC, LONG, SOL, Pair


class VenueWithABook(ForwardingVenue):
    """Speaks only of instruments in a list of its own, and may lose some of those it trades."""

    def __init__(self, behind):
        super().__init__(behind)
        self.missing: set[str] = set()
        self.refuses = False
        self.loses_orders = False
        self.book: dict[Symbol, object] = {}

    @property
    def capabilities(self):
        return replace(super().capabilities, requests_live_seconds=10)

    def remember(self, instruments):
        self.book = {**instruments, **self.book}

    async def instruments(self):
        all_of_them = await super().instruments()
        listed = {each: terms for each, terms in all_of_them.items() if each not in self.missing}
        self.book.update(listed)
        return listed

    async def place_order(self, request):
        if self.loses_orders:
            raise OutcomeUnknown("the request was lost")
        if self.refuses or request.symbol not in self.book:
            raise OrderRejected("unknown_instrument", f"Nothing is known of {request.symbol}.")
        return await super().place_order(request)

    async def positions(self, account):
        return [held for held in await super().positions(account) if held.symbol in self.book]

    def begin_anew(self):
        """Forget what a process knows."""
        self.book = {}


@pytest.fixture
def venue(market):
    return VenueWithABook(SimulatedVenue(market.simulation))


@pytest.fixture
async def pair(plugin, market):
    pair = await Pair(plugin, market).start(mode="multiple", factor="0.5")
    await pair.buy(20)
    assert pair.held() == 10
    return pair


async def vanish(pair, venue, *, restarts: bool):
    venue.missing = {SOL}
    if restarts:
        await pair.plugin.die()
        venue.begin_anew()
        pair.plugin.open()
        await pair.plugin.start()
    await pair.plugin.run_jobs("position data")


async def pass_pauses(pair, times: int):
    for _ in range(times):
        pair.market.clock.advance(seconds=30)
        await pair.plugin.run_jobs("copy", "margin", "reconcile")
        await pair.plugin.settle()


@pytest.mark.parametrize("restarts", [False, True], ids=["the same process", "after a restart"])
async def test_what_vanished_from_the_list_is_closed_by_its_last_terms(pair, venue, restarts):
    await vanish(pair, venue, restarts=restarts)
    await pair.sell(20)
    await pass_pauses(pair, 1)

    assert pair.held() == 0
    assert pair.lanes_of() == {(SOL, 0, 0)}
    assert pair.rows(AlarmRow) == []


@pytest.mark.parametrize("restarts", [False, True], ids=["the same process", "after a restart"])
async def test_nothing_is_opened_in_it_and_the_reason_has_a_name(pair, venue, restarts):
    await vanish(pair, venue, restarts=restarts)
    await pair.buy(4)
    await pair.buy(2, symbol=BTC)

    assert [row.skip_reason for row in pair.skips] == ["instrument_unknown"]
    assert pair.held() == 10
    assert pair.held(symbol=BTC) == 1, "what is listed is copied"
    assert pair.follow.refusals_in_a_row == 0

    venue.missing.clear()
    await pair.plugin.run_jobs("position data")
    await pair.buy(4)
    assert pair.held() == 12


async def test_an_open_that_was_lost_is_not_sent_again_in_it(pair, venue):
    venue.loses_orders = True
    pair.market.trade(pair.leader, SOL, Side.BUY, 4, LONG)
    await pair.plugin.engine.feed.sweep()
    await pair.plugin.settle()
    venue.loses_orders = False
    [order] = pair.rows(CopyOrderRow, CopyOrderRow.state == CopyOrderState.SENT)
    await vanish(pair, venue, restarts=True)
    await pass_pauses(pair, 1)

    assert pair.held() == 10
    assert [row.skip_reason for row in pair.skips] == ["instrument_unknown"]
    [given_up] = pair.rows(CopyOrderRow, CopyOrderRow.id == order.id)
    assert given_up.state is CopyOrderState.EXPIRED


async def test_a_close_that_the_venue_refuses_is_tried_on_and_told_until_it_is_made(pair, venue):
    await vanish(pair, venue, restarts=False)
    venue.refuses = True
    await pair.sell(20)
    assert pair.rows(AlarmRow) == [], "the next try may do"
    await pass_pauses(pair, 6)

    assert pair.held() == 10
    [alarm] = pair.rows(AlarmRow, AlarmRow.cleared_at.is_(None))
    assert alarm.kind is AlarmKind.EXIT_REFUSED
    assert alarm.sentence.startswith("The venue refuses to close 10 contracts of SOLUSDT long: ")
    assert "It lists it no more." in alarm.sentence
    assert len(pair.rows(CopyOrderRow, CopyOrderRow.reduce_only)) > 4

    venue.refuses = False
    await pass_pauses(pair, 2)
    assert pair.held() == 0
    assert pair.rows(AlarmRow, AlarmRow.cleared_at.is_(None)) == []
