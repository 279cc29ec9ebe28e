"""Changing the settings of a follow that runs: what counts when, and what is refused."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.plan_order import PlanState
from copyplugin.domain.skip import SkipReason
from copyplugin.store import follow_settings
from copyplugin.store import settings as stored
from copyplugin.store.rows import (
    CopyDecisionRow,
    CopyOrderRow,
    FollowHistoryRow,
    FollowProtectionRow,
    LaneRow,
    PlanOrderRow,
)
from simexchange.core.types import PositionSide, Side
from tests.simulation.pair import BTC, SOL, Pair

LONG = PositionSide.LONG


@pytest.fixture
def begin(plugin, market):
    async def begin(**terms):
        pair = await Pair(plugin, market).start(**terms)
        market.set_leverage(pair.leader, SOL, 2)  # so that no stop lies beyond liquidation
        return pair

    return begin


def settings(pair):
    with pair.plugin.database.read() as session:
        return follow_settings.settings_of(session, pair.follow)


async def change(pair, **changed):
    """Change these settings and leave the others: None takes one away."""
    given = settings(pair).arguments() | changed
    return await pair.plugin.command(
        CommandKind.CHANGE_FOLLOW,
        follow_id=pair.follow_id,
        **{name: value for name, value in given.items() if value is not None},
    )


def changes(pair) -> list[str]:
    rows = pair.rows(FollowHistoryRow, FollowHistoryRow.reason.startswith(follow_settings.CHANGED))
    return [row.reason for row in rows]


async def test_the_new_rule_counts_from_the_leaders_next_order(begin):
    pair = await begin(mode="multiple", factor="0.5")
    await pair.buy(10)

    answer = await change(pair, factor="2")
    assert answer.state is CommandState.DONE
    assert "from the leader's next order" in answer.message
    assert pair.held() == 5, "what is open stays as it is"
    await pair.buy(10)

    assert pair.held() == 25


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ({"mode": "multiple", "factor": "0.5"}, {"mode": "fixed", "factor": None}, [5, 10, 13]),
        ({"mode": "fixed"}, {"mode": "multiple", "factor": "2"}, [10, 20, 26]),
    ],
    ids=["from a rule of its own", "from a plain mode"],
)
async def test_an_order_that_still_fills_is_sized_to_its_end_as_it_was_begun(
    begin, market, before, after, held
):
    pair = await begin(**before)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 10, Decimal("150.00"))
    market.offer(SOL, Side.SELL, 100, Decimal("150.01"))  # beyond the leader's limit, not ours
    market.trade(pair.leader, SOL, Side.BUY, 20, LONG)
    await pair.plugin.settle()
    market.clock.advance(seconds=1)
    assert (pair.held_by_leader(), pair.held()) == (10, held[0])

    await change(pair, **after)
    market.offer(SOL, Side.SELL, 10, Decimal("150.00"))  # the rest of the leader's fills
    await pair.plugin.settle()
    market.clock.advance(seconds=1)
    await pair.plugin.settle()

    assert pair.held_by_leader() == 20
    assert pair.held() == held[1], "of all of it, by the rule it was begun with"
    pair.stand_by(SOL)
    await pair.buy(3)
    assert pair.held() == held[2], "the next one by the new rule"


async def test_a_rule_of_one_instrument_that_is_taken_away_counts_no_more(begin):
    pair = await begin(per_instrument={SOL: {"mode": "multiple", "factor": "3"}})
    await pair.buy(2)
    assert pair.held() == 6

    await change(pair, per_instrument=None)
    await pair.buy(2)
    await pair.buy(1, symbol=BTC)

    assert pair.held() == 8
    assert pair.held(symbol=BTC) == 1


async def test_a_follow_whose_mode_was_changed_twice_before_the_leader_traded_has_the_latest(begin):
    pair = await begin()

    await change(pair, mode="multiple", factor="3")
    await change(pair, mode="multiple", factor="4")
    await pair.buy(2)

    assert pair.held() == 8
    assert len(changes(pair)) == 2


async def test_a_cap_that_is_lowered_closes_nothing_and_holds_back_the_next_open(begin):
    pair = await begin()
    await pair.buy(10)

    await change(pair, total_value_max="100")  # 150 is open
    await pair.buy(10)

    assert pair.held() == 10
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPOSURE_CAPPED]
    await pair.sell(5)
    assert pair.held() == 7, "a third of his is closed, and a third of ours: no cap holds it back"


async def test_the_price_bound_counts_for_what_is_not_sent_yet(begin):
    pair = await begin()
    assert pair.follow.price_protection is None

    await change(pair, price_protection="0.002")
    await pair.buy(10)

    [order] = pair.rows(CopyOrderRow)
    assert order.limit_price == Decimal("150.30")


async def test_protection_is_moved_where_it_rests_and_never_missing(begin, market):
    pair = await begin(stop_loss="0.03")
    await pair.buy(10)
    seen: list[int] = []
    market.simulation.subscribe(
        lambda _: seen.append(len(market.exchange.open_plans(pair.sub_account)))
    )

    answer = await change(pair, stop_loss="0.05", take_profit="0.1")

    plans = {plan.kind.value: plan.resting_price for plan in pair.rows(PlanOrderRow)}
    assert answer.state is CommandState.DONE
    assert plans == {"stop_loss": Decimal("100.00"), "take_profit": Decimal("250.00")}
    assert min(seen) >= 1, "the stop was missing for a moment"


async def test_protection_that_is_switched_off_is_withdrawn(begin, market):
    pair = await begin(stop_loss="0.03")
    await pair.buy(10)

    await change(pair, stop_loss=None)

    assert market.exchange.open_plans(pair.sub_account) == []
    assert [plan.state for plan in pair.rows(PlanOrderRow)] == [PlanState.WITHDRAWN]


async def test_leverage_and_margin_mode_of_what_is_open_are_refused_with_a_sentence(begin):
    pair = await begin()
    await pair.buy(10)

    for changed in ({"leverage": "3"}, {"margin_mode": "cross"}, {"leverage_max": "1"}):
        answer = await change(pair, **changed)
        assert answer.state is CommandState.REFUSED
        assert answer.message.startswith("SOLUSDT is open: its leverage and margin mode")
    of_another = await change(pair, per_instrument={BTC: {"leverage": "3"}})
    assert of_another.state is CommandState.DONE
    await pair.sell(10)
    assert (await change(pair, leverage="3")).state is CommandState.DONE
    assert settings(pair).rule_for(SOL).leverage == 3


async def test_a_refused_change_leaves_everything_as_it_was(begin):
    pair = await begin(mode="multiple", factor="0.5", stop_loss="0.03")
    before = settings(pair)

    for changed in (
        {"factor": "0"},
        {"stop_loss": "0.04", "max_loss": "2000"},
        {"stop_loss": "0.04", "price_protection": "0.5"},
        {"per_instrument": {"ETHUSDT": {"leverage": "2"}}},
    ):
        answer = await change(pair, **changed)
        assert answer.state is CommandState.REFUSED, changed

    assert settings(pair) == before
    assert changes(pair) == []


async def test_a_change_is_in_the_history_with_what_it_changed_and_who(begin):
    pair = await begin(stop_loss="0.03", leverage="2")

    await change(pair, stop_loss="0.05", leverage=None, total_value_max="500")

    assert changes(pair) == [
        "settings changed: leverage 2 → none; stop loss 0.03 → 0.05; total value max none → 500"
    ]
    [row] = pair.rows(FollowHistoryRow, FollowHistoryRow.reason.startswith("settings"))
    assert row.actor == "administrator:test"
    assert row.from_state is row.to_state is pair.follow.state


async def test_a_form_that_was_opened_before_another_change_is_refused(begin):
    pair = await begin()
    assert (await change(pair, factor="2", mode="multiple", changes_seen=0)).state == "done"

    late = await change(pair, factor="3", changes_seen=0)

    assert late.state is CommandState.REFUSED
    assert "changed meanwhile" in late.message
    assert settings(pair).rule.factor == 2


async def test_nobody_changes_the_follow_of_another(begin):
    pair = await begin()

    refused = await change(pair, actor="follower:22", total_value_max="500")
    done = await change(pair, actor="follower:1", total_value_max="500")

    assert refused.message == "This is not a follow of yours."
    assert done.state is CommandState.DONE


async def test_what_is_sent_unchanged_changes_nothing(begin):
    pair = await begin(mode="multiple", factor="0.5", stop_loss="0.03")

    answer = await change(pair)

    assert answer.message == "Nothing was changed: the settings are as they were."
    assert changes(pair) == []


async def test_an_ended_follow_can_change_its_protection_only_and_a_closed_one_nothing(begin):
    pair = await begin(stop_loss="0.03")
    await pair.buy(10)
    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="follow_closes")

    assert "only its protection" in (await change(pair, total_value_max="500")).message
    assert (await change(pair, stop_loss="0.04")).state is CommandState.DONE
    [terms] = pair.rows(FollowProtectionRow)
    assert terms.stop_loss == Decimal("0.04")
    await pair.sell(10)
    assert "nothing to change" in (await change(pair, stop_loss="0.05")).message


async def test_what_was_carried_under_another_rule_is_forgotten(begin):
    pair = await begin(mode="multiple", factor="0.3", below_minimum="carry")
    await pair.buy(2)
    [lane] = pair.rows(LaneRow)
    assert lane.residue is not None

    await change(pair, factor="0.4")

    [lane] = pair.rows(LaneRow)
    assert lane.residue is None
    assert all(row.residue is None for row in pair.rows(CopyDecisionRow))


async def test_a_proportional_follow_may_keep_its_mode_when_it_is_offered_no_more(begin, plugin):
    pair = await begin(mode="proportional")
    plugin.database.write_and_wait(
        lambda s: stored.put_setting(
            s, stored.IS_OPEN_SCALE, "0", changed_by="test", at=plugin.clock.now()
        )
    )

    kept = await change(pair, order_margin_max="50")
    await change(pair, mode="fixed")
    back = await change(pair, mode="proportional")

    assert kept.state is CommandState.DONE
    assert back.message == "Proportional copying is switched off: choose the fixed mode."


async def test_the_margin_mode_of_the_next_open_is_the_new_one(begin):
    pair = await begin()

    await change(pair, margin_mode="isolated", leverage="4")
    await pair.buy(3)

    [position] = pair.positions
    assert (position.margin_mode, position.leverage) == (MarginMode.ISOLATED, 4)
