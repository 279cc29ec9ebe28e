"""Index, mark, funding, triggers and displayed liquidity: figures by hand, edges, refusals."""

from decimal import Decimal
from fractions import Fraction

import pytest

from simexchange.rules import (
    BINANCE,
    BINANCE_MARK_30_MINUTES,
    BINANCE_MARK_150_SECONDS,
    BITMEX,
    BYBIT,
    DYDX,
    KUCOIN,
    OURS,
    DisplayedLevel,
    PriceSource,
    StpOrder,
    TrailingStop,
    UnknownRule,
    clamped_rate,
    decimal_from,
    effective_mode,
    funding_basis_price,
    funding_batch,
    funding_boundaries,
    funding_epoch_rate,
    funding_rate,
    funding_rate_cap,
    funding_total,
    impact_price,
    index_price,
    mark_price,
    match_with_prevention,
    median,
    moving_basis_price,
    premium_average,
    premium_index_of_book,
    protected_mark_price,
    protected_price,
    queue_fills,
    trailing_stop_price,
    trigger_is_protected,
    trimmed_samples,
    window_samples,
)

HOUR = 3600


def sources(*prices):
    return [PriceSource(price=price) for price in prices]


def test_an_index_is_the_weighted_mean_of_its_sources():
    weighted = [PriceSource(price=100, weight=3), PriceSource(price=102, weight=1)]

    assert index_price(sources=weighted) == Decimal("100.5")


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((100, 100, 105), "101.666"),  # 5 % off the median is not yet further than 5 %
        ((100, 101, 120), "100.5"),  # one bad one: the mean of the others
        ((100, 200, 300), "200"),  # two bad ones: the median of all
    ],
)
def test_a_source_far_from_the_median_counts_nothing_and_two_of_them_leave_the_median(
    prices, expected
):
    assert int(index_price(sources=sources(*prices)) * 1000) == int(Decimal(expected) * 1000)


def test_a_stale_source_is_left_out_and_without_a_fresh_one_there_is_no_index():
    mixed = [PriceSource(price=100, age_seconds=5), PriceSource(price=104, age_seconds=61)]

    assert index_price(sources=mixed, stale_after_seconds=60) == 100
    with pytest.raises(ValueError, match="no index source has a fresh price"):
        index_price(sources=mixed[1:], stale_after_seconds=60)


def test_an_index_needs_weights_and_a_rule_for_outliers():
    with pytest.raises(ValueError, match="add up to zero"):
        index_price(sources=[PriceSource(price=1, weight=0)])
    with pytest.raises(UnknownRule, match="outlier"):
        index_price(sources=sources(1), rules=KUCOIN)
    with pytest.raises(ValueError, match="at least one value"):
        median([])


def test_the_mark_is_the_middle_one_of_three_prices():
    price_1 = funding_basis_price(
        index_price=10_000, last_funding_rate="0.0001", seconds_to_funding=4 * HOUR
    )
    price_2 = moving_basis_price(index_price=10_000, basis_samples=[1, 2, 6])

    assert price_1 == Decimal("10000.5")
    assert price_2 == 10_003
    assert mark_price(price_1=price_1, price_2=price_2, last_price=12_000) == 10_003
    assert mark_price(price_1=price_1, price_2=price_2, last_price=9_000) == price_1


def test_without_samples_the_moving_basis_is_the_index():
    assert moving_basis_price(index_price=7, basis_samples=[]) == 7


def test_a_funding_further_away_than_its_interval_is_refused():
    with pytest.raises(ValueError, match="further away than one interval"):
        funding_basis_price(index_price=1, last_funding_rate=0, seconds_to_funding=9 * HOUR)


def test_the_mark_window_belongs_to_the_rule_set():
    assert window_samples(OURS) == 30
    assert window_samples(BYBIT) == 300
    assert window_samples(BINANCE_MARK_30_MINUTES) == 360
    with pytest.raises(UnknownRule, match="window of the mark price"):
        window_samples(BITMEX)


