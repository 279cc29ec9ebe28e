"""Play money at a real venue's prices: what orders pay, what is refused, what funding costs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.fill import MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, TransferId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.domain.paper import is_paper, paper_main
from copyplugin.errors import (
    ConfigurationError,
    OrderRejected,
    RequestRejected,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.ports import FundingTerms, TellsFunding
from copyplugin.venues.paper import PaperSettings, PaperVenue
from copyplugin.venues.routed import RoutedVenue

SOL = Symbol("SOLUSDT")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MAIN = paper_main(AccountId("77"))
LISTED = Instrument(
    symbol=SOL,
    base="SOL",
    settle="USDT",
    tick_size=Decimal("0.01"),
    contract_size=Decimal("0.1"),
    contracts_min=Contracts(2),
    contracts_max=Contracts(1_000),
    notional_min=Money(Decimal(30)),
    leverage_max=Ratio(Decimal(50)),
    maker_fee=Ratio(Decimal("0.0002")),
    taker_fee=Ratio(Decimal("0.0006")),
    maintenance_rate=Ratio(Decimal("0.005")),
)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Prices:
    """A real venue as far as play money needs one: it tells prices, and is asked for no order."""

    name = "real"

    def __init__(self) -> None:
        self.listed = {SOL: LISTED}
        self.mark: Price | None = Price(Decimal(150))
        self.asked = 0

    async def instruments(self):
        return self.listed

    async def marks(self):
        self.asked += 1
        if self.mark is None:
            raise VenueUnavailable("silent")
        return {SOL: self.mark}


class FundedPrices(Prices):
    def __init__(self) -> None:
        super().__init__()
        self.terms = FundingTerms(rate=Ratio(Decimal("0.0003")), next_at=NOON + timedelta(hours=4))

    async def funding_terms(self):
        return {SOL: self.terms}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def prices():
    return FundedPrices()


@pytest.fixture
def settings(tmp_path):
    return PaperSettings(directory=tmp_path / "paper", slippage=Ratio(Decimal("0.001")))


@pytest.fixture
def venue(prices, clock, settings):
    made = PaperVenue(prices, clock, settings)
    yield made
    made.close()


async def funded(venue, money: int = 1_000) -> AccountId:
    account = await venue.open_sub_account(MAIN, "cp-follow-1")
    await venue.set_hedge_mode(account)
    await venue.transfer(fund(account, money))
    await venue.configure(account, SOL, Ratio(Decimal(10)), MarginMode.CROSS)
    return account


def fund(account: AccountId, money: int) -> TransferRequest:
    return TransferRequest(
        transfer_id=TransferId("fund-1"),
        from_account=MAIN,
        from_wallet=Wallet.SPOT,
        to_account=account,
        to_wallet=Wallet.CONTRACT,
        money=Money(Decimal(money)),
    )


def order(account: AccountId, contracts: int, name: str = "a-1", **changes) -> OrderRequest:
    given = {
        "account": account,
        "symbol": SOL,
        "order_side": OrderSide.BUY,
        "position_side": PositionSide.LONG,
        "contracts": Contracts(contracts),
        "limit_price": None,
        "time_in_force": TimeInForce.IOC,
        "reduce_only": False,
        "client_order_id": ClientOrderId(name),
    }
    return OrderRequest(**(given | changes))


def selling(account: AccountId, contracts: int, name: str) -> OrderRequest:
    return order(account, contracts, name, order_side=OrderSide.SELL, reduce_only=True)


async def test_a_buyer_pays_the_mark_and_the_slippage_a_seller_gets_less(venue):
    account = await funded(venue)

    bought = await venue.place_order(order(account, 10))
    sold = await venue.place_order(selling(account, 10, "a-2"))

    assert {fill.price for fill in bought.fills} == {Decimal("150.15")}
    assert {fill.price for fill in sold.fills} == {Decimal("149.85")}
    assert bought.fee == Decimal("150.15") * Decimal("0.0006")
    assert (await venue.positions(account)) == []


async def test_an_open_beyond_its_bound_is_not_filled(venue):
    account = await funded(venue)

    report = await venue.place_order(order(account, 10, limit_price=Price(Decimal("150.14"))))

    assert (report.filled, report.fills) == (0, ())


async def test_each_order_meets_a_fresh_mark(venue, prices, clock):
    account = await funded(venue)
    await venue.place_order(order(account, 10))
    prices.mark = Price(Decimal(160))

    soon = await venue.place_order(order(account, 10, "a-2"))
    clock.at += timedelta(seconds=3)
    later = await venue.place_order(order(account, 10, "a-3"))

    assert soon.fills[0].price == Decimal("150.15")
    assert later.fills[0].price == Decimal("160.16")


async def test_without_a_price_no_order_is_filled_nor_refused(venue, prices):
    account = await funded(venue)
    prices.mark = None

    with pytest.raises(VenueUnavailable):
        await venue.place_order(order(account, 10))
    assert await venue.find_order(account, SOL, ClientOrderId("a-1")) is None


@pytest.mark.parametrize(
    ("contracts", "reason"), [(1, "too_small"), (2, None), (1_001, "too_large")]
)
async def test_sizes_are_refused_by_the_venues_rules_of_today(venue, prices, contracts, reason):
    account = await funded(venue, 100_000)
    await venue.place_order(order(account, 10))
    prices.listed = {SOL: replace(LISTED, notional_min=Money(Decimal(20)))}
    venue.learn_instruments(prices.listed)

    if reason is None:
        assert (await venue.place_order(order(account, contracts, "b"))).filled == contracts
        return
    with pytest.raises(OrderRejected) as refused:
        await venue.place_order(order(account, contracts, "b"))
    assert refused.value.reason == reason


async def test_a_close_of_any_size_is_taken(venue):
    account = await funded(venue)
    await venue.place_order(order(account, 11))
    await venue.place_order(selling(account, 10, "a-2"))

    assert (await venue.place_order(selling(account, 1, "a-3"))).filled == 1


async def test_what_the_venue_does_not_trade_is_not_traded(venue):
    account = await funded(venue)

    with pytest.raises(OrderRejected, match="trades no DOGEUSDT"):
        await venue.place_order(order(account, 10, symbol=Symbol("DOGEUSDT")))


async def test_an_order_larger_than_the_maker_shows_is_filled_whole(venue, prices):
    prices.listed = {SOL: replace(LISTED, contracts_max=Contracts(10**9))}
    account = await funded(venue, 10**9)

    report = await venue.place_order(order(account, 20_000_000))

    assert report.filled == 20_000_000


async def test_funding_is_paid_at_the_venues_rate_and_time(venue, prices, clock):
    account = await funded(venue)
    await venue.place_order(order(account, 10))

    for minutes in (60, 239):
        clock.at = NOON + timedelta(minutes=minutes)
        await venue.learn_marks({SOL: Price(Decimal(200))})
    assert await venue.funding(account, None) == []
    clock.at = NOON + timedelta(hours=4, seconds=1)
    await venue.learn_marks({SOL: Price(Decimal(200))})

    [payment] = await venue.funding(account, NOON)
    assert payment.account == account
    assert payment.at == NOON + timedelta(hours=4)
    assert payment.payment == Decimal(200) * Decimal("0.0003")  # 10 × 0.1 SOL at the mark


async def test_a_venue_that_tells_no_funding_costs_none(clock, settings):
    prices = Prices()
    assert not isinstance(prices, TellsFunding)
    venue = PaperVenue(prices, clock, settings)
    account = await funded(venue)
    await venue.place_order(order(account, 10))

    clock.at += timedelta(days=2)
    await venue.learn_marks({SOL: Price(Decimal(200))})

    assert await venue.funding(account, None) == []
    venue.close()


async def test_it_comes_back_with_all_that_was(venue, prices, clock, settings):
    account = await funded(venue)
    report = await venue.place_order(order(account, 10))
    before = (await venue.balance(account), await venue.positions(account))
    venue.close()

    again = PaperVenue(prices, clock, settings)

    assert await again.find_order(account, SOL, ClientOrderId("a-1")) == report
    assert (await again.balance(account), await again.positions(account)) == before
    assert await again.transfer_outcome(fund(account, 1_000)) is TransferOutcome.DONE
    await again.transfer(fund(account, 1_000))  # once more moves nothing
    assert (await again.balance(account)).contract_wallet == before[0].contract_wallet
    with pytest.raises(RequestRejected, match="was used before"):
        await again.open_sub_account(MAIN, "cp-follow-1")
    again.close()


async def test_one_process_at_a_time_has_the_play_money(venue, prices, clock, settings):
    await funded(venue)

    with pytest.raises(ConfigurationError, match="in use by another process"):
        PaperVenue(prices, clock, settings)


async def test_a_clock_that_is_set_back_stops_nothing(venue, clock):
    account = await funded(venue)
    await venue.place_order(order(account, 10))
    clock.at -= timedelta(hours=1)

    assert (await venue.place_order(order(account, 10, "a-2"))).filled == 10


async def test_an_account_that_is_not_there_is_no_answer(venue):
    await funded(venue)

    with pytest.raises(VenueUnavailable, match="has no account paper-cp-follow-9"):
        await venue.balance(AccountId("paper-cp-follow-9"))


async def test_money_never_changes_its_kind(venue, prices):
    account = await funded(venue)
    routed = RoutedVenue(prices, venue)
    crossing = replace(fund(account, 5), transfer_id=TransferId("x"), to_account=AccountId("77"))

    with pytest.raises(TransferRejected, match="two kinds of money"):
        await routed.transfer(crossing)
    with pytest.raises(TransferRejected, match="two kinds of money"):
        await routed.transfer_outcome(crossing)
    assert is_paper(account)
