"""What the pages read, on a real database, against figures worked out by hand."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.leader import LeaderStatus
from copyplugin.domain.skip import SkipReason
from copyplugin.store import rows
from copyplugin.store.queries.leaders import LeaderFilter, LeaderOrder
from tests.web.builders import BTC, NOW, money, ratio


def names(queries, *, visitor=None, **wanted):
    found = queries.leaders(LeaderFilter(**wanted), visitor=visitor, page=1, page_size=24)
    return [card.leader.nickname for card in found.cards]


@pytest.fixture
def five(world):
    """Five leaders, each alone first by something; Eve follows two of them."""
    world.instrument()
    ids = {}
    for name, profit, margin, won in [
        ("Income", "500", "5000", 5),
        ("Yield", "100", "200", 4),
        ("Winner", "50", "1000", 9),
        ("Pinned", "1", "1000", 1),
        ("Loser", "-80", "400", 2),
    ]:
        pinned = NOW if name == "Pinned" else None
        ids[name] = world.leader(name, pinned_at=pinned)
        world.statistics(
            ids[name],
            total_profit=money(profit),
            total_margin=money(margin),
            trades_won=won,
        )
    eve = world.follower("Eve")
    world.follow(ids["Loser"], eve, created_at=NOW - timedelta(hours=1))
    world.follow(ids["Winner"], eve, created_at=NOW - timedelta(hours=2))
    return ids | {"eve": eve}


def test_leaders_are_listed_followed_pinned_income_yield(queries, five):
    everybody = ["Pinned", "Income", "Yield", "Winner", "Loser"]
    assert names(queries) == everybody
    assert names(queries, visitor=five["eve"]) == ["Loser", "Winner", "Pinned", "Income", "Yield"]


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        (LeaderOrder.INCOME, "Income", "Loser"),
        (LeaderOrder.YIELD, "Yield", "Loser"),
        (LeaderOrder.WIN_RATE, "Winner", "Pinned"),
    ],
)
def test_leaders_are_sorted_by_what_was_asked(queries, five, order, first, last):
    listed = names(queries, order=order)

    assert (listed[0], listed[-1]) == (first, last)


def test_leaders_are_filtered_by_figure_and_name(queries, five):
    assert names(queries, income_min=money(100)) == ["Income", "Yield"]
    assert names(queries, yield_min=ratio("0.5")) == ["Yield"]
    assert names(queries, win_rate_min=ratio("0.5")) == ["Income", "Winner"]
    assert names(queries, search="WINN") == ["Winner"]


def test_a_leader_without_figures_comes_last_and_fails_bounds(queries, world, five):
    world.leader("New")

    assert names(queries, order=LeaderOrder.INCOME)[-1] == "New"
    assert "New" not in names(queries, income_min=money(-1000))


def test_a_full_leader_can_be_hidden(queries, world, five):
    full = world.leader("Full", max_followers=1)
    world.follow(full, five["eve"])
    sold_out = world.leader("Sold out", total_copy_amount=money(105))
    world.follow(sold_out, five["eve"])

    assert {"Full", "Sold out"} <= set(names(queries))
    assert not {"Full", "Sold out"} & set(names(queries, hide_full=True))


def test_a_prohibited_leader_is_on_no_page(queries, world, five):
    gone = world.leader("Gone", status=LeaderStatus.PROHIBITED)

    assert "Gone" not in names(queries)
    assert queries.leader_page(gone, None) is None
    assert queries.follow_terms(gone, five["eve"]) is None


def test_the_last_page_answers_for_those_beyond_it(queries, five):
    found = queries.leaders(LeaderFilter(), visitor=None, page=9, page_size=2)

    assert (found.page.number, found.page.pages, len(found.cards)) == (3, 3, 1)


def test_an_ended_follow_frees_the_button(queries, world, five):
    world.follow(five["Income"], five["eve"], state=FollowState.CLOSED)

    assert queries.leader_card(five["Income"], five["eve"]).follow_id is None
    assert queries.leader_card(five["Winner"], five["eve"]).follow_id is not None


def test_figures_are_derived_from_the_sums(queries, small):
    figures = queries.leader_page(small.ada, None).card.figures

    assert figures.accumulated_yield == Fraction(1205, 10_000)
    assert figures.win_rate == Fraction(6, 10)
    assert figures.win_rate_14_days == Fraction(3, 4)


def test_the_limitation_is_what_is_left_of_the_total(queries, world, small):
    leader = world.leader("Busy", total_copy_amount=money(150), max_copy_amount=money(120))
    before = queries.leader_card(leader, None).places.limitation
    world.follow(leader, small.eve, copy_amount=money(100))
    after = queries.leader_card(leader, None).places.limitation

    assert (before.minimum, before.maximum) == (10, 120)
    assert (after.minimum, after.maximum) == (10, 50)


def test_a_long_position_is_worth_what_the_mark_says(queries, small):
    position = queries.copied_position(small.ben, small.position)

    assert position.entry_price == Decimal(59900)
    assert position.unrealized_pnl == Decimal(5)  # 50 × 0.001 × (60000 − 59900)
    assert position.profit == Decimal("3.35275")  # less the fee of 1.64725
    assert position.share == Decimal("0.3352")  # a tenth, truncated to 4 decimals
    assert position.amount_used == Decimal("299.5")
    assert position.yield_on_copy_amount == Fraction("0.0335275")


def test_a_short_position_that_was_reduced_keeps_its_cost(queries, world, small):
    follow = world.follow(small.bob, small.eve)
    lane = world.lane(follow, PositionSide.SHORT)
    position = world.open_position(
        follow,
        lane,
        side=PositionSide.SHORT,
        opened_contracts=100,
        opened_value=money("6100"),
        closed_contracts=40,
        closed_value=money("2420"),
        realized_pnl=money("20"),  # 40 × 0.001 × (61000 − 60500)
        fees=money(0),
    )

    found = queries.copied_position(small.eve, position)

    assert found.contracts == 60
    assert found.entry_price == Decimal(61000)
    assert found.unrealized_pnl == Decimal(60)  # 60 × 0.001 × (61000 − 60000)
    assert found.profit == Decimal(80)
    assert found.amount_used == Decimal(366)


def test_without_a_mark_nothing_is_made_up(queries, world):
    world.instrument(mark=None)
    leader, follower = world.leader(symbols=[BTC]), world.follower()
    follow = world.follow(leader, follower)
    world.open_position(follow, world.lane(follow))

    position = queries.copies(follower).open_positions[0]

    assert position.mark is None
    assert position.unrealized_pnl == 0


def test_a_position_belongs_to_its_follower_alone(queries, small):
    assert queries.copied_position(small.eve, small.position) is None


def test_profit_ratio_of_a_closed_trade_depends_on_its_side(queries, world, small):
    world.leader_trade(small.bob)
    world.leader_trade(small.bob, side=PositionSide.SHORT, realized_pnl=money(-60))
    short, long = queries.closed_trades(small.bob, page=1, page_size=9).trades

    assert long.profit_ratio == Fraction(1, 10)  # (60600 − 60000) / 60000 × 10
    assert short.profit_ratio == Fraction(-1, 10)
    assert long.realized_profit == Decimal("53.367")


def test_an_order_stands_beside_the_leaders(queries, small):
    order = queries.orders_of(small.position)[0]

    assert order.leader.average_price == Decimal(59900)
    assert order.average_price == Decimal(59960)
    assert order.slippage == Fraction(60, 59900)
    assert order.delay == timedelta(milliseconds=30)
    assert sum(fill.contracts for fill in order.executions) == order.filled


def test_a_skipped_order_says_why(queries, world, small):
    lane = world.lane(small.follow, PositionSide.SHORT)
    world.skip(world.signal(small.ada), lane, SkipReason.BELOW_MINIMUM, {"wanted": "0.4"})

    found = queries.skipped_orders(small.ben, page=1, page_size=9)

    assert found.orders[0].reason is SkipReason.BELOW_MINIMUM
    assert found.orders[0].detail == {"wanted": "0.4"}
    assert queries.skipped_orders(small.eve, page=1, page_size=9).orders == ()


def test_modes_follow_the_operators_setting(queries, world, small):
    def offered():
        return [mode.value for mode in queries.follow_terms(small.bob, small.ben).modes]

    assert offered() == ["fixed", "multiple", "fixed_margin", "equity_ratio"]

    world.setting("isOpenScale", "1")

    assert offered() == ["fixed", "proportional", "multiple", "fixed_margin", "equity_ratio"]


def test_equity_is_thinned_but_keeps_its_newest_point(queries, world, small):
    world.equity(small.bob, *(str(1000 + number) for number in range(500)))

    card = next(
        card
        for card in queries.leaders(LeaderFilter(), visitor=None, page=1, page_size=9).cards
        if card.leader.leader_id == small.bob
    )

    assert 20 <= len(card.sparkline) <= 40
    assert card.sparkline[-1] == Decimal(499)


def test_health_finds_drift_and_a_broken_ledger(queries, world, small):
    assert queries.health().is_well

    world.lane(small.follow, PositionSide.SHORT, target=9, actual=2)
    assert queries.health().drift_contracts == 7
    assert not queries.health().is_well

    entry = rows.LedgerEntryRow(
        id=1, kind="k", reference="r", at=NOW, previous_hash="0" * 64, hash="1" * 64
    )
    world.add(entry)
    world.add(
        rows.LedgerPostingRow(entry_id=1, line=1, account="main:F1", money=money("0.00000001"))
    )
    assert queries.health().ledger.broken_entry == 1


def test_copy_delay_is_measured_from_the_leaders_fill(queries, small):
    delay = queries.health().delay

    assert delay.sample == 1
    assert delay.p50 == delay.p99 == timedelta(milliseconds=30)
