"""A running exchange sums its whole ledger now and then, whatever each command asserts."""

import pytest

from simexchange.core.commands import Deposit, OpenAccount, SetFeeTier
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import Wallet


def run_with_a_unit_too_many(config: ExchangeConfig, commands: int) -> None:
    exchange = Exchange(config)
    exchange.apply(OpenAccount(), 0)
    exchange.apply(Deposit(1, Wallet.SPOT, 100), 0)
    exchange._state.accounts[1].spot += 1
    for _ in range(commands):
        exchange.apply(SetFeeTier(1, None, None), 0)


def test_money_out_of_nowhere_is_found_by_the_next_full_sum() -> None:
    with pytest.raises(AssertionError, match="money was made or lost: 1"):
        run_with_a_unit_too_many(ExchangeConfig(), 10_000)


def test_without_a_full_sum_only_an_explicit_check_finds_it() -> None:
    run_with_a_unit_too_many(ExchangeConfig(sum_every=0), 10_000)
