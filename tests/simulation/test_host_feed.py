"""Leaders whom the host tells of by signed messages are copied like any other (C1, V7)."""

import asyncio
from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandState
from copyplugin.errors import Refused
from copyplugin.host.feed import HostFeed, OutOfOrder
from copyplugin.host.signature import NotFromTheHost, sign
from copyplugin.store.database import open_database
from copyplugin.venues.host_fed import HostFedVenue
from simexchange.core.types import MONEY_SCALE, Side
from tests.databases import migrated_sqlite
from tests.simulation.copy_world import AMPLE, ExchangeClock, Plugin
from tests.simulation.host import SECRET, Host, WithoutLeaders, send, signed
from tests.simulation.pair import LONG, SHORT, SOL, Pair


class HostedPair(Pair):
    """One leader the venue knows nothing of, his host, and one follow."""

    def __init__(self, folder, market) -> None:
        url = migrated_sqlite(folder)
        self.clock = ExchangeClock(market.clock)
        self.pages = open_database(url)  # the process that takes the messages
        self.feed = HostFeed(self.pages, self.clock, SECRET)
        self.venue = WithoutLeaders(market.simulation)
        super().__init__(
            Plugin(folder, market, venue=HostFedVenue(self.venue, self.feed), url=url), market
        )

    async def begin(self, **terms: object) -> "HostedPair":
        self.leader = self.market.open_account("leader", contract=AMPLE)
        self.follower = self.market.open_account("follower", spot=50_000 * MONEY_SCALE)
        self.venue.leaders = {str(self.leader)}
        self.host = Host(WithoutLeaders(self.market.simulation), self.leader)
        self.stand_by(SOL)
        await self.plugin.start()
        await self.tell()
        leader_id = await self.plugin.add_leader(self.leader)
        started = await self.plugin.follow(leader_id, self.follower, **terms)
        assert started.state is CommandState.DONE, started.message
        self.follow_id = started.result["follow_id"]
        return self

    async def tell(self) -> None:
        send(self.feed, self.clock, await self.host.message())
        await self.hear()

    async def hear(self) -> None:
        """Let the loop run what the receiving thread put there, and all that follows from it."""
        await asyncio.sleep(0)
        await self.plugin.settle()

    def close(self) -> None:
        self.plugin.close()
        self.pages.close()


@pytest.fixture
async def hosted(tmp_path, market):
    pair = await HostedPair(tmp_path, market).begin()
    yield pair
    pair.close()


async def test_what_the_host_tells_is_copied_and_the_venue_is_not_asked_about_the_leader(hosted):
    await hosted.buy(10)
    assert hosted.held() == 0  # the exchange knows, the plugin has not been told

    await hosted.tell()
    assert hosted.held() == 10

    await hosted.sell(3)
    await hosted.sell(2, SHORT)
    await hosted.tell()
    assert (hosted.held(), abs(hosted.held(SHORT))) == (7, 2)

    await hosted.plugin.run_jobs()  # all of them by what was told


async def test_a_message_that_is_sent_again_is_copied_once(hosted):
    await hosted.buy(10)
    message = await hosted.host.message()
    first = send(hosted.feed, hosted.clock, message)
    again = send(hosted.feed, hosted.clock, message)
    await hosted.hear()

    assert (first.next_number, first.was_known) == (3, False)
    assert (again.next_number, again.was_known) == (3, True)
    assert hosted.held() == 10


async def test_a_message_before_its_turn_is_refused_with_the_number_that_is_missing(hosted):
    await hosted.buy(10)
    missing = await hosted.host.message()
    await hosted.sell(4)
    early = await hosted.host.message()

    with pytest.raises(OutOfOrder, match=r"Message 2 .* is missing") as refusal:
        send(hosted.feed, hosted.clock, early)
    await hosted.hear()
    assert (refusal.value.next_number, hosted.held()) == (2, 0)

    for message in (missing, early):
        send(hosted.feed, hosted.clock, message)
    await hosted.hear()
    assert hosted.held() == 6


async def test_a_number_that_comes_again_with_other_words_is_refused(hosted):
    await hosted.buy(10)
    message = await hosted.host.message()
    send(hosted.feed, hosted.clock, message)
    message["state"]["equity"] = "1"

    with pytest.raises(OutOfOrder, match="was taken before with other contents"):
        send(hosted.feed, hosted.clock, message)


async def test_a_fill_that_was_left_out_is_found_at_the_door(hosted):
    await hosted.buy(10)
    await hosted.buy(5)
    message = await hosted.host.message()
    del message["fills"][0]

    with pytest.raises(Refused, match=r"there are 5 contracts long .* the state says 15"):
        send(hosted.feed, hosted.clock, message)
    await hosted.hear()
    assert hosted.held() == 0


async def test_a_fill_that_an_earlier_message_told_is_refused(hosted):
    await hosted.buy(10)
    told = await hosted.host.message()
    send(hosted.feed, hosted.clock, told)
    again = await hosted.host.message()
    again["fills"] = told["fills"]

    with pytest.raises(Refused, match="was told in an earlier message"):
        send(hosted.feed, hosted.clock, again)


@pytest.mark.parametrize("part", ["body", "timestamp", "signature"])
async def test_who_does_not_hold_the_secret_is_not_heard(hosted, part):
    await hosted.buy(10)
    body, timestamp, signature = signed(hosted.clock, await hosted.host.message())
    forged = {
        "body": body.replace(b'"contracts": 10', b'"contracts": 99'),
        "timestamp": str(int(timestamp) + 1),
        "signature": sign("another secret", timestamp, body),
    }
    given = {"body": body, "timestamp": timestamp, "signature": signature}
    assert forged[part] != given[part]
    given[part] = forged[part]

    with pytest.raises(NotFromTheHost, match="does not fit"):
        hosted.feed.receive(
            given["body"], timestamp=given["timestamp"], signature=given["signature"]
        )


async def test_a_message_that_was_signed_long_ago_is_not_heard(hosted):
    await hosted.buy(10)
    body, timestamp, signature = signed(hosted.clock, await hosted.host.message())
    hosted.market.clock.advance(seconds=31)

    with pytest.raises(NotFromTheHost, match="more than 30 s"):
        hosted.feed.receive(body, timestamp=timestamp, signature=signature)


async def test_a_plugin_that_was_down_copies_what_was_told_meanwhile(hosted):
    hosted.plugin.database.close()
    hosted.market.trade(hosted.leader, SOL, Side.BUY, 10, LONG)
    send(hosted.feed, hosted.clock, await hosted.host.message())

    hosted.plugin.open()
    await hosted.plugin.start()
    assert hosted.held() == 10


async def test_proportional_following_uses_the_balance_that_the_host_told(tmp_path, market):
    pair = await HostedPair(tmp_path, market).begin(mode="proportional", copy_amount="10000")
    try:
        await pair.buy(4_000)
        message = await pair.host.message()
        for fill in message["fills"]:
            fill["available_after"] = "90000"
        send(pair.feed, pair.clock, message)
        await pair.hear()

        [told] = message["fills"]
        leverage, value = Decimal(told["leverage"]), 4_000 * Decimal("0.1") * Decimal(150)
        part = value / leverage / (90_000 + value / leverage + Decimal(told["fee"]))
        assert pair.held() == int(10_000 * leverage * part / (150 * Decimal("0.1")))
    finally:
        pair.close()
