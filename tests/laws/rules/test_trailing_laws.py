"""Laws of the trailing stop: it follows, never gives way, and fires once."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simexchange.rules import TrailingStop, trailing_stop_price
from tests.laws.rules.rule_strategies import order_sides, prices, ratios

callbacks = ratios(1, 2000)
kinds = st.sampled_from(["SL", "TP"])
paths = st.lists(prices, min_size=1, max_size=30)
activations = st.none() | prices


def states(side, callback, activation, kind, path):
    """Return the stop after each price of a path."""
    stop = TrailingStop.of(side=side, callback=callback, activation_price=activation, kind=kind)
    seen = []
    for price in path:
        stop = stop.seen(price)
        seen.append(stop)
    return seen


@given(order_sides, callbacks, activations, kinds, paths)
def test_the_trigger_never_loosens(side, callback, activation, kind, path):
    triggers = [
        stop.trigger_price
        for stop in states(side, callback, activation, kind, path)
        if stop.trigger_price is not None
    ]

    assert triggers == sorted(triggers, reverse=side == "BUY")


@given(order_sides, callbacks, activations, kinds, paths)
def test_a_stop_fires_at_the_first_price_at_or_past_its_trigger(
    side, callback, activation, kind, path
):
    before = None
    for price, stop in zip(path, states(side, callback, activation, kind, path), strict=True):
        if before is not None and before.fired_price is None and before.extreme is not None:
            trigger = before.trigger_price
            reached = price <= trigger if side == "SELL" else price >= trigger
            assert (stop.fired_price is not None) == reached
        before = stop


@given(order_sides, callbacks, activations, kinds, paths)
def test_a_fired_stop_stays_as_it_is(side, callback, activation, kind, path):
    seen = states(side, callback, activation, kind, path)

    fired = [stop for stop in seen if stop.fired_price is not None]
    assert len(set(fired)) <= 1
    assert trailing_stop_price(
        side=side, callback=callback, activation_price=activation, kind=kind, prices=path
    ) == (fired[0].fired_price if fired else None)


@given(callbacks, paths)
def test_a_sell_that_needs_no_activation_follows_the_highest_price_so_far(callback, path):
    for seen, stop in enumerate(states("SELL", callback, None, "SL", path), start=1):
        if stop.fired_price is None:
            assert stop.extreme == max(path[:seen])
            assert stop.trigger_price == Fraction(max(path[:seen])) * (1 - callback)


@given(order_sides, callbacks, prices, kinds, paths)
def test_a_stop_whose_activation_is_never_reached_never_fires(
    side, callback, activation, kind, path
):
    rises = (side == "BUY") == (kind == "SL")
    reached = any(price >= activation if rises else price <= activation for price in path)

    seen = states(side, callback, activation, kind, path)

    assert (seen[-1].extreme is not None) == reached
