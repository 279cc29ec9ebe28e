"""The log of fills and a venue that lists late and shares milliseconds: none lost, each once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copyplugin.domain.fill import LeaderFill, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio
from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.dialect import ListedFill
from copyplugin.venues.ccxt.fill_log import FillLog, with_available
from copyplugin.venues.ccxt.texts import fill_id, milliseconds_of, time_of
from tests.laws.venues.test_exact_texts import BTC

START_MS = 1_700_000_000_000
BOOK = {BTC.symbol: BTC}


def fill(number: int, at_ms: int, **more: object) -> LeaderFill:
    made = LeaderFill(
        venue_fill_id=fill_id(at_ms, f"e{number}"),
        order_id=VenueOrderId(f"o{number}"),
        account=AccountId("7"),
        symbol=BTC.symbol,
        side=OrderSide.BUY,
        position_side=PositionSide.LONG,
        contracts=Contracts(10),
        contracts_closed=Contracts(0),
        price=Price(Decimal(50_000)),
        fee=Money(Decimal("0.25")),
        realized_pnl=ZERO_MONEY,
        liquidity=Liquidity.TAKER,
        at=time_of(at_ms),
        leverage=Ratio(Decimal(10)),
        margin_mode=MarginMode.ISOLATED,
    )
    return replace(made, **more)


@dataclass
class Listing:
    """A venue's list of fills: what is in it is told, oldest first."""

    listed: list[LeaderFill] = field(default_factory=list)
    now_ms: int = START_MS
    asked: int = 0

    @property
    def capabilities(self):
        return type("Capabilities", (), {"tells_leader_balance": False})

    @property
    def ccxt(self):
        return self

    def nonce(self) -> int:
        return self.now_ms

    async def glance(self, client: object) -> None:
        return None

    async def fills(
        self, client: object, book: object, since: datetime, until: datetime, symbols: object
    ) -> Sequence[ListedFill]:
        self.asked += 1
        told = sorted((f for f in self.listed if f.at >= since), key=lambda f: f.at)
        return [ListedFill(fill=f) for f in told]


def log_of(listing: Listing) -> FillLog:
    async def client():
        return listing

    async def book():
        return BOOK

    return FillLog(listing, client, book, timedelta(days=30))


@dataclass
class Feed:
    """Who stores fills: knows each by its id, asks from the last one on.

    A new log begins in the venue's order: where the last one stored had come late, it tells again
    what was told before that one and is later by time. Nothing else is ever told twice.
    """

    listing: Listing
    stored: dict[VenueFillId, LeaderFill] = field(default_factory=dict)
    cursor: VenueFillId | None = None
    is_new: bool = False

    def __post_init__(self) -> None:
        self.log = log_of(self.listing)

    async def read(self) -> None:
        while True:
            is_new, self.is_new = self.is_new, False
            fills = await self.log.after(self.cursor)
            if not fills:
                return
            for each in fills:
                if each.venue_fill_id in self.stored:
                    assert is_new, "one log has told it twice"
                    assert self.cursor is not None
                    assert each.at >= self.stored[self.cursor].at, "it was before the cursor"
                self.stored[each.venue_fill_id] = each
            self.cursor = fills[-1].venue_fill_id

    def restart(self) -> None:
        self.log = log_of(self.listing)
        self.is_new = True


# A step: milliseconds that pass, how many fills happen then, how many of them are listed late, and
# what the reader does.
steps = st.lists(
    st.tuples(
        st.integers(0, 900),
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(["nothing", "read", "restart and read"]),
    ),
    max_size=25,
)


