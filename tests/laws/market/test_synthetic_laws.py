"""Laws of the synthetic index: one seed, one path; whole ticks above zero; chance in its place."""

import os
import statistics
import subprocess
import sys
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.market.synthetic import IndexShape, Regime, SyntheticIndex

BTC = IndexShape(symbol="BTCUSDT", start=650_000)
ETH = IndexShape(symbol="ETHUSDT", start=350_000, volatility=13_000)
STEADY = IndexShape(symbol="STEADY", start=10**6, jumps_per_million=0, common_percent=0)

shapes = st.builds(
    IndexShape,
    symbol=st.just("X"),
    start=st.integers(1, 10**9),
    volatility=st.integers(0, 10**7),
    common_percent=st.integers(-100, 200),
    jumps_per_million=st.integers(0, 10**6),
    jump=st.integers(0, 5 * 10**7),
    pull_per_million=st.integers(0, 10**5),
)


def path(*shapes, seed, steps=300, step_us=500_000):
    index = SyntheticIndex(shapes, seed=seed, step_us=step_us)
    return [index.step() for _ in range(steps)]


def returns(prices):
    return [after / before - 1 for before, after in pairwise(prices)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**63), st.integers(0, 200), st.integers(0, 200))
def test_a_walk_is_a_function_of_seed_and_step(seed, first, more):
    in_two_goes = SyntheticIndex((BTC, ETH), seed=seed)
    in_two_goes.advance_to(first)
    in_two_goes.advance_to(first + more)
    at_once = SyntheticIndex((BTC, ETH), seed=seed)

    assert at_once.advance_to(first + more) == in_two_goes.prices


@settings(deadline=None, max_examples=50)
@given(shapes, st.integers(0, 1000), st.sampled_from([1_000, 500_000, 60_000_000]))
def test_a_price_is_always_at_least_one_tick(shape, seed, step_us):
    assert all(prices["X"] >= 1 for prices in path(shape, seed=seed, steps=60, step_us=step_us))


def test_an_instrument_walks_alike_whatever_else_is_listed():
    alone = [prices["BTCUSDT"] for prices in path(BTC, seed=4)]
    beside = [prices["BTCUSDT"] for prices in path(ETH, BTC, seed=4)]

    assert alone == beside


def test_two_processes_with_different_hash_seeds_walk_the_same_path():
    program = (
        "from simexchange.market.synthetic import IndexShape, SyntheticIndex\n"
        "shapes = tuple(IndexShape(symbol=s, start=10**6) for s in ('A', 'B', 'C'))\n"
        "index = SyntheticIndex(shapes, seed=11)\n"
        "print([index.step() for _ in range(200)])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "31337")
    }

    assert len(outputs) == 1


def test_different_seeds_walk_different_paths():
    assert len({tuple(map(str, path(BTC, seed=seed, steps=5))) for seed in range(20)}) == 20


def test_the_volatility_of_a_second_is_the_one_asked_for_whatever_the_step():
    for step_us in (100_000, 1_000_000, 10_000_000):
        moves = returns(
            [prices["STEADY"] for prices in path(STEADY, seed=1, steps=6000, step_us=step_us)]
        )
        of_a_second = statistics.pstdev(moves) / (step_us / 1e6) ** 0.5

        assert 0.6e-4 < of_a_second < 2.2e-4  # between calm and volatile of 1e-4


def test_instruments_that_share_a_factor_move_together_and_others_do_not():
    apart = IndexShape(symbol="APART", start=10**6, common_percent=0)
    prices = path(BTC, ETH, apart, seed=2, steps=8000)
    moves = {symbol: returns([p[symbol] for p in prices]) for symbol in prices[0]}

    assert statistics.correlation(moves["BTCUSDT"], moves["ETHUSDT"]) > 0.3
    assert abs(statistics.correlation(moves["BTCUSDT"], moves["APART"])) < 0.1


def test_every_regime_comes_up_and_jumps_happen():
    index = SyntheticIndex((BTC,), seed=3)
    regimes, largest, before = set(), 0.0, BTC.start
    for _ in range(5000):
        after = index.step()["BTCUSDT"]
        regimes.add(index.regime("BTCUSDT"))
        largest, before = max(largest, abs(after / before - 1)), after

    assert regimes == set(Regime)
    assert largest > 1e-3  # more than ten standard deviations of a calm step
