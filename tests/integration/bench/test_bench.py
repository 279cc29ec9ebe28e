"""The benchmark measures what it says: the mix, living cancels, and the same stream each time."""

from collections import Counter

import msgspec
import pytest
from click.testing import CliRunner

from simexchange.bench.ticks import calm_tick_us, crowded_exchange, rough_event_us
from simexchange.bench.workload import mixed_workload, prepared_exchange
from simexchange.cli import main
from simexchange.core.commands import CancelOrder, PlaceOrder
from simexchange.core.events import CommandRejected, OrderRejected
from simexchange.core.types import MarginMode, OrderKind


def test_the_mix_is_sixty_limits_thirty_cancels_ten_markets_and_nothing_is_refused() -> None:
    workload = mixed_workload(orders=5_000, seed=3, accounts=50)
    kinds = Counter(
        command.kind if isinstance(command, PlaceOrder) else type(command)
        for command in workload.measured
    )

    exchange = prepared_exchange(workload)
    refused = [
        event
        for at, command in enumerate(workload.measured)
        for event in exchange.apply(command, at)
        if isinstance(event, CommandRejected | OrderRejected)
    ]

    assert refused == []
    assert kinds[OrderKind.LIMIT] == pytest.approx(3_000, rel=0.05)
    assert kinds[CancelOrder] == pytest.approx(1_500, rel=0.08)
    assert kinds[OrderKind.MARKET] == pytest.approx(500, rel=0.15)
    exchange.check()


def test_a_deep_book_rests_outside_the_prices_that_trade() -> None:
    workload = mixed_workload(orders=100, seed=3, accounts=50, resting=2_000)

    exchange = prepared_exchange(workload)

    assert sum(len(exchange.open_orders(account)) for account in exchange.accounts) == 2_000


def test_the_same_seed_makes_the_same_stream() -> None:
    assert mixed_workload(orders=500, seed=3, accounts=9) == mixed_workload(
        orders=500, seed=3, accounts=9
    )
    assert mixed_workload(orders=500, seed=4, accounts=9) != mixed_workload(
        orders=500, seed=3, accounts=9
    )
    with pytest.raises(ValueError, match="at least 2 accounts"):
        mixed_workload(orders=1, seed=1, accounts=1)


@pytest.mark.parametrize("margin_mode", MarginMode)
def test_calm_ticks_touch_nobody_and_rough_ones_do(margin_mode: MarginMode) -> None:
    exchange = crowded_exchange(200, margin_mode)
    before = [exchange.positions(account) for account in exchange.accounts]

    assert calm_tick_us(exchange, 20) > 0
    assert [exchange.positions(account) for account in exchange.accounts] == before

    us, events = rough_event_us(exchange, 100)
    assert us > 0
    assert events > 300
    exchange.check()


def test_the_command_prints_one_json_object() -> None:
    arguments = ["--orders=200", "--rounds=1", "--accounts=20", "--long-orders=0"]
    run = CliRunner().invoke(main, ["bench", *arguments, "--quick", "--no-instructions", "--json"])

    assert run.exit_code == 0, run.output
    figures = msgspec.json.decode(run.stdout)
    assert figures["us_per_order"] > 0
    assert figures["instructions_per_order"] is None
    assert set(figures["tick_us"]) == {"1000", "3000", "10000"}