@given(steps)
@example([(0, 1, 1, "nothing"), (1, 1, 0, "read"), (0, 0, 0, "restart and read")])
@settings(max_examples=150)
def test_no_fill_is_lost_and_one_log_tells_none_twice(told_steps) -> None:
    async def play() -> None:
        listing = Listing()
        feed = Feed(listing)
        happened: list[LeaderFill] = []
        late: list[list[LeaderFill]] = [[], []]  # of the last step, and of the one before
        for number, (passed, count, hidden, act) in enumerate(told_steps):
            listing.listed += late.pop()  # two steps later, within the overlap
            listing.now_ms += passed
            new = [fill(number * 10 + n, listing.now_ms) for n in range(count)]
            happened += new
            visible = max(0, count - hidden)
            listing.listed += new[:visible]
            late.insert(0, new[visible:])
            if act == "restart and read":  # it takes longer than a venue needs to list a fill
                listing.listed += [each for some in late for each in some]
                late = [[], []]
                await feed.read()
                feed.restart()
            if act != "nothing":
                await feed.read()
        listing.listed += [each for some in late for each in some]
        await feed.read()
        assert set(feed.stored) == {each.venue_fill_id for each in happened}

    asyncio.run(play())


async def test_a_cursor_in_the_middle_of_a_millisecond_is_exact() -> None:
    listing = Listing([fill(number, START_MS) for number in range(5)])
    log = log_of(listing)
    all_of_them = list(await log.after(None))
    for place, each in enumerate(all_of_them):
        assert list(await log.after(each.venue_fill_id)) == all_of_them[place + 1 :]


async def test_after_a_restart_exactly_the_rest_is_told() -> None:
    """A baseline was taken at that fill: one told again that was never stored would be copied."""
    fills = [fill(n, START_MS + n // 3) for n in range(9)]
    for place, each in enumerate(fills):
        told = await log_of(Listing(list(fills))).after(each.venue_fill_id)
        assert list(told) == fills[place + 1 :]


@pytest.mark.parametrize("cursor", ["nonsense", "x-1", f"{START_MS}-unknown"])
async def test_a_cursor_of_elsewhere_is_refused(cursor: str) -> None:
    with pytest.raises(ConfigurationError, match="database belongs to another"):
        await log_of(Listing([fill(1, START_MS)])).after(VenueFillId(cursor))


async def test_a_cursor_that_the_venue_has_forgotten_is_taken() -> None:
    old = START_MS - milliseconds_of(datetime(1970, 3, 1, tzinfo=UTC))
    [told] = await log_of(Listing([fill(1, START_MS)])).after(VenueFillId(f"{old}-gone"))
    assert told.venue_fill_id == fill(1, START_MS).venue_fill_id


async def test_an_account_without_fills_is_not_read_from_the_beginning_each_time() -> None:
    listing = Listing()
    log = log_of(listing)
    assert await log.after(None) == []
    listing.now_ms += 60_000
    listing.listed.append(fill(1, listing.now_ms))
    assert len(await log.after(None)) == 1


def test_the_balance_before_the_order_follows_from_the_one_after_it() -> None:
    """C5: available after each fill + its margin + its fee is what was there before it."""
    listed = [ListedFill(fill=fill(n, START_MS + n)) for n in range(3)]
    written = [each.fill for each in with_available(listed, Money(Decimal(100)), BOOK)]
    assert [each.available_after for each in written] == [
        Decimal("200.5"),
        Decimal("150.25"),
        Decimal(100),
    ]


def test_before_a_close_nothing_is_known() -> None:
    closing = fill(1, START_MS, contracts_closed=Contracts(10))
    listed = [ListedFill(fill=each) for each in (fill(0, START_MS), closing, fill(2, START_MS + 2))]
    written = [each.fill for each in with_available(listed, Money(Decimal(100)), BOOK)]
    assert [each.available_after for each in written] == [None, Decimal("150.25"), Decimal(100)]


def test_what_rests_of_the_order_counts_as_available() -> None:
    resting = ListedFill(fill=fill(1, START_MS), resting_value=Money(Decimal(1000)))
    [written] = with_available([resting], Money(Decimal(100)), BOOK)
    assert written.fill.available_after == Decimal(100 + 100 + 1)  # margin, and two fees of 0.05 %
    assert Symbol("BTCUSDT") in BOOK
