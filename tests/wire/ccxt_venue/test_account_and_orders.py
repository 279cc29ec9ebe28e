"""The adapter on a served exchange: what it says is what the exchange has, to the last digit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.fill import FillCause, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, TransferId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderStatus, TimeInForce
from copyplugin.domain.plan_order import (
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.errors import OrderRejected, TransferRejected, VenueUnavailable
from simexchange.core import commands
from simexchange.core.types import OrderKind, Side
from tests.wire.ccxt_venue.stage import BTC, Stage
from tests.wire.rig import SYMBOL


async def test_an_instrument_has_the_exchanges_grid(stage: Stage) -> None:
    instruments = await stage.venue.instruments()
    assert set(instruments) == {"BTCUSDT", "ETHUSDT"}
    listed = instruments[BTC]
    assert (listed.base, listed.settle) == ("BTC", "USDT")
    assert (listed.tick_size, listed.contract_size) == (Decimal("0.1"), Decimal("0.001"))
    assert (listed.contracts_min, listed.contracts_max) == (1, 100_000)
    assert listed.notional_min == 5
    assert listed.leverage_max == 100
    assert listed.maintenance_rate == Decimal("0.005")
    assert (listed.taker_fee, listed.maker_fee) == (Decimal("0.00055"), Decimal("0.0002"))
    assert (await stage.venue.marks())[BTC] == 50_000


async def test_funding_is_told_before_it_is_paid(stage: Stage) -> None:
    expected = stage.rig.venue.simulation.exchange.funding(BTC)
    terms = (await stage.venue.funding_terms())[BTC]
    assert terms.rate == Decimal("0.0001")
    told_at = datetime.fromtimestamp(expected.next_funding_at // 1_000_000, tz=UTC)
    assert terms.next_at == told_at


async def test_an_order_is_traded_and_told_to_the_last_digit(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.venue.set_hedge_mode(stage.owner)
    report = await stage.trade(stage.order("a-1"))
    assert report.status is OrderStatus.DONE
    assert report.client_order_id == "a-1"
    assert (report.filled, report.filled_value) == (10, Decimal("500.01"))
    assert report.fee == Decimal("0.2750055")
    [fill] = report.fills
    assert (fill.price, fill.contracts) == (Decimal(50_001), 10)
    assert fill.liquidity is Liquidity.TAKER
    [position] = await stage.venue.positions(stage.owner)
    assert (position.symbol, position.position_side) == (BTC, PositionSide.LONG)
    assert (position.contracts, position.entry_cost) == (10, Decimal("500.01"))
    assert position.unrealized_pnl == Decimal("-0.01")
    assert position.margin == Decimal("50.001")
    assert (position.leverage, position.margin_mode) == (10, MarginMode.ISOLATED)
    balance = await stage.venue.balance(stage.owner)
    assert balance.contract_wallet == Decimal("9999.7249945")
    assert balance.contract_available == Decimal("9949.7239945")
    assert balance.equity == Decimal("9999.7149945")
    assert balance.spot_available == 1_000
    closed = await stage.trade(stage.order("a-2", closes=True))
    assert closed.realized_pnl == Decimal("-0.02")
    assert await stage.venue.positions(stage.owner) == []


async def test_an_order_that_fills_in_part_says_why_it_ended(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    report = await stage.trade(stage.order("a-1", limit="50000"))
    assert (report.status, report.filled, report.fills) == (OrderStatus.DONE, 0, ())
    assert report.reason in {"EC_NoImmediateQtyToFill", "EXPIRED"}


async def test_a_refusal_is_certain_and_named(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    with pytest.raises(OrderRejected) as nothing_held:
        await stage.venue.place_order(stage.order("a-1", closes=True))
    assert nothing_held.value.reason == "reduce_only_rejected"
    with pytest.raises(OrderRejected) as poor:
        await stage.venue.place_order(stage.order("a-2", 10_000))
    assert poor.value.reason == "insufficient_margin"
    with pytest.raises(OrderRejected) as far:
        await stage.venue.place_order(stage.order("a-3", 1, limit="4000"))
    assert far.value.reason == "price_outside_band"


async def test_leverage_and_margin_mode_are_set_once_and_again(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    for leverage, mode in (
        (20, MarginMode.CROSS),
        (20, MarginMode.CROSS),
        (7, MarginMode.ISOLATED),
    ):
        await stage.venue.configure(stage.owner, BTC, Ratio(Decimal(leverage)), mode)
        view = stage.position()
        assert (view.leverage, view.margin_mode.value) == (leverage, mode.value)
    await stage.trade(stage.order("a-1"))
    with pytest.raises(OrderRejected) as held:
        await stage.venue.configure(stage.owner, BTC, Ratio(Decimal(7)), MarginMode.CROSS)
    assert held.value.reason in {"margin_mode_refused", "open_position"}


async def test_an_account_without_a_key_is_not_known(stage: Stage) -> None:
    assert await stage.venue.knows_account(stage.owner)
    assert not await stage.venue.knows_account(AccountId("999999"))
    with pytest.raises(VenueUnavailable, match="connect it"):
        await stage.venue.balance(AccountId("999999"))


async def test_a_sub_account_is_made_once_funded_once_and_trades_with_its_own_key(
    stage: Stage,
) -> None:
    venue = stage.venue
    account = await venue.open_sub_account(stage.owner, "cp-follow-1")
    assert await venue.open_sub_account(stage.owner, "cp-follow-1") == account
    assert await venue.open_sub_account(stage.owner, "cp-follow-2") != account
    fund = TransferRequest(
        transfer_id=TransferId("fund-1"),
        from_account=stage.owner,
        from_wallet=Wallet.SPOT,
        to_account=account,
        to_wallet=Wallet.CONTRACT,
        money=Money(Decimal("250.12345678")),
    )
    assert await venue.transfer_outcome(fund) is TransferOutcome.UNKNOWN_TO_VENUE
    await venue.transfer(fund)
    await venue.transfer(fund)
    assert await venue.transfer_outcome(fund) is TransferOutcome.DONE
    assert (await venue.balance(account)).contract_wallet == Decimal("250.12345678")
    assert (await venue.balance(stage.owner)).spot_available == Decimal("749.87654322")
    await venue.set_hedge_mode(account)
    report = await stage.trade(stage.order("s-1", account=account))
    assert report.filled == 10
    assert stage.position().contracts == 0


async def test_a_lost_key_of_a_sub_account_is_replaced(stage: Stage) -> None:
    account = await stage.venue.open_sub_account(stage.owner, "cp-follow-1")
    lost = stage.keys.find(account)
    assert lost is not None
    del stage.keys._accounts[account]  # as after a crash before it was kept
    assert await stage.venue.open_sub_account(stage.owner, "cp-follow-1") == account
    kept = stage.keys.find(account)
    assert kept is not None
    assert kept.keys.key != lost.keys.key
    if stage.venue.name == "bybit":  # Binance lets a broker's key be
        assert len(stage.rig.call(lambda: stage.rig.venue.keys.of_account(int(account)))) == 1


async def test_money_of_another_owner_is_not_moved(stage: Stage) -> None:
    other = stage.open()
    stage.keys.keep(stage.known(other))
    request = TransferRequest(
        transfer_id=TransferId("share-1"),
        from_account=stage.owner,
        from_wallet=Wallet.SPOT,
        to_account=other,
        to_wallet=Wallet.SPOT,
        money=Money(Decimal(1)),
    )
    with pytest.raises(TransferRejected, match="inside one owner"):
        await stage.venue.transfer(request)
    assert await stage.venue.transfer_outcome(request) is TransferOutcome.UNKNOWN_TO_VENUE


async def test_an_order_that_was_never_sent_is_not_found(stage: Stage) -> None:
    unknown = ClientOrderId("nobody")
    with pytest.raises(VenueUnavailable, match="may still arrive"):
        await stage.venue.find_order(stage.owner, BTC, unknown)
    await stage.past_the_window()
    assert await stage.venue.find_order(stage.owner, BTC, unknown) is None


async def test_a_leaders_fills_carry_what_is_copied(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    assert await stage.venue.leader_fills(stage.owner, None) == []
    await stage.trade(stage.order("a-1"))
    await stage.trade(stage.order("a-2", 4, closes=True))
    await stage.trade(stage.order("a-3", 5, position_side=PositionSide.SHORT))
    opened, closed, short = await stage.venue.leader_fills(stage.owner, None)
    assert (opened.side, opened.position_side) == (OrderSide.BUY, PositionSide.LONG)
    assert (opened.contracts, opened.contracts_closed, opened.order_contracts) == (10, 0, 10)
    assert (opened.leverage, opened.margin_mode) == (10, MarginMode.ISOLATED)
    assert (opened.price, opened.fee) == (Decimal(50_001), Decimal("0.2750055"))
    assert opened.cause is FillCause.TRADE
    assert (closed.side, closed.position_side) == (OrderSide.SELL, PositionSide.LONG)
    assert (closed.contracts, closed.contracts_closed) == (4, 4)
    assert closed.realized_pnl == Decimal("-0.008")
    assert (short.side, short.position_side) == (OrderSide.SELL, PositionSide.SHORT)
    available = (await stage.venue.balance(stage.owner)).contract_available
    assert short.available_after == available
    assert (await stage.venue.leader_fills(stage.owner, closed.venue_fill_id)) == [short]
    assert (await stage.venue.leader_fills(stage.owner, short.venue_fill_id)) == []


async def test_a_liquidation_is_told_with_its_cause(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.trade(stage.order("a-1"))
    stage.rig.quote(SYMBOL, "44000", "60000", "20")
    stage.rig.set_price(SYMBOL, "44100")
    fills = await stage.venue.leader_fills(stage.owner, None)
    assert fills[0].cause is FillCause.TRADE
    assert {fill.cause for fill in fills[1:]} <= {FillCause.LIQUIDATION, FillCause.TAKEOVER}
    assert sum(fill.contracts for fill in fills[1:]) == 10
    assert await stage.venue.positions(stage.owner) == []


async def test_funding_is_told_as_paid(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.trade(stage.order("a-1"))
    await stage.trade(stage.order("a-2", 5, position_side=PositionSide.SHORT))
    stage.rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
    stage.rig.call(lambda: stage.rig.clock.advance(8 * 3_600 * 1_000_000))
    stage.rig.apply(commands.AdvanceTime())
    paid = {each.position_side: each for each in await stage.venue.funding(stage.owner, None)}
    assert paid[PositionSide.LONG].payment == Decimal("0.05")
    assert paid[PositionSide.SHORT].payment == Decimal("-0.025")


async def test_a_maker_pays_the_makers_fee(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    request = stage.order("m-1", limit="50000", time_in_force=TimeInForce.GTC)
    report = await stage.venue.place_order(request)
    assert report.status is OrderStatus.WORKING
    taker = stage.rig.open(contract=100_000)
    stage.rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.SELL, 10, OrderKind.MARKET))
    done = await stage.ended(request)
    assert done.fills[0].liquidity is Liquidity.MAKER
    assert done.fee == Decimal("0.1")


async def test_an_acknowledged_order_that_is_not_listed_yet_is_no_lost_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.past_the_window()
    await stage.venue.place_order(stage.order("late-1"))
    records = stage.rig.venue.records.of(int(stage.owner))
    known = records.by_client_id
    monkeypatch.setattr(records, "by_client_id", {})  # the venue's lists are behind
    with pytest.raises(VenueUnavailable, match="not listed yet"):
        await stage.venue.find_order(stage.owner, BTC, ClientOrderId("late-1"))
    monkeypatch.setattr(records, "by_client_id", known)
    report = await stage.venue.find_order(stage.owner, BTC, ClientOrderId("late-1"))
    assert report is not None
    assert report.filled == 10


async def test_a_plan_order_that_rested_for_weeks_is_found_with_its_fills(stage: Stage) -> None:
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.trade(stage.order("p-1"))
    plan = PlanRequest(
        account=stage.owner,
        symbol=BTC,
        position_side=PositionSide.LONG,
        order_side=OrderSide.SELL,
        contracts=Contracts(10),
        trigger_price=Price(Decimal(49_000)),
        trigger_by=TriggerBy.MARK,
        direction=TriggerDirection.FALLS,
        client_order_id=ClientOrderId("plan-1"),
    )
    assert (await stage.venue.place_plan(plan)).status is PlanStatus.RESTING
    assert [each.client_order_id for each in await stage.venue.plans(stage.owner)] == ["plan-1"]
    stage.rig.call(lambda: stage.rig.clock.advance(20 * 24 * 3_600 * 1_000_000))
    stage.rig.quote(SYMBOL, "48990", "49010", "20")
    stage.rig.set_price(SYMBOL, "48999")
    fired = await stage.venue.find_plan(stage.owner, BTC, ClientOrderId("plan-1"))
    assert fired is not None
    assert fired.status is PlanStatus.FIRED
    assert fired.fired_order is not None
    report = await stage.venue.find_order(stage.owner, BTC, fired.fired_order)
    assert report is not None
    assert (report.status, report.filled) == (OrderStatus.DONE, 10)
    assert report.realized_pnl == Decimal("-10.11")
