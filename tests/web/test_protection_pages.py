"""What protects a follow, on the form, on a position's page and on the health page."""

import pytest

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandKind
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.plan_order import PlanState, TriggerBy, TriggerDirection
from copyplugin.domain.protection import PlanKind
from copyplugin.store.rows import (
    AlarmRow,
    FollowProtectionRow,
    HaltRow,
    LeaderMarginRow,
    PlanOrderRow,
)
from tests.web.builders import NOW, money, ratio

GOOD = {"instruments": ["BTCUSDT"], "mode": "fixed", "amount": "100", "idempotency_key": "k1"}


@pytest.fixture
def form(ben, small):
    return f"/koltrade/{small.bob}/copy"


@pytest.fixture
def protected(world, small):
    """Give Ben's open position a stop loss of 10 % of its copy amount, and no plan order yet."""
    world.add(FollowProtectionRow(follow_id=1, trigger_by=TriggerBy.MARK, stop_loss=ratio("0.1")))
    return small


def plan(world, state: PlanState) -> None:
    world.add(
        PlanOrderRow(
            lane_id=1,
            copied_position_id=1,
            kind=PlanKind.STOP_LOSS,
            sequence=1,
            client_order_id=ClientOrderId("cpL1P1"),
            state=state,
            contracts=Contracts(50),
            trigger_price=Price(ratio("57123.4")),
            trigger_by=TriggerBy.MARK,
            direction=TriggerDirection.FALLS,
            decided_at=NOW,
        )
    )


def test_percentages_become_ratios_of_the_command(ben, form, commands):
    ben.post(
        form,
        data=GOOD
        | {
            "take_profit": "50",
            "stop_loss": "12.5",
            "trailing_stop": "20",
            "max_loss": "60",
            "max_day_loss": "30.5",
            "losing_positions": "3",
        },
    )

    [(_, arguments, _, _)] = commands.given
    assert (
        arguments.items()
        >= {
            "take_profit": "0.50",
            "stop_loss": "0.125",
            "trailing_stop": "0.20",
            "max_loss": "60",
            "max_day_loss": "30.5",
            "losing_positions": 3,
        }.items()
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"stop_loss": "ten"}, "Write the number with digits and a point"),
        ({"max_loss": "1e9"}, "Write the number with digits and a point"),
        ({"losing_positions": "1.5"}, "Write a whole number, for example 5."),
    ],
)
def test_what_is_no_number_gets_a_sentence_and_no_command(ben, form, commands, typed, sentence):
    answer = ben.post(form, data=GOOD | typed)

    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert commands.given == []


def test_the_form_says_how_near_a_liquidation_lies_where_the_leader_has_traded(ben, world, form):
    assert "liquidated about" not in ben.get(form).get_data(as_text=True)

    world.leader_trade(2, leverage=ratio("20"))
    text = ben.get(form).get_data(as_text=True)

    assert "BTCUSDT at 20×, as the leader" in text
    assert "liquidated about 4." in text


def test_a_position_shows_the_stop_that_rests(ben, world, protected):
    plan(world, PlanState.RESTING)
    text = ben.get("/my/positions/1").get_data(as_text=True)

    assert "57,123.4" in text
    assert "Rests at the venue" in text
    health = ben.get("/health").get_data(as_text=True)
    assert "no stop loss at the venue" not in health


def test_a_position_without_its_stop_is_told_on_both_pages(ben, world, protected, queries):
    world.add(
        AlarmRow(
            kind=AlarmKind.UNPROTECTED,
            follow_id=1,
            copied_position_id=1,
            sentence="No stop loss rests at the venue. forced: not today",
            raised_at=NOW,
        )
    )
    page = ben.get("/my/positions/1").get_data(as_text=True)
    health = ben.get("/health").get_data(as_text=True)

    assert "nothing rests now" in page
    assert "forced: not today" in page
    assert "1 position has no stop loss at the venue." in health
    assert "Position 1: No stop loss rests at the venue." in health
    assert not queries.health().is_well


def test_both_liquidation_prices_stand_side_by_side(ben, world, small):
    world.add(
        LeaderMarginRow(
            leader_id=1,
            symbol="BTCUSDT",
            position_side=PositionSide.LONG,
            contracts=Contracts(50),
            entry_cost=money(3000),
            margin=money(900),
            leverage=ratio("10"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=Price(ratio("42000.0")),
            at=NOW,
        )
    )
    text = ben.get("/my/positions/1").get_data(as_text=True)

    assert "Estimated liquidation price" in text
    assert "s liquidation price</dt>" in text
    assert "42,000.0" in text


def test_a_halt_of_an_operator_is_on_the_health_page(ben, world, small):
    world.add(
        HaltRow(
            scope=HaltScope.GLOBAL,
            scope_id=0,
            actor="operator",
            reason="the venue behaves oddly",
            halted_at=NOW,
        )
    )

    assert "the venue behaves oddly" in ben.get("/health").get_data(as_text=True)


def test_a_follow_is_paused_and_resumed_from_my_copies(ben, world, commands, small):
    assert "/my/follows/1/pause" in ben.get("/my/copies/follows").text
    assert "Nothing new is opened until you resume." in ben.get("/my/follows/1/pause").text
    ben.post("/my/follows/1/pause", data={"idempotency_key": "p"})
    world.add(
        HaltRow(scope=HaltScope.FOLLOW, scope_id=1, actor="ben", reason="by hand", halted_at=NOW)
    )

    page = ben.get("/my/copies/follows").text
    ben.post("/my/follows/1/resume", data={"idempotency_key": "r"})

    assert "Paused" in page
    assert "/my/follows/1/resume" in page
    assert [given[:2] for given in commands.given] == [
        (CommandKind.HALT_COPYING, {"scope": "follow", "follow_id": 1}),
        (CommandKind.RESUME_COPYING, {"scope": "follow", "follow_id": 1}),
    ]


def test_what_an_operator_halted_is_not_for_the_follower_to_resume(ben, world, small):
    world.add(
        HaltRow(scope=HaltScope.LEADER, scope_id=1, actor="operator", reason="odd", halted_at=NOW)
    )
    page = ben.get("/my/copies/follows").text

    assert "Paused" in page
    assert "/my/follows/1/resume" not in page
    assert "/my/follows/1/pause" not in page
    assert ben.get("/my/follows/99/pause").status_code == 404
