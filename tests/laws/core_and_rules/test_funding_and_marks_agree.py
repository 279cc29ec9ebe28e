"""Premium, funding rate, payments and mark price are those of the rules, rounded one way."""

from fractions import Fraction

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange import rules
from simexchange.core.commands import (
    AdvanceTime,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetMark,
)
from simexchange.core.events import FundingPaid, FundingSettled
from simexchange.core.instrument import FundingRules
from simexchange.core.types import MONEY_SCALE, RATE_SCALE, SECOND_US, Side
from tests.laws.core_and_rules.held import MAKER, SYMBOL, UNIT, Held, instruments, rate

INTERVAL_S = 10
HOUR_S = 3_600
MARK_WINDOW_S = 30


@st.composite
def funded(draw):
    """Return a world whose instrument pays funding every few seconds, samples every 0.1 s."""
    instrument = draw(instruments())
    least = -(-instrument.tick_value // MONEY_SCALE)  # USDT: at least one contract-tick
    terms = FundingRules(
        interval_us=INTERVAL_S * SECOND_US,
        interest_rate=draw(st.integers(-100_000, 100_000)),
        clamp=draw(st.integers(0, 100_000)),
        cap=draw(st.sampled_from((5, 1_000, 2_000_000))),
        impact_notional=draw(st.integers(least, least * 10**5)) * MONEY_SCALE,
        sample_us=100_000,
    )
    instrument = msgspec.structs.replace(instrument, funding=terms)
    entry = draw(st.integers(1_000, 100_000))
    return Held(instrument, 1, entry), entry


def ladder(world, entry, draw):
    """Let account 2 quote bids and asks around some middle, never crossing."""
    middle = entry + draw(st.integers(-entry // 20, entry // 20))
    for side in (Side.BUY, Side.SELL):
        for _ in range(draw(st.integers(0, 4))):
            away = draw(st.integers(1, 30))
            price = max(1, middle - side * away)
            world.limit(MAKER, side, draw(st.sampled_from((1, 50, 10**4, 10**7))), price)


def truncated(value):
    return int(value)  # of a Fraction: toward zero


def settled(world):
    events = world.apply(AdvanceTime(), INTERVAL_S * SECOND_US)
    found = next(event for event in events if isinstance(event, FundingSettled))
    return found, [event for event in events if isinstance(event, FundingPaid)]


@given(funded(), st.integers(50, 150), st.data())
def test_premium_and_rate_are_those_of_the_rules_from_the_same_book_toward_zero(
    world_and_entry, percent, data
):
    world, entry = world_and_entry
    instrument, terms = world.instrument, world.instrument.funding
    index = max(1, entry * percent // 100)
    ladder(world, entry, data.draw)
    world.apply(SetIndex(SYMBOL, index))
    bids, asks = world.exchange.depth(SYMBOL, 100)

    funding, _ = settled(world)

    # the exchange walks whole contract-ticks of the impact notional
    value = instrument.tick_value
    size = instrument.contract_size
    premium = rules.premium_index_of_book(
        bids=[(world.price(price), contracts * Fraction(size)) for price, contracts in bids],
        asks=[(world.price(price), contracts * Fraction(size)) for price, contracts in asks],
        index_price=world.price(index),
        impact_notional=terms.impact_notional // value * value * UNIT,
        unit=Fraction(1, RATE_SCALE),
    )
    assert rate(funding.premium) == Fraction(premium)
    exact_rate = rules.funding_rate(
        premium_average=premium,
        interest_rate=rate(terms.interest_rate),
        clamp=rate(terms.clamp),
        cap=rate(terms.cap),
        interval_hours=Fraction(INTERVAL_S, HOUR_S),
    )
    assert abs(rules.exact(exact_rate) * RATE_SCALE - funding.rate) < 1
    assert funding.rate == truncated(rules.exact(exact_rate) * RATE_SCALE)


@given(
    funded(),
    st.lists(st.tuples(st.sampled_from((1, -1)), st.integers(1, 10**5)), min_size=1, max_size=5),
    st.integers(-2_000_000, 2_000_000),
    st.integers(90, 110),
)
def test_payments_and_their_residue_are_those_of_the_rules_to_the_unit(
    world_and_entry, holdings, held_rate, percent
):
    world, entry = world_and_entry
    for number, (sign, contracts) in enumerate(holdings, start=3):
        world.open(number)
        world.trade(Side(sign), contracts, entry, number)
    assume(world.fills)
    mark = max(1, entry * percent // 100)
    world.apply(SetIndex(SYMBOL, entry))
    world.apply(SetMark(SYMBOL, mark))
    world.apply(SetFundingRate(SYMBOL, held_rate))
    numbers = world.exchange.accounts
    positions = [
        (str(number), view.contracts)
        for number in numbers
        for view in world.exchange.positions(number)
    ]

    funding, paid = settled(world)

    batch = rules.funding_batch(
        positions=positions,
        mark_price=world.price(mark),
        funding_rate=rate(held_rate),
        unit=UNIT,
        contract_size=world.instrument.contract_size,
    )
    assert {str(event.account): -event.payment * UNIT for event in paid} == {
        account: Fraction(payment) for account, payment in batch.payments.items()
    }
    assert funding.residue * UNIT == Fraction(batch.residue)
    for event in paid:
        exact = rules.funding_payment(
            side="long" if event.contracts > 0 else "short",
            quantity=abs(event.contracts),
            mark_price=world.price(mark),
            funding_rate=rate(held_rate),
            contract_size=world.instrument.contract_size,
        )
        assert 0 <= event.payment * UNIT + Fraction(exact) < UNIT


@given(
    funded(),
    st.lists(
        st.tuples(st.integers(-300, 300), st.integers(0, 4 * SECOND_US)), min_size=1, max_size=12
    ),
    st.integers(-5_000_000, 5_000_000),
    st.data(),
)
def test_the_mark_price_is_the_median_of_the_rules_rounded_down_to_the_tick(
    world_and_entry, steps, held_rate, data
):
    world, entry = world_and_entry
    world.apply(SetIndex(SYMBOL, entry))
    world.apply(SetFundingRate(SYMBOL, held_rate))
    assert settled(world)[0].rate == held_rate  # from now on it is the last rate
    if data.draw(st.booleans()):
        world.trade(data.draw(st.sampled_from((Side.BUY, Side.SELL))), 1, entry)
    ladder(world, entry, data.draw)
    samples = {}
    for number, (away, after_us) in enumerate(steps):
        index = max(1, entry + away)
        if number == 0:
            world.apply(SetIndex(SYMBOL, index))  # the mark is still held by hand
            command = SetMark(SYMBOL, None)
        else:
            command = SetIndex(SYMBOL, index)
        bid, ask = world.exchange.best_bid(SYMBOL), world.exchange.best_ask(SYMBOL)
        last = world.exchange.last_price(SYMBOL)
        world.apply(command, after_us)
        second = world.at // SECOND_US
        if bid is not None and ask is not None:
            samples[second] = Fraction(bid + ask, 2) - index
        samples = {
            at: basis
            for at, basis in samples.items()
            if at > (world.at - MARK_WINDOW_S * SECOND_US) // SECOND_US
        }

        funding = world.exchange.funding(SYMBOL)
        expected = rules.mark_price(
            price_1=rules.funding_basis_price(
                index_price=index,
                last_funding_rate=rate(funding.last_rate),
                seconds_to_funding=Fraction(funding.next_funding_at - world.at, SECOND_US),
                interval_seconds=Fraction(funding.interval_us, SECOND_US),
            ),
            price_2=rules.moving_basis_price(
                index_price=index, basis_samples=list(samples.values())
            ),
            last_price=index if last is None else last,
        )
        assert world.exchange.mark_price(SYMBOL) == rules.exact(expected) // 1


@given(
    funded(),
    st.integers(0, 99_999_999),
    st.lists(st.integers(1, 300_000), min_size=1, max_size=5),
)
def test_a_protected_mark_is_that_of_the_rules_within_whole_ticks(
    world_and_entry, protection, trades
):
    _, entry = world_and_entry
    instrument = msgspec.structs.replace(world_and_entry[0].instrument, mark_protection=protection)
    world = Held(instrument, 1, entry)
    world.apply(SetIndex(SYMBOL, entry))
    world.apply(SetMark(SYMBOL, None))
    middle = world.exchange.mark_price(SYMBOL)
    world.apply(SetIndexSources(SYMBOL, ()))
    lowest, highest = world.exchange.mark_protection(SYMBOL)
    assert lowest == max(1, -(-middle * (RATE_SCALE - protection) // RATE_SCALE))
    assert highest == middle * (RATE_SCALE + protection) // RATE_SCALE
    for price in trades:
        world.trade(Side.BUY, 1, price)
        last = world.exchange.last_price(SYMBOL)
        world.apply(AdvanceTime())
        expected = rules.protected_mark_price(
            last_price=world.price(middle if last is None else last),
            lower_limit=world.price(lowest),
            upper_limit=world.price(highest),
        )
        assert world.price(world.exchange.mark_price(SYMBOL)) == rules.exact(expected)