@pytest.mark.parametrize(("last", "expected"), [(90, 95), (100, 100), (120, 105)])
def test_while_every_source_is_bad_the_last_price_is_held_in_its_limits(last, expected):
    price = protected_mark_price(last_price=last, lower_limit=95, upper_limit=105)

    assert price == expected
    with pytest.raises(ValueError, match="must not be above the upper limit"):
        protected_mark_price(last_price=last, lower_limit=2, upper_limit=1)


@pytest.mark.parametrize(
    ("premium", "expected"),
    [
        ("0.0003", "0.0001"),
        ("0.0006", "0.0001"),  # exactly 0.05 % away: still the interest rate
        ("0.0010", "0.0005"),
        ("-0.0010", "-0.0005"),
    ],
)
def test_the_premium_moves_the_rate_only_beyond_the_clamp(premium, expected):
    assert funding_rate(premium_average=premium, rules=BINANCE) == Decimal(expected)


def test_a_four_hour_interval_pays_half_and_a_cap_holds():
    assert funding_rate(premium_average="0.001", interval_hours=4) == Decimal("0.00025")
    assert funding_rate(premium_average="0.1", cap="0.004") == Decimal("0.004")
    assert funding_rate(premium_average="-0.1", cap="0.004") == Decimal("-0.004")
    assert funding_rate(premium_average="-0.1", cap="0.004", floor="-0.001") == Decimal("-0.001")


@pytest.mark.parametrize(
    ("premium", "hours", "expected"),
    [
        ("0.001", 8, "0.0005"),
        ("0.001", 4, "0.0005"),  # the premium is not halved
        ("0.0005", 4, "0.00005"),  # within the clamp of the interest of 4 hours
        ("0.00056", 4, "0.00006"),  # 0.00005 - 0.00056 is beyond it
        ("-0.0004", 1, "0.0000125"),
        ("-0.0006", 1, "-0.0001"),
    ],
)
@pytest.mark.parametrize("rules", [BYBIT, BINANCE_MARK_150_SECONDS])
def test_a_shorter_interval_has_less_interest_only_where_the_rule_set_says_so(
    premium, hours, expected, rules
):
    rate = funding_rate(premium_average=premium, interval_hours=hours, rules=rules)

    assert rate == Decimal(expected)


def test_premium_samples_count_alike_or_the_more_the_later_they_are():
    samples = ["0.0003", "0", "-0.0006"]

    assert premium_average(samples=samples) == Decimal("-0.0001")
    assert premium_average(samples=samples, rules=BINANCE) == Decimal("-0.00025")
    assert premium_average(samples=[1, 1, 2], rules=BYBIT, unit=1) == 1  # 9 / 6, toward 0
    assert premium_average(samples=[-1, -1, -2], rules=BYBIT, unit=1) == -1
    assert premium_average(samples=[7], rules=BYBIT) == premium_average(samples=[7]) == 7
    assert premium_average(samples=[], rules=BYBIT) == 0
    with pytest.raises(UnknownRule, match="how premium samples are averaged"):
        premium_average(samples=[1], rules=KUCOIN)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rules": KUCOIN}, "rule set KUCOIN says nothing about the interest rate"),
        ({"clamp": "-0.1"}, "clamp must not be below zero"),
        ({"interval_hours": 0}, "interval hours must be above zero"),
        ({"cap": "0.1", "floor": "0.2"}, "floor 0.2 must not be above cap 0.1"),
    ],
)
def test_a_rate_outside_its_domain_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        funding_rate(premium_average=0, **arguments)


def test_the_cap_comes_from_the_margin_rates():
    assert funding_rate_cap(maintenance_margin_rate="0.004", rules=BINANCE) == Decimal("0.004")
    assert funding_rate_cap(
        initial_margin_rate="0.05", maintenance_margin_rate="0.03", rules=DYDX
    ) == Decimal("0.12")
    with pytest.raises(ValueError, match="must not be below the maintenance margin rate"):
        funding_rate_cap(initial_margin_rate="0.01", maintenance_margin_rate="0.02")


def test_without_a_cap_a_rate_is_not_held_and_without_samples_it_is_zero():
    assert clamped_rate(rate=5, cap=None) == 5
    assert clamped_rate(rate=-5, cap=None, floor=-1) == -1
    assert funding_epoch_rate(premium_samples=[], cap=None) == 0


