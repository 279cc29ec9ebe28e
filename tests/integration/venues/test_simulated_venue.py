"""The simulated exchange through the plugin's Venue port: units, ids, refusals, leader balances."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.fill import LeaderFill, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, TransferId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderRequest, OrderStatus, TimeInForce
from copyplugin.domain.sizing import leader_balance_before
from copyplugin.errors import OrderRejected, RequestRejected, TransferRejected
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import ManualClock
from simexchange.core import commands
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import OrderKind, Side
from simexchange.core.types import Wallet as VenueWallet
from simexchange.simulation import Simulation

BTC = Symbol("BTCUSDT")
MAKER, LEADER = 1, 2
ACCOUNT = AccountId("2")


def make_simulation() -> Simulation:
    simulation = Simulation(Exchange(ExchangeConfig(check_every=1)), ManualClock(1_000_000))
    simulation.apply(
        commands.ListInstrument(
            Instrument(
                symbol=BTC, base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
            )
        )
    )
    for _ in (MAKER, LEADER):
        simulation.apply(commands.OpenAccount())
    for account in (MAKER, LEADER):
        for wallet in (VenueWallet.SPOT, VenueWallet.CONTRACT):
            simulation.apply(commands.Deposit(account, wallet, 100_000 * 10**8))
    simulation.apply(commands.SetMark(BTC, 500_000))
    return simulation


def rest(simulation: Simulation, side: Side, price: int, contracts: int) -> None:
    simulation.apply(commands.PlaceOrder(MAKER, BTC, side, contracts, OrderKind.LIMIT, price=price))


def request(
    client_order_id: str,
    contracts: int = 3,
    *,
    order_side: OrderSide = OrderSide.BUY,
    limit_price: str | None = None,
    reduce_only: bool = False,
) -> OrderRequest:
    return OrderRequest(
        account=ACCOUNT,
        symbol=BTC,
        order_side=order_side,
        position_side=PositionSide.LONG,
        contracts=Contracts(contracts),
        limit_price=None if limit_price is None else Price(Decimal(limit_price)),
        time_in_force=TimeInForce.IOC,
        reduce_only=reduce_only,
        client_order_id=ClientOrderId(client_order_id),
    )


def transfer(transfer_id: str, money: str) -> TransferRequest:
    return TransferRequest(
        transfer_id=TransferId(transfer_id),
        from_account=ACCOUNT,
        from_wallet=Wallet.SPOT,
        to_account=ACCOUNT,
        to_wallet=Wallet.CONTRACT,
        money=Money(Decimal(money)),
    )


async def test_an_order_is_told_in_the_plugins_units() -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    rest(simulation, Side.SELL, 500_000, 2)
    rest(simulation, Side.SELL, 500_010, 2)

    report = await venue.place_order(request("a-1"))

    assert report.status is OrderStatus.DONE
    assert report.filled == 3
    assert report.filled_value == Decimal("150.001")  # 2 × 50.0000 + 1 × 50.0010
    assert [fill.price for fill in report.fills] == [Decimal("50000.0"), Decimal("50001.0")]
    assert report.fee == Decimal("0.07500050")
    (position,) = await venue.positions(ACCOUNT)
    assert position.position_side is PositionSide.LONG
    assert position.entry_cost == Decimal("150.001")


async def test_an_order_is_found_by_its_client_order_id_after_it_has_ended() -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    rest(simulation, Side.SELL, 500_000, 3)
    placed = await venue.place_order(request("a-1"))

    assert await venue.find_order(ACCOUNT, BTC, ClientOrderId("a-1")) == placed
    assert await venue.find_order(ACCOUNT, BTC, ClientOrderId("a-2")) is None


async def test_what_finds_no_counterparty_within_its_limit_is_told_with_a_reason() -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    rest(simulation, Side.SELL, 500_000, 1)
    rest(simulation, Side.SELL, 500_010, 5)

    report = await venue.place_order(request("a-1", limit_price="50000.0"))

    assert (report.status, report.filled) == (OrderStatus.DONE, 1)
    assert report.reason == "immediate_or_cancel"


async def test_a_refused_order_raises_and_changes_nothing() -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    before = await venue.balance(ACCOUNT)

    with pytest.raises(OrderRejected) as caught:
        await venue.place_order(request("a-1", order_side=OrderSide.SELL, reduce_only=True))

    assert caught.value.reason == "reduce_only_rejected"
    assert await venue.balance(ACCOUNT) == before


async def test_a_transfer_repeated_under_its_id_moves_money_once() -> None:
    venue = SimulatedVenue(make_simulation())

    assert (
        await venue.transfer_outcome(transfer("t", "0.00000001"))
        is TransferOutcome.UNKNOWN_TO_VENUE
    )
    await venue.transfer(transfer("t", "0.00000001"))
    await venue.transfer(transfer("t", "0.00000001"))

    assert await venue.transfer_outcome(transfer("t", "0.00000001")) is TransferOutcome.DONE
    assert (await venue.balance(ACCOUNT)).spot_available == Decimal("99999.99999999")
    with pytest.raises(TransferRejected):
        await venue.transfer(transfer("t", "0.00000002"))
    with pytest.raises(TransferRejected, match="insufficient_balance"):
        await venue.transfer(transfer("u", "100000"))


async def test_a_sub_account_of_one_label_is_opened_once_even_by_another_adapter() -> None:
    simulation = make_simulation()
    first = await SimulatedVenue(simulation).open_sub_account(ACCOUNT, "follow-1")

    again = SimulatedVenue(simulation)

    assert await again.open_sub_account(ACCOUNT, "follow-1") == first
    assert await again.open_sub_account(ACCOUNT, "follow-2") != first
    assert await again.knows_account(first)
    assert not await again.knows_account(AccountId("0"))
    assert not await again.knows_account(AccountId("nobody"))
    with pytest.raises(RequestRejected):
        await again.open_sub_account(AccountId("999"), "follow-1")


async def test_settings_already_as_asked_are_no_error_and_impossible_ones_are() -> None:
    venue = SimulatedVenue(make_simulation())

    for _ in range(2):
        await venue.set_hedge_mode(ACCOUNT)
        await venue.configure(ACCOUNT, BTC, Ratio(Decimal(20)), MarginMode.ISOLATED)

    for leverage in ("1.5", "100000"):
        with pytest.raises(RequestRejected, match="leverage_out_of_range"):
            await venue.configure(ACCOUNT, BTC, Ratio(Decimal(leverage)), MarginMode.ISOLATED)


async def test_a_stream_and_a_backfill_tell_the_same_fills() -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    streamed: list[LeaderFill] = []
    subscription = await venue.subscribe([ACCOUNT], streamed.append)
    rest(simulation, Side.SELL, 500_000, 2)
    rest(simulation, Side.SELL, 500_010, 2)
    await venue.place_order(request("a-1"))
    await subscription.close()
    rest(simulation, Side.SELL, 500_000, 2)
    await venue.place_order(request("a-2", 1))

    backfilled = list(await venue.leader_fills(ACCOUNT, None))

    assert len(streamed) == 2
    assert backfilled[:2] == streamed
    assert await venue.leader_fills(ACCOUNT, streamed[-1].venue_fill_id) == backfilled[2:]
    assert await venue.leader_fills(ACCOUNT, backfilled[-1].venue_fill_id) == []


@settings(max_examples=60, deadline=None)
@given(
    asks=st.lists(st.tuples(st.integers(500_000, 500_200), st.integers(1, 400)), max_size=5),
    contracts=st.integers(1, 1_500),
    held_before=st.integers(0, 200),
)
async def test_the_leaders_balance_before_an_open_follows_from_his_first_fill(
    asks: list[tuple[int, int]], contracts: int, held_before: int
) -> None:
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    streamed: list[LeaderFill] = []
    await venue.subscribe([ACCOUNT], streamed.append)
    if held_before:
        rest(simulation, Side.SELL, 500_000, held_before)
        await venue.place_order(request("earlier", held_before))
        streamed.clear()
    for price, size in asks:
        rest(simulation, Side.SELL, price, size)
    before = (await venue.balance(ACCOUNT)).contract_available

    simulation.apply(  # rests where it does not fill, so that a hold is part of it
        commands.PlaceOrder(
            LEADER,
            BTC,
            Side.BUY,
            contracts,
            OrderKind.LIMIT,
            price=500_100,
            position_side=commands.PositionSide.LONG,
        )
    )

    margin, fees = Money(Decimal(0)), Money(Decimal(0))
    for fill in streamed:
        assert fill.available_after is not None
        margin = Money(margin + margin_of(fill))
        fees = Money(fees + fill.fee)
        if not simulation.exchange.open_orders(LEADER):
            assert fill.available_after + margin + fees == before
    if streamed:
        first = streamed[0]
        assert first.available_after is not None
        found = leader_balance_before(
            available_after=first.available_after, initial_margin=margin_of(first), fee=first.fee
        )
        assert abs(found - before) <= Decimal("0.00000100")


def margin_of(fill: LeaderFill) -> Money:
    """Return the initial margin of one opening fill, rounded up to the unit."""
    value = Fraction(fill.price) * fill.contracts / 1000 / Fraction(fill.leverage)
    return Money(Decimal(-(-value * 10**8 // 1)).scaleb(-8))
