"""The benchmark measures what it says: the mix, living cancels, and the same stream each time."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from simexchange.bench.compiled import LEFT_PLAIN
from simexchange.bench.ticks import calm_tick_us, crowded_exchange, rough_event_us
from simexchange.bench.workload import (
    PackedCommands,
    Stream,
    Workload,
    mixed_workload,
    prepared_exchange,
)
from simexchange.cli import main
from simexchange.core import exchange as exchange_module
from simexchange.core.commands import CancelOrder, PlaceOrder
from simexchange.core.events import CommandRejected, OrderRejected
from simexchange.core.types import MarginMode, OrderKind


def test_the_mix_is_sixty_limits_thirty_cancels_ten_markets_and_nothing_is_refused() -> None:
    workload = mixed_workload(orders=5_000, seed=3, accounts=50)
    kinds = Counter(
        command.kind if isinstance(command, PlaceOrder) else type(command)
        for command in workload.measured
    )

    exchange = prepared_exchange(workload.setting_up)
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


def test_packed_commands_are_all_of_them_in_their_order() -> None:
    commands = list(Stream(seed=3, accounts=9).commands(2_500))

    packed = PackedCommands.of(commands)

    assert list(packed) == commands
    assert len(packed) == 2_500
    assert [len(chunk) for chunk in packed.arriving()] == [1_000, 1_000, 500]


def test_a_deep_book_rests_outside_the_prices_that_trade() -> None:
    workload = mixed_workload(orders=100, seed=3, accounts=50, resting=2_000)

    exchange = prepared_exchange(workload.setting_up)

    assert sum(len(exchange.open_orders(account)) for account in exchange.accounts) == 2_000


def test_a_deep_book_gets_the_same_stream_unless_all_of_it_may_be_cancelled() -> None:
    shallow, deep, cold = (
        mixed_workload(orders=2_000, seed=3, accounts=50, resting=resting, cancels_any=any_of_them)
        for resting, any_of_them in ((0, False), (5_000, False), (5_000, True))
    )

    def told(workload: Workload, deep_orders: int) -> list[object]:
        return [
            replace(each, order_id=each.order_id - deep_orders)
            if isinstance(each, CancelOrder) and each.order_id is not None
            else each
            for each in workload.measured
        ]

    assert told(deep, 5_000) == told(shallow, 0)
    cancelled = {each.order_id for each in cold.measured if isinstance(each, CancelOrder)}
    assert sum(1 <= number <= 5_000 for number in cancelled if number) > len(cancelled) * 0.8


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


def test_a_calm_tick_that_is_measured_again_is_a_tick_again() -> None:
    exchange = crowded_exchange(10)
    calm_tick_us(exchange, 20)
    before = exchange.now

    calm_tick_us(exchange, 20)

    assert exchange.now == before + 40  # twenty to warm up and twenty measured, none refused


def test_the_command_prints_one_json_object() -> None:
    arguments = ["--orders=200", "--rounds=1", "--accounts=20", "--long-orders=0"]
    run = CliRunner().invoke(main, ["bench", *arguments, "--quick", "--no-instructions", "--json"])

    assert run.exit_code == 0, run.output
    figures = msgspec.json.decode(run.stdout)
    assert figures["us_per_order"] > 0
    assert figures["instructions_per_order"] is None
    assert figures["command_us"] > 0
    assert figures["journal_us_per_command"] is not None
    assert figures["snapshot_ms"] > 0
    assert figures["is_compiled"] is False
    assert set(figures["tick_us"]) == {"1000", "3000", "10000"}


def test_the_book_of_the_stream_neither_fills_up_nor_runs_dry() -> None:
    stream = Stream(seed=3, accounts=50)
    exchange = prepared_exchange(stream.setting_up)
    resting = []
    for orders in (20_000, 3_000, 3_000, 3_000):
        for command in stream.commands(orders):
            exchange.apply(command, 0)
        resting.append(sum(len(exchange.open_orders(account)) for account in exchange.accounts))

    assert all(600 < count < 1_000 for count in resting)


def test_what_is_left_plain_in_the_compiled_copy_is_there_to_be_left() -> None:
    core = Path(exchange_module.__file__).parent

    assert {path.stem for path in core.glob("*.py")} >= LEFT_PLAIN


def test_a_compiler_that_fails_is_told_and_nothing_is_measured(monkeypatch) -> None:
    monkeypatch.setenv("CC", "false")
    run = CliRunner().invoke(main, ["bench", "--compiled", "--json"])

    assert run.exit_code == 1
    assert "mypyc failed" in run.output
    assert "us_per_order" not in run.output