def test_missing_samples_count_as_zero_and_the_average_is_truncated():
    average = funding_epoch_rate(premium_samples=[-4, -3], cap=100, expected_samples=4, unit=1)

    assert average == -1


def test_a_batch_names_its_residue():
    positions = [("one", 1), ("other", 2), ("third", -3)]

    batch = funding_batch(positions=positions, mark_price=1, funding_rate="0.0015", unit="0.001")

    assert batch.payments == {
        "one": Decimal("-0.002"),
        "other": Decimal("-0.003"),
        "third": Decimal("0.004"),
    }
    assert batch.residue == Decimal("0.001")


@pytest.mark.parametrize(
    ("positions", "sentence"),
    [([("one", 1)], "must balance"), ([("one", 1), ("one", -1)], "may come once")],
)
def test_a_batch_that_cannot_be_funded_is_refused(positions, sentence):
    with pytest.raises(ValueError, match=sentence):
        funding_batch(positions=positions, mark_price=1, funding_rate=1, unit=1)


@pytest.mark.parametrize(
    ("opened", "closed", "rules", "expected"),
    [
        (0, 8 * HOUR, OURS, [0, 8 * HOUR]),  # both ends count
        (1, 8 * HOUR - 1, OURS, []),
        (1, 8 * HOUR, OURS, [8 * HOUR]),
        (1, 8 * HOUR, BINANCE, [0, 8 * HOUR]),  # 15 seconds of grace
        (14, 8 * HOUR, BINANCE, [0, 8 * HOUR]),
        (15, 8 * HOUR, BINANCE, [8 * HOUR]),
    ],
)
def test_a_position_takes_part_in_the_fundings_it_is_held_at(opened, closed, rules, expected):
    due = funding_boundaries(opened_at=opened, closed_at=closed, rules=rules)

    assert list(due) == expected


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"closed_at": 0}, "cannot be closed before it is opened"),
        ({"interval_hours": 0}, "interval in whole hours"),
        ({"grace_seconds": -1}, "grace seconds must not be below zero"),
    ],
)
def test_an_impossible_holding_time_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        funding_boundaries(**{"opened_at": 1, "closed_at": 2, **arguments})


def test_a_position_held_at_no_funding_receives_nothing():
    assert funding_total(side="long", quantity=1, marks_and_rates=[]) == 0


def test_a_book_too_thin_on_both_sides_has_no_premium():
    premium = premium_index_of_book(bids=[(110, 1)], asks=[], index_price=100, impact_notional=1000)

    assert premium == 0


def test_a_book_that_is_emptied_exactly_still_has_an_impact_price():
    levels = [(10, 1), (20, 2)]

    assert impact_price(levels=levels, impact_notional=50) == decimal_from(Fraction(50, 3))
    assert impact_price(levels=levels, impact_notional="50.01") is None
    assert impact_price(levels=levels, impact_notional=20) == decimal_from(Fraction(40, 3))


def test_trimming_half_or_more_is_refused():
    with pytest.raises(ValueError, match=r"below 0\.5"):
        trimmed_samples(samples=[1], removed_tail_ratio="0.5")


def order(order_id, side, quantity, price, **more):
    return StpOrder(order_id=order_id, side=side, quantity=quantity, price=price, **more)


def test_strangers_trade_whatever_the_mode_is():
    outcome = match_with_prevention(
        makers=[order("M", "BUY", 2, 10, account="one")],
        taker=order("T", "SELL", 3, 10, account="other", mode="EXPIRE_BOTH"),
    )

    assert [trade.quantity for trade in outcome.trades] == [2]
    assert outcome.orders["M"].status == "FILLED"
    assert outcome.orders["T"].status == "PARTIALLY_FILLED"


def test_a_transfer_between_accounts_of_a_group_moves_quantity_at_the_maker_s_price():
    more = {"trade_group": "g", "mode": "TRANSFER"}
    outcome = match_with_prevention(
        makers=[order("M", "BUY", "0.6", "0.2", account="one", **more)],
        taker=order("T", "SELL", "0.2", "0.1", account="other", **more),
    )

    (transfer,) = outcome.transfers
    assert (transfer.price, transfer.quantity) == (Decimal("0.2"), Decimal("0.2"))
    assert outcome.orders["M"].prevented == Decimal("0.2")
    assert outcome.trades == ()


