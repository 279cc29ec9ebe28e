"""Accounts, instruments, deposits, withdrawals and transfers."""

from decimal import Decimal

import msgspec
import pytest

from simexchange.core.commands import (
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    Transfer,
    Withdraw,
)
from simexchange.core.events import CommandRejected, Event, InstrumentListed
from simexchange.core.instrument import MarginTier
from simexchange.core.types import OrderKind, RejectReason, Wallet
from tests.unit.core.exchange_builders import BUY, SYMBOL, Desk, make_instrument, usdt

SPOT, CONTRACT = Wallet.SPOT, Wallet.CONTRACT


def refusal(events):
    (event,) = events
    assert isinstance(event, CommandRejected)
    return event.reason


def test_a_transfer_moves_money_once_however_often_it_is_sent():
    desk = Desk()
    transfer = Transfer(1, CONTRACT, 2, SPOT, usdt(40), "t1")

    (first,) = desk.apply(transfer)
    (second,) = desk.apply(transfer)

    assert (first.from_balance, first.to_balance, first.repeated) == (usdt(9_960), usdt(40), False)
    assert (second.from_balance, second.to_balance, second.repeated) == (
        usdt(9_960),
        usdt(40),
        True,
    )
    assert desk.exchange.transfer("t1") == transfer


def test_a_transfer_id_cannot_be_used_for_another_transfer():
    desk = Desk()
    desk.apply(Transfer(1, CONTRACT, 2, SPOT, usdt(40), "t1"))

    events = desk.apply(Transfer(1, CONTRACT, 2, SPOT, usdt(41), "t1"))

    assert refusal(events) is RejectReason.TRANSFER_ID_REUSED


def test_a_refused_transfer_may_be_sent_again_when_the_money_is_there():
    desk = Desk(money=10)
    transfer = Transfer(1, SPOT, 2, SPOT, usdt(1), "t1")
    assert refusal(desk.apply(transfer)) is RejectReason.INSUFFICIENT_BALANCE
    desk.apply(Deposit(1, SPOT, usdt(1)))

    (done,) = desk.apply(transfer)

    assert not done.repeated


def test_money_that_orders_hold_or_positions_need_cannot_leave():
    desk = Desk(money=100)
    desk.trade(1, 2, 5, 1_000)
    desk.limit(1, BUY, 2, 1_000)

    assert refusal(desk.apply(Withdraw(1, CONTRACT, usdt(31)))) is RejectReason.INSUFFICIENT_BALANCE
    assert desk.apply(Withdraw(1, CONTRACT, usdt(30)))[0].balance == usdt(20)


@pytest.mark.parametrize("money", [0, -1])
def test_an_amount_must_be_positive(money):
    desk = Desk()

    for command in (
        Deposit(1, SPOT, money),
        Withdraw(1, SPOT, money),
        Transfer(1, CONTRACT, 2, SPOT, money, "t"),
    ):
        assert refusal(desk.apply(command)) is RejectReason.INVALID_AMOUNT


def test_a_transfer_needs_two_different_wallets():
    events = Desk().apply(Transfer(1, SPOT, 1, SPOT, 5, "t"))

    assert refusal(events) is RejectReason.INVALID_REQUEST


def test_accounts_are_numbered_in_order_and_sub_accounts_have_no_sub_accounts():
    desk = Desk(accounts=1)

    (opened,) = desk.apply(OpenAccount(owner=1, label="sub"))

    assert (opened.account, opened.owner) == (2, 1)
    assert refusal(desk.apply(OpenAccount(owner=2))) is RejectReason.INVALID_REQUEST
    assert refusal(desk.apply(OpenAccount(owner=9))) is RejectReason.UNKNOWN_ACCOUNT


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": ""},
        {"tick_size": Decimal(0)},
        {"tick_size": Decimal("1e-9")},
        {"tick_size": Decimal("0.15"), "contract_size": Decimal("1e-8")},
        {"min_contracts": 5, "max_contracts": 4},
        {"contracts_step": 0},
        {"default_leverage": 200},
        {"taker_fee": 10**8},
        {"maker_fee": -20, "taker_fee": 10},
        {"tiers": ()},
        {"tiers": (MarginTier(5, 1, 1),)},
        {"tiers": (MarginTier(0, 400_000, 250),)},
        {"tiers": (MarginTier(0, 10, 5), MarginTier(usdt(100), 20, 5, deduction=1))},
        {"tiers": (MarginTier(0, 20, 5), MarginTier(usdt(100), 10, 5))},
    ],
)
def test_an_instrument_that_does_not_work_out_is_refused_with_a_sentence(changes):
    desk = Desk()

    (refused,) = desk.apply(ListInstrument(make_instrument(**({"symbol": "X"} | changes))))

    assert refused.reason is RejectReason.INVALID_INSTRUMENT
    assert " " in refused.message


def test_an_instrument_is_listed_once():
    assert refusal(Desk().apply(ListInstrument(make_instrument()))) is (
        RejectReason.DUPLICATE_INSTRUMENT
    )


def test_prices_and_sizes_off_the_grid_are_named_with_their_neighbours():
    instrument = make_instrument(contract_size=Decimal("0.01"))

    assert instrument.price_to_ticks(Decimal("100.1")) == 1_001
    assert instrument.contracts_from_base(Decimal("0.25")) == 25
    with pytest.raises(ValueError, match=r"use 100\.1 or 100\.2"):
        instrument.price_to_ticks(Decimal("100.15"))
    with pytest.raises(ValueError, match="whole number of contracts"):
        instrument.contracts_from_base(Decimal("0.255"))


def test_time_never_goes_back():
    desk = Desk()

    events = desk.apply(SetIndex(SYMBOL, 5), at=1)

    assert refusal(events) is RejectReason.TIME_WENT_BACK
    assert desk.exchange.mark_price(SYMBOL) == 1_000


def test_an_unknown_account_or_symbol_is_a_key_error_with_a_sentence():
    exchange = Desk().exchange

    with pytest.raises(KeyError, match="no account 9"):
        exchange.account(9)
    with pytest.raises(KeyError, match="no instrument 'X'"):
        exchange.mark_price("X")


def test_commands_and_events_survive_the_journal():
    commands = [
        ListInstrument(make_instrument()),
        PlaceOrder(1, SYMBOL, BUY, 3, OrderKind.LIMIT, 100, client_order_id="c"),
        Transfer(1, SPOT, 2, CONTRACT, 5, "t"),
    ]
    for codec in (msgspec.msgpack, msgspec.json):
        for command in commands:
            assert codec.decode(codec.encode(command), type=Command) == command
    (event,) = Desk().exchange.apply(ListInstrument(make_instrument(symbol="E")), 10**9)
    assert isinstance(event, InstrumentListed)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


def test_money_beyond_64_bits_is_hashed_like_any_other():
    desk = Desk()
    before = desk.exchange.event_hash

    (deposited,) = desk.apply(Deposit(1, SPOT, 10**30))

    assert deposited.balance == 10**30
    assert desk.exchange.event_hash != before
