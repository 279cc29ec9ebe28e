"""Take profit and stop loss: they rest at the venue, move with the position, and end the follow."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import update

from copyplugin.domain.account import TransferKind
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.notice import NoticeKind
from copyplugin.domain.order import OrderPurpose
from copyplugin.domain.plan_order import PlanState
from copyplugin.domain.protection import PlanKind
from copyplugin.store import protection
from copyplugin.store.rows import (
    AlarmRow,
    CopiedPositionRow,
    CopyOrderRow,
    FollowProtectionRow,
    LaneRow,
    NoticeRow,
    PlanOrderRow,
    TransferRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin, CancelPlanOrder, ForceReject
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.faults import Faults, FaultyVenue
from tests.simulation.pair import BTC, SOL, Pair
from tests.simulation.resting_plans import resting

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
def line():
    """Return the line to the venue: sound until a test breaks it."""
    return Faults(random=Random(1))


@pytest.fixture
async def plugin(tmp_path, market, line):
    made = Plugin(tmp_path, market, venue=FaultyVenue(SimulatedVenue(market.simulation), line))
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    """Return a follow of 1000 USDT with a take profit of 5 % and a stop loss of 3 %."""
    pair = await Pair(plugin, market).start(take_profit="0.05", stop_loss="0.03")
    market.set_leverage(pair.leader, SOL, 2)  # so that no stop lies beyond liquidation
    return pair


def alarms(pair, *, raised: bool = True) -> list[AlarmKind]:
    condition = AlarmRow.cleared_at.is_(None) if raised else AlarmRow.cleared_at.is_not(None)
    return [row.kind for row in pair.rows(AlarmRow, condition)]


async def pass_time(plugin, market, seconds):
    for _ in range(seconds):
        market.clock.advance(seconds=1)
        await plugin.settle()


async def test_a_position_has_both_plans_at_the_venue_as_soon_as_it_is_open(pair):
    await pair.buy(10)  # 1 SOL at 150: A · pct / (Vol · S) is 50 up and 30 down

    assert resting(pair) == {
        "take_profit rises": Decimal("200.00"),
        "stop_loss falls": Decimal("120.00"),
    }
    assert alarms(pair) == []


async def test_a_short_position_is_protected_the_other_way_round(pair):
    await pair.sell(10, leg=SHORT)  # at 149.99

    assert resting(pair) == {
        "take_profit falls": Decimal("99.99"),
        "stop_loss rises": Decimal("179.99"),
    }


async def test_plans_are_amended_in_place_with_every_add_and_reduce(pair):
    await pair.buy(10)
    names = [row.client_order_id for row in pair.rows(PlanOrderRow)]
    pair.set_price(SOL, "160.00")
    await pair.buy(10)  # 2 SOL at 155 on average
    assert resting(pair) == {
        "take_profit rises": Decimal("180.00"),
        "stop_loss falls": Decimal("140.00"),
    }

    await pair.sell(15)  # 0.5 SOL left: 100 up, 60 down

    assert resting(pair) == {
        "take_profit rises": Decimal("255.00"),
        "stop_loss falls": Decimal("95.00"),
    }
    assert [row.client_order_id for row in pair.rows(PlanOrderRow)] == names


async def test_where_the_venue_cannot_amend_the_new_plan_rests_before_the_old_is_withdrawn(
    pair, market, plugin, monkeypatch
):
    cannot = SimulatedVenue.capabilities.__class__(
        **{
            name: getattr(SimulatedVenue.capabilities, name)
            for name in SimulatedVenue.capabilities.__slots__
        }
        | {"amends_plans": False}
    )
    monkeypatch.setattr(SimulatedVenue, "capabilities", cannot)
    seen: list[int] = []
    market.simulation.subscribe(
        lambda _: seen.append(
            sum(plan.side < 0 for plan in market.exchange.open_plans(pair.sub_account))
        )
    )
    await pair.buy(10)
    first = seen.index(2)
    pair.set_price(SOL, "160.00")
    await pair.buy(10)

    assert resting(pair) == {
        "take_profit rises": Decimal("180.00"),
        "stop_loss falls": Decimal("140.00"),
    }
    assert min(seen[first:]) == 2, "for a moment less rested than should"
    assert max(seen) > 2
    states = [row.state for row in pair.rows(PlanOrderRow)]
    assert states == [PlanState.WITHDRAWN] * 2 + [PlanState.RESTING] * 2


async def test_plans_go_with_the_position(pair, market):
    await pair.buy(10)
    await pair.sell(10)

    assert market.exchange.open_plans(pair.sub_account) == []
    assert {row.state for row in pair.rows(PlanOrderRow)} == {PlanState.WITHDRAWN}
    assert pair.follow.state is FollowState.PENDING
    await pair.buy(5)
    assert len(resting(pair)) == 2


async def test_a_stop_that_fires_closes_the_position_and_ends_the_follow(pair, market, plugin):
    await pair.buy(10)
    await pair.buy(1, symbol=BTC)
    pair.market.offer(SOL, Side.BUY, 10, Decimal("118.50"))
    market.set_price(SOL, Decimal("119.00"))
    assert pair.held() == 0, "the venue closed it without us"

    await plugin.run_jobs("protect")

    assert pair.held(symbol=BTC) == 0
    assert pair.follow.state is FollowState.CLOSED
    assert pair.follow.end_kind is EndKind.POSITION_CLOSED
    assert pair.follow.end_reason == "stop loss in SOLUSDT long fired"
    assert [row.purpose for row in pair.rows(CopyOrderRow)] == [
        OrderPurpose.COPY,
        OrderPurpose.COPY,
        OrderPurpose.PROTECT,
        OrderPurpose.CLOSE,
    ]
    states = {row.kind: row.state for row in pair.rows(PlanOrderRow) if row.lane_id == 1}
    assert states[PlanKind.STOP_LOSS] is PlanState.BOOKED
    assert states[PlanKind.TAKE_PROFIT] is PlanState.WITHDRAWN
    assert market.exchange.account(pair.sub_account).contract_balance == 0
    await pair.buy(3)
    assert pair.held() == 0


async def hold_ten_and_take_profit(pair, market, plugin):
    await pair.buy(10)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 100, Decimal("201.00"))
    market.set_price(SOL, Decimal("201.50"))
    await plugin.run_jobs("protect")


async def test_a_take_profit_pays_the_leader_his_share_and_ends_the_follow(pair, market, plugin):
    await hold_ten_and_take_profit(pair, market, plugin)

    assert pair.follow.state is FollowState.CLOSED
    assert pair.follow.end_reason == "take profit in SOLUSDT long fired"
    assert market.spot(pair.leader) > 5  # a tenth of 51 less fees


async def test_the_follower_is_told_what_his_take_profit_closed_and_what_he_shared(
    pair, market, plugin
):
    await hold_ten_and_take_profit(pair, market, plugin)

    await plugin.run_jobs("notices")
    await plugin.run_jobs("notices")

    told = {row.kind: row for row in pair.rows(NoticeRow)}
    assert len(pair.rows(NoticeRow)) == len(told), "each was told once"
    [closed] = pair.rows(CopyOrderRow, CopyOrderRow.purpose == OrderPurpose.PROTECT)
    assert (
        f"closed 10 contracts of your long position in {SOL}, copied from "
        in told[NoticeKind.PROTECTION_FIRED].sentence
    )
    assert (
        f"result {closed.realized_pnl.normalize():f} USDT"
        in told[NoticeKind.PROTECTION_FIRED].sentence
    )
    [share] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert told[NoticeKind.SHARE_SETTLED].sentence.startswith(
        f"{share.money.normalize():f} USDT of your profit went to "
    )


async def test_a_fire_that_the_reconciliation_books_first_ends_the_follow_all_the_same(
    pair, market, plugin
):
    await pair.buy(10)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 10, Decimal("118.50"))
    market.set_price(SOL, Decimal("119.00"))
    await plugin.run_jobs("reconcile")
    assert [row.actual for row in pair.rows(LaneRow)] == [0]

    await plugin.run_jobs("protect")

    assert pair.follow.state is FollowState.CLOSED
    closed = [row for row in pair.rows(CopyOrderRow) if row.reduce_only]
    assert sum(row.filled for row in closed) == 10


async def test_a_fire_that_meets_an_empty_book_is_closed_by_us(pair, market, plugin):
    await pair.buy(10)
    market.cancel_offers(SOL)
    market.set_price(SOL, Decimal("119.00"))
    assert pair.held() == 10
    await plugin.run_jobs("protect")
    assert pair.follow.state is FollowState.CLOSING

    pair.stand_by(SOL)
    await pass_time(plugin, market, 31)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED


async def test_a_fire_whose_order_the_venue_refuses_is_closed_by_us(pair, market, plugin):
    await pair.buy(10)
    market.apply(ForceReject(pair.sub_account, "fire", 1))
    pair.set_price(SOL, "119.00")
    assert pair.held() == 10

    await plugin.run_jobs("protect")

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
    assert "refused its order" in pair.follow.end_reason


async def test_a_trigger_already_passed_when_it_is_placed_closes_the_position_at_market(
    pair, market, plugin
):
    market.apply(ForceReject(pair.sub_account, "plan", 2))
    await pair.buy(10)
    assert alarms(pair) == [AlarmKind.UNPROTECTED]
    pair.set_price(SOL, "119.00")
    await pass_time(plugin, market, 5)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
    assert "had passed" in pair.follow.end_reason
    assert alarms(pair) == []


async def test_a_refused_plan_is_an_alarm_and_is_tried_again_after_five_seconds(
    pair, market, plugin
):
    market.apply(ForceReject(pair.sub_account, "plan", 2))
    await pair.buy(10)
    assert resting(pair) == {}
    assert alarms(pair) == [AlarmKind.UNPROTECTED]
    with plugin.database.read() as session:
        assert list(protection.unprotected_positions(session)) == [1]

    await pass_time(plugin, market, 4)
    assert resting(pair) == {}
    await pass_time(plugin, market, 1)

    assert len(resting(pair)) == 2
    assert (alarms(pair), alarms(pair, raised=False)) == ([], [AlarmKind.UNPROTECTED])


async def test_a_clock_that_is_set_back_leaves_no_position_without_its_stop(pair, market, plugin):
    market.apply(ForceReject(pair.sub_account, "plan", 2))
    await pair.buy(10)
    plugin.clock.was_set_by = -timedelta(hours=1)

    await plugin.run_jobs("protect")

    assert len(resting(pair)) == 2


async def test_a_plan_that_somebody_else_withdrew_rests_again_with_the_next_job(
    pair, market, plugin
):
    await pair.buy(10)
    for view in market.exchange.open_plans(pair.sub_account):
        market.apply(CancelPlanOrder(pair.sub_account, view.symbol, view.plan_id))
    await plugin.run_jobs("protect")

    assert len(resting(pair)) == 2
    assert len(pair.rows(PlanOrderRow)) == 4


@pytest.mark.parametrize("lost", ["lost_answers", "lost_requests"])
async def test_a_plan_in_doubt_is_asked_for_and_never_rests_twice(plugin, market, line, lost):
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    setattr(line, lost, 1000)
    await plugin.command(
        CommandKind.SET_PROTECTION, follow_id=pair.follow_id, take_profit="0.2", stop_loss="0.01"
    )
    assert {row.state for row in pair.rows(PlanOrderRow)} == {PlanState.SENT}
    assert alarms(pair) == [AlarmKind.UNPROTECTED]
    await pass_time(plugin, market, 2)
    setattr(line, lost, 0)
    await pass_time(plugin, market, 5)

    assert len(resting(pair)) == 2
    assert len(market.exchange.open_plans(pair.sub_account)) == 2
    assert len(pair.rows(PlanOrderRow)) == 2
    assert alarms(pair) == []
    if lost == "lost_answers":  # it had arrived: asked for, not sent again
        assert len(plugin.venue.planned) == 2


async def test_a_liquidated_position_is_found_by_its_missing_stop(pair, market, plugin):
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(100)  # 75 of margin; the stop would fire at 30 of loss
    await plugin.command(CommandKind.SET_PROTECTION, follow_id=pair.follow_id, stop_loss="0.9")
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 5000 * MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("142.00"))
    market.set_price(SOL, Decimal("142.00"))
    assert pair.held() == 0

    await plugin.run_jobs("protect")

    assert [row.actual for row in pair.rows(LaneRow)] == [0]
    assert pair.follow.state is FollowState.PENDING
    assert {row.state for row in pair.rows(PlanOrderRow)} == {PlanState.WITHDRAWN}
    assert alarms(pair) == []


async def test_a_stop_that_lies_beyond_liquidation_is_an_alarm_with_the_ratio_that_works(
    pair, market, plugin
):
    await plugin.command(CommandKind.SET_PROTECTION, follow_id=pair.follow_id, stop_loss="0.15")
    market.set_leverage(pair.leader, SOL, 10)
    await pair.buy(100)  # 1500 USDT at leverage 10: 150 of margin, and a stop at 150 of loss
    await plugin.run_jobs("position data", "protect")

    [alarm] = pair.rows(AlarmRow)
    assert alarm.kind is AlarmKind.STOP_BEYOND_LIQUIDATION
    assert "at most 14." in alarm.sentence
    assert resting(pair) == {"stop_loss falls": Decimal("135.00")}
    await plugin.command(CommandKind.SET_PROTECTION, follow_id=pair.follow_id, stop_loss="0.14")
    assert resting(pair) == {"stop_loss falls": Decimal("136.00")}
    assert alarms(pair) == []


async def test_ratios_that_cannot_work_are_refused_with_the_greatest_that_does(plugin, market):
    pair = await Pair(plugin, market).start()
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(1)
    other = market.open_account("other", spot=5000 * 10**8)

    refused = await plugin.follow(1, other, stop_loss="0.95")
    assert refused.state is CommandState.REFUSED
    assert "SOLUSDT: at most 90.59 % works" in refused.message
    nothing = await plugin.follow(1, other, take_profit="0")
    assert "more than 0 %" in nothing.message
    assert pair.rows(FollowProtectionRow) == []
    greatest = refused.message.rsplit("at most ", 1)[1].split(" ")[0]
    started = await plugin.follow(1, other, stop_loss=str(Decimal(greatest) / 100))
    assert started.state is CommandState.DONE


async def test_closing_one_position_by_hand_leaves_the_other_protected(pair, market, plugin):
    await pair.buy(10)
    await pair.buy(1, symbol=BTC)
    position = next(row.id for row in pair.positions if row.symbol == SOL)
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=position)

    assert pair.held() == 0
    symbols = [view.symbol for view in market.exchange.open_plans(pair.sub_account)]
    assert symbols == [BTC, BTC]


async def test_positions_that_wind_down_keep_their_stop(pair, market, plugin):
    await pair.buy(10)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="follow_closes")
    await plugin.run_jobs("protect")
    assert len(resting(pair)) == 2

    pair.set_price(SOL, "119.00")
    await plugin.run_jobs("protect")

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED


async def test_a_stop_switched_off_is_withdrawn(pair, plugin):
    await pair.buy(10)
    await plugin.command(CommandKind.SET_PROTECTION, follow_id=pair.follow_id, take_profit="0.05")

    assert list(resting(pair)) == ["take_profit rises"]


async def test_a_stop_set_on_a_running_follow_rests_at_once_by_the_price_asked_for(plugin, market):
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    assert market.exchange.open_plans(pair.sub_account) == []

    done = await plugin.command(
        CommandKind.SET_PROTECTION, follow_id=pair.follow_id, stop_loss="0.03", trigger_by="last"
    )

    assert done.state is CommandState.DONE
    [view] = market.exchange.open_plans(pair.sub_account)
    assert view.trigger_by == "last"


async def test_what_the_rows_forgot_is_found_by_the_job(pair, plugin):
    await pair.buy(10)
    plugin.database.write_and_wait(
        lambda s: s.execute(update(PlanOrderRow).values(resting_price=Decimal("100.00")))
    )
    await plugin.run_jobs("protect")

    assert resting(pair)["stop_loss falls"] == Decimal("120.00")
    assert [row.symbol for row in pair.rows(CopiedPositionRow)] == [SOL]