def test_an_ioc_that_reaches_nothing_expires_and_a_default_mode_comes_from_the_rules():
    taker = order("T", "BUY", 1, 10, rests=False)
    mine = order("M", "SELL", 1, 10)

    outcome = match_with_prevention(makers=[order("M", "SELL", 1, 11)], taker=taker)

    assert outcome.orders["T"].status == "EXPIRED"
    assert effective_mode(mine, taker) == "EXPIRE_MAKER"
    assert effective_mode(mine, taker, OURS) == "NONE"
    assert effective_mode(mine, taker, BYBIT) == "NONE"


@pytest.mark.parametrize(
    ("makers", "sentence"),
    [
        ([order("T", "SELL", 1, 10)], "an id of its own"),
        ([order("M", "SELL", 1, None)], "a resting order needs a price"),
        ([order("M", "UP", 1, 1)], 'side of an order is "BUY" or "SELL"'),
        ([order("M", "SELL", 0, 1)], "quantity must be above zero"),
    ],
)
def test_orders_that_cannot_be_are_refused(makers, sentence):
    with pytest.raises(ValueError, match=sentence):
        match_with_prevention(makers=makers, taker=order("T", "BUY", 1, 10))


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="one of NONE, EXPIRE_TAKER"):
        match_with_prevention(
            makers=[order("M", "SELL", 1, 1)], taker=order("T", "BUY", 1, 1, mode="MAYBE")
        )


@pytest.mark.parametrize(
    ("side", "kind", "activation", "path", "expected"),
    [
        ("BUY", "SL", 44000, [40000, 37000, 45000, 46000, 42000, 44100], "44100"),
        ("SELL", "TP", 42000, [40000, 41500, 39000, 45000, 44000, 46500, "43012.5"], "43012.5"),
        ("SELL", "TAKE_PROFIT_LIMIT", 42000, [40000, 39000], None),
    ],
)
def test_a_trailing_stop_waits_for_its_activation(side, kind, activation, path, expected):
    callback = "0.05" if side == "BUY" else "0.075"

    price = trailing_stop_price(
        side=side, kind=kind, callback=callback, activation_price=activation, prices=path
    )

    assert price == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"callback": 1}, "callback is a ratio"),
        ({"callback": 0}, "callback must be above zero"),
        ({"kind": "XX"}, 'a trailing stop is "SL" or "TP"'),
        ({"activation_price": 0}, "activation price must be above zero"),
    ],
)
def test_a_trailing_stop_that_cannot_be_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        TrailingStop.of(**{"side": "SELL", "callback": "0.1", **arguments})


def test_a_stop_that_is_not_active_has_no_trigger():
    stop = TrailingStop.of(side="SELL", callback="0.1", activation_price=50, kind="TP")

    assert stop.trigger_price is None
    assert stop.seen(60).trigger_price == 54


def test_a_protected_sell_may_trade_down_to_its_bound():
    assert protected_price(side="SELL", best_price=1000, points=100, tick="0.01") == 999


@pytest.mark.parametrize(("last", "fires"), [(105, True), ("105.01", False), (95, True)])
def test_a_protected_trigger_fires_while_mark_and_last_are_close(last, fires):
    assert trigger_is_protected(mark_price=100, last_price=last, trigger_protect="0.05") is fires


def test_a_level_gives_what_is_left_until_the_book_shows_another_size():
    filled, level = DisplayedLevel.of(100).take(130)

    assert filled == 100
    assert level.take(1)[0] == 0
    assert level.shown(100).available == 0
    assert level.shown(90).available == 90


def test_a_queue_never_fills_more_than_the_order():
    assert queue_fills(quantity_ahead=10, order_quantity=5, trades=[12, 50]) == (2, 3)


@pytest.mark.parametrize("kind", ["sl", "SL", "stop_loss", "STOP_LOSS_LIMIT", "stop loss"])
def test_the_kind_of_a_trailing_stop_is_read_in_any_case(kind):
    fired = trailing_stop_price(
        side="sell", callback="0.1", activation_price=100, prices=[110, 100, 90], kind=kind
    )

    assert fired == 90
