"""Trailing stops fire where the rules fire them; deleveraging goes down the rules' queue."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange import rules
from simexchange.core.commands import PlacePlanOrder, SetLeverage, SetMark
from simexchange.core.events import Deleveraged, PlanOrderTriggered
from simexchange.core.types import Side, TriggerBy
from tests.laws.core_and_rules.held import SYMBOL, UNIT, Held, instruments, rate, sides

ENTRY = 10_000


@given(
    instruments(),
    sides,
    st.integers(1, 20_000_000),
    st.one_of(st.none(), st.integers(-500, 500)),
    st.lists(st.integers(-900, 900), min_size=1, max_size=15),
)
def test_a_trailing_stop_fires_at_the_price_of_the_rules(
    instrument, side, callback, activation, moves
):
    world = Held(instrument, 1, ENTRY)
    start = None if activation is None else ENTRY + activation
    world.apply(
        PlacePlanOrder(
            1,
            SYMBOL,
            side,
            1,
            0,
            TriggerBy.MARK,
            callback_rate=callback,
            activation_price=start,
        )
    )
    stop = rules.TrailingStop.of(
        side=side.name,
        callback=rate(callback),
        activation_price=start,
        kind="TAKE_PROFIT",  # a sell waits for the price to rise to its activation, a buy to fall
    )
    stop = stop.seen(ENTRY)  # it trails from the price at which it was placed, if active there
    plan = world.exchange.open_plans(1)[0]
    mark = ENTRY
    for move in moves:
        if move == 0:
            continue  # no tick: the mark stays
        mark += move
        if mark < 1:
            break
        events = world.apply(SetMark(SYMBOL, mark))
        stop = stop.seen(mark)
        fired = [e for e in events if isinstance(e, PlanOrderTriggered)]
        assert [e.observed_price for e in fired] == (
            [] if stop.fired_price is None else [stop.fired_price]
        )
        if fired:
            return
        waiting = world.exchange.plan(1, plan.plan_id)
        if stop.trigger_price is None:
            assert waiting.trigger_price == 0
        else:
            # the last tick that fires: never one that the rules would not fire
            exact = rules.exact(stop.trigger_price)
            expected = exact // 1 if side is Side.SELL else -(-exact // 1)
            assert waiting.trigger_price == max(1, expected)


@given(
    instruments(),
    sides,
    st.lists(
        st.tuples(st.integers(1, 1_000), st.integers(-80, 80), st.integers(2, 50)),
        min_size=2,
        max_size=6,
    ),
    st.data(),
)
def test_deleveraging_closes_the_other_side_in_the_order_and_sizes_of_the_rules(
    instrument, side, winners, data
):
    """Account 1 goes far beyond bankruptcy; no fund and no book can save it."""
    world = Held(instrument, instrument.max_leverage, ENTRY, insurance_fund=0)
    assume(instrument.max_leverage >= 2)
    opposite = Side(-side)
    others = [(c, ENTRY + away, min(x, instrument.max_leverage)) for c, away, x in winners]
    for number, (contracts, price, leverage) in enumerate(others, start=3):
        world.open(number)
        world.apply(SetLeverage(number, SYMBOL, leverage))
        world.trade(opposite, contracts, price, number)
    held = sum(fill.contracts for fill in world.fills if fill.account > 2)
    assume(held)
    before = world.exchange.position(2, SYMBOL).contracts
    lost = data.draw(st.integers(1, held))
    world.limit(2, opposite, lost, ENTRY)
    world.limit(1, side, lost, ENTRY)
    assume(world.position.contracts == side * lost)
    assume(world.exchange.position(2, SYMBOL).contracts == before - side * lost)
    mark = ENTRY - side * ENTRY // 10 * 6
    queue = queue_of_the_rules(world, opposite, mark)
    assume(queue is not None)

    events = world.apply(SetMark(SYMBOL, mark))

    closed = [e for e in events if isinstance(e, Deleveraged)]
    assert closed
    assume(all(e.against == 1 for e in closed))
    scores = {entry.account: rules.exact(entry.score) for entry in queue}
    ranked = [scores[str(event.account)] for event in closed]
    assert ranked == sorted(ranked, reverse=True)
    assert [event.rank for event in closed] == list(range(len(closed)))
    if len(set(scores.values())) == len(scores):
        expected = rules.adl_allocation(queue, quantity=sum(e.contracts for e in closed)).closed
        assert {str(event.account): event.contracts for event in closed} == expected


def queue_of_the_rules(world, side, mark):
    """Return the queue at a mark; None where a position on it is bankrupt or cannot be."""
    entries = []
    for number in world.exchange.accounts[1:]:  # the insurance fund has no place in it
        view = world.exchange.position(number, SYMBOL)
        if view.contracts * side <= 0:
            continue
        bankruptcy = world.price(view.bankruptcy_price)
        known = world.as_rules_take_it(view, margin=False)
        equity = view.margin * UNIT + rules.exact(
            rules.unrealized_pnl(**known, mark_price=world.price(mark))
        )
        if bankruptcy <= 0 or equity <= UNIT:
            return None
        score = rules.adl_rank(
            **known, mark_price=world.price(mark), bankruptcy_price=Fraction(bankruptcy)
        )
        entries.append(
            rules.AdlEntry(account=str(number), quantity=abs(view.contracts), score=score)
        )
    return rules.adl_queue(entries)


@given(
    instruments(),
    sides,
    st.lists(
        st.tuples(st.integers(1, 1_000), st.integers(-80, 80), st.integers(1, 5)),
        min_size=1,
        max_size=6,
    ),
    st.integers(-300, 300),
)
def test_the_lights_of_a_position_are_those_of_the_rules(instrument, side, holders, moved):
    world = Held(instrument, 1, ENTRY)
    for number, (contracts, away, leverage) in enumerate(holders, start=3):
        world.open(number)
        world.apply(SetLeverage(number, SYMBOL, min(leverage, instrument.max_leverage)))
        world.trade(side, contracts, ENTRY + away, number)
    mark = ENTRY + moved
    world.apply(SetMark(SYMBOL, mark))
    queue = queue_of_the_rules(world, side, mark)
    assume(queue)
    assume(len({rules.exact(entry.score) for entry in queue}) == len(queue))

    percentiles = rules.adl_percentiles(queue, rules.OURS)

    shown = {
        entry.account: world.exchange.deleveraging_lights(int(entry.account), SYMBOL)
        for entry in queue
    }
    assert shown == {name: rules.adl_lights(part) for name, part in percentiles.items()}
    assert shown[queue[0].account] == rules.adl.LIGHTS
