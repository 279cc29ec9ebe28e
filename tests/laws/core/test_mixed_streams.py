"""Laws over mixed streams: everything that can happen, in one stream, checked after every step."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from simexchange.campaign.drain import drain
from simexchange.core.commands import (
    Batch,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.cross import is_due, slack
from simexchange.core.events import (
    BankruptcyTakeover,
    CommandRejected,
    Deleveraged,
    Deposited,
    Filled,
    FundingPaid,
    IndexLost,
    InsuranceFundMoved,
    MarkPriceSet,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderRejected,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderRejected,
    PlanOrderTriggered,
    Transferred,
    Withdrawn,
)
from simexchange.core.exchange import Exchange
from simexchange.core.types import CancelReason, MarginMode, PositionSide, RejectReason, Wallet
from simexchange.core.views import PositionView
from tests.laws.core.command_streams import Stream, make_run

SEEDS = range(12)
REJECTIONS = (CommandRejected, OrderRejected, PlanOrderRejected)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_invariant_holds_after_every_command_of_a_mixed_stream(seed):
    stream = make_run(seed, 1_200)

    stream.exchange.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refused_command_changes_nothing_and_is_answered_by_one_rejection(seed):
    stream = make_run(seed, 100, has_funding=False)
    refused = 0
    for _ in range(300):
        before = stream.exchange.state_hash()
        events = stream.step()
        own = [event for event in events if not is_by_itself(event)]
        command, _ = stream.log[-1]
        if isinstance(command, Batch) or not any(isinstance(e, REJECTIONS) for e in own):
            continue
        if any(isinstance(event, IndexLost) for event in own):
            continue  # it grew too old just before, which is a tick of its own
        assert len(own) == 1
        assert own[0].message
        # a forced rejection uses up its fault; another order may have expired just before
        if own[0].reason is not RejectReason.FORCED and own == events:
            refused += 1
            assert stream.exchange.state_hash() == before
    assert refused > 20


def is_by_itself(event) -> bool:
    """Say whether the event is not the command's own: what waited fired, failed or expired."""
    return (
        isinstance(event, PlanOrderCancelled | PlanOrderTriggered | PlanOrderFailed)
        or getattr(event, "reason", None) is CancelReason.EXPIRED
        or bool(getattr(event, "plan_id", None))
    )


def money_moved(event) -> list[tuple[int, int]]:
    """Return (account, money) for each contract wallet or position that ``event`` made richer."""
    moved = [(event.account, -event.payment)] if isinstance(event, FundingPaid) else []
    match event:
        case Deposited(wallet=Wallet.CONTRACT):
            moved = [(event.account, event.money)]
        case Withdrawn(wallet=Wallet.CONTRACT):
            moved = [(event.account, -event.money)]
        case Transferred(repeated=False):
            from_contract = event.from_wallet is Wallet.CONTRACT
            to_contract = event.to_wallet is Wallet.CONTRACT
            moved = [
                (event.from_account, -event.money * from_contract),
                (event.to_account, event.money * to_contract),
            ]
        case Filled():
            moved = [(event.account, event.realized_pnl - event.fee)]
        case BankruptcyTakeover():
            moved = [(event.account, event.realized_pnl), (0, event.fund_realized_pnl)]
        case Deleveraged():
            moved = [
                (event.account, event.realized_pnl),
                (event.against, event.against_realized_pnl),
            ]
        case InsuranceFundMoved():
            moved = [(event.account, -event.money), (0, event.money)]
    return moved


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_ends_with_what_it_was_given_plus_what_its_events_say(seed):
    exchange = Exchange(ExchangeConfig(check_every=50))
    stream = Stream(seed, exchange)
    given = defaultdict(int)
    stream.set_up()
    for number in exchange.accounts:
        given[number] = exchange.account(number).contract_balance
    for _ in range(1_500):
        for event in stream.step():
            for number, money in money_moved(event):
                given[number] += money

    for number in exchange.accounts:
        profit = sum(position.unrealized_pnl for position in exchange.positions(number))
        assert exchange.equity(number) == given[number] + profit


@pytest.mark.parametrize("seed", SEEDS)
def test_every_contract_of_an_order_is_filled_or_remaining_or_cancelled(seed):
    exchange = Exchange(ExchangeConfig(closed_orders_kept=10**9))
    stream = Stream(seed, exchange)
    stream.set_up()
    filled, cancelled, size = defaultdict(int), defaultdict(int), {}
    for _ in range(1_500):
        for event in stream.step():
            match event:
                case OrderAccepted():
                    size[event.order_id] = event.contracts
                case OrderAmended():
                    size[event.order_id] = event.contracts
                case Filled():
                    assert event.order_filled == filled[event.order_id] + event.contracts
                    filled[event.order_id] = event.order_filled
                case OrderCancelled():
                    assert event.order_id not in cancelled
                    cancelled[event.order_id] = event.remaining
                case _:
                    pass

    assert size
    for order_id, contracts in size.items():
        order = exchange.order(order_id)
        assert contracts == filled[order_id] + order.remaining + cancelled.get(order_id, 0)
        assert order.filled == filled[order_id]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drained_exchange_holds_nothing_back(seed):
    stream = make_run(seed, 800)

    drain(stream)  # and its check, which fails when a hold, a margin or a contract is left

    assert all(stream.exchange.positions(number) == [] for number in stream.exchange.accounts)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_tick_nothing_is_left_that_a_scan_of_everything_would_liquidate(seed):
    stream = make_run(seed, 50)
    ticks = 0
    for _ in range(600):
        for event in stream.step():
            if isinstance(event, MarkPriceSet):
                ticks += 1
                assert due_by_scan(stream.exchange, event.symbol) == []
    assert ticks > 5


def due_by_scan(exchange: Exchange, symbol: str) -> list[PositionView]:
    """Look at every position of every account, as the indexes are there to avoid."""
    mark = exchange.mark_price(symbol)
    due = []
    for number in exchange.accounts[1:]:
        for position in exchange.positions(number):
            if position.symbol != symbol or position.margin_mode is MarginMode.CROSS:
                continue
            price = position.liquidation_price
            long = position.contracts > 0 and position.position_side is not PositionSide.SHORT
            if price is not None and (mark <= price if long else mark >= price):
                due.append(position)
        account = exchange._state.accounts[number]
        now = slack(account)
        if account.cross_positions and is_due(account, now):
            due.extend(p for p in exchange.positions(number) if p.symbol == symbol)
    return due


def test_how_many_ended_orders_are_kept_changes_nothing_else():
    hashes = {
        make_run(4, 1_200, check_every=0, closed_orders_kept=kept).exchange.state_hash()
        for kept in (0, 2, 200, 10**6)
    }

    assert len(hashes) == 1


def test_two_processes_with_different_hash_seeds_agree_on_the_event_hash():
    script = (
        "from tests.laws.core.command_streams import make_run\n"
        "for seed in range(4):\n"
        "    exchange = make_run(seed, 400, check_every=0).exchange\n"
        "    print(exchange.event_hash, exchange.state_hash())\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": _path()},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "4242")
    }

    assert len(printed) == 1
    assert len(set(printed.pop().split())) == 8


def _path() -> str:
    return str(Path(__file__).parents[3])
