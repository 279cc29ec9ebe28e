from decimal import Decimal

import pytest

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.sizing import (
    LeaderOpening,
    target_after_close,
)
from copyplugin.domain.skip import Skip, SkipReason
from tests.laws.domain.domain_strategies import contracts_for_open


def make_instrument(**changes) -> Instrument:
    return Instrument(
        **{
            "symbol": Symbol("BTCUSDT"),
            "base": "BTC",
            "settle": "USDT",
            "tick_size": Decimal("0.1"),
            "contract_size": Decimal("0.001"),
            "contracts_min": Contracts(1),
            "contracts_max": Contracts(1000),
            "notional_min": Money(Decimal(5)),
            "leverage_max": Ratio(Decimal(100)),
            "maker_fee": Ratio(Decimal("0.0002")),
            "taker_fee": Ratio(Decimal("0.0006")),
        }
        | changes
    )


def make_opening(number=100, price="20000", leverage="10", margin="200", balance="1000"):
    """Return an open of so many contracts; 100 at 20 000 are worth 2000 and tie up 200."""
    return LeaderOpening(
        contracts=Contracts(number),
        price_sum=number * Decimal(price),
        leverage=Ratio(Decimal(leverage)),
        initial_margin=None if margin is None else Money(Decimal(margin)),
        balance_before=None if balance is None else Money(Decimal(balance)),
    )


def size(mode, available, opening=None, **instrument):
    return contracts_for_open(
        mode,
        opening or make_opening(),
        available=Money(Decimal(available)),
        instrument=make_instrument(**instrument),
    )


FIXED, PROPORTIONAL = CopyMode.FIXED, CopyMode.PROPORTIONAL


@pytest.mark.parametrize(
    ("mode", "available", "opening", "wanted"),
    [
        # the leader's contracts, whatever he uses of his balance
        (FIXED, "1000", make_opening(), 100),
        (FIXED, "1000", make_opening(balance=None, margin=None), 100),
        # 100 contracts need 200 of margin and 1.2 of fee
        (FIXED, "201.2", make_opening(), 100),
        # a fifth of 500, at 10-fold leverage: 1000 worth, 50 contracts of 20
        (PROPORTIONAL, "500", make_opening(), 50),
        # ... of 519.99: 51.999 contracts, rounded down
        (PROPORTIONAL, "519.99", make_opening(), 51),
        # all of the leader's balance: what the margin leaves for the fee, 100 / 2.012
        (PROPORTIONAL, "100", make_opening(margin="1000"), 49),
        # more margin than balance counts as all of it
        (PROPORTIONAL, "100", make_opening(margin="5000"), 49),
        # no more than the venue takes at once
        (FIXED, "1000000", make_opening(number=5000), 1000),
        (PROPORTIONAL, "1000000", make_opening(), 1000),
    ],
)
def test_an_open_takes_as_many_contracts_as_the_rule_gives(mode, available, opening, wanted):
    assert size(mode, available, opening) == wanted


@pytest.mark.parametrize(
    ("mode", "available", "opening", "reason"),
    [
        (FIXED, "1000", make_opening(leverage="101"), SkipReason.LEVERAGE_NOT_ALLOWED),
        (PROPORTIONAL, "1000", make_opening(balance=None), SkipReason.LEADER_BALANCE_UNKNOWN),
        (PROPORTIONAL, "1000", make_opening(margin=None), SkipReason.LEADER_BALANCE_UNKNOWN),
        (PROPORTIONAL, "1000", make_opening(balance="0"), SkipReason.LEADER_BALANCE_UNKNOWN),
        # a hundredth of 9 is less than one contract, though the money would bear several
        (PROPORTIONAL, "9", make_opening(margin="10"), SkipReason.BELOW_MINIMUM),
        # one unit less than margin and fee
        (FIXED, "201.19999999", make_opening(), SkipReason.INSUFFICIENT_BALANCE),
        (FIXED, "0", make_opening(), SkipReason.INSUFFICIENT_BALANCE),
        (PROPORTIONAL, "1", make_opening(), SkipReason.INSUFFICIENT_BALANCE),
        (PROPORTIONAL, "-5", make_opening(), SkipReason.INSUFFICIENT_BALANCE),
    ],
)
def test_an_open_that_cannot_be_copied_says_why(mode, available, opening, reason):
    sized = size(mode, available, opening)

    assert isinstance(sized, Skip)
    assert sized.reason is reason


def test_the_reasons_have_an_order():
    hopeless = make_opening(leverage="101", balance=None)

    assert size(PROPORTIONAL, "0", hopeless).reason is SkipReason.LEVERAGE_NOT_ALLOWED


def test_a_skip_keeps_the_numbers_it_rests_on():
    skip = size(FIXED, "100", make_opening())

    assert skip.detail == {"contracts": "100", "affordable": "49", "available": "100"}


@pytest.mark.parametrize("reason", SkipReason)
def test_every_reason_has_one_plain_sentence(reason):
    assert reason.sentence.endswith(".")
    assert reason.sentence[0].isupper()
    assert reason.sentence.count(". ") == 0


DEAR, CHEAP = "20000", "2000"  # one contract is worth 20 and 2; the venue takes no less than 5


@pytest.mark.parametrize(
    ("price", "held", "before", "after", "wanted"),
    [
        (DEAR, 100, 10, 5, 50),
        (DEAR, 100, 3, 2, 66),  # 66.7, rounded down
        (DEAR, 100, 3, 0, 0),
        (DEAR, 0, 3, 1, 0),
        (DEAR, 1, 2, 1, 0),  # half a contract would remain
        (CHEAP, 10, 100, 99, 7),  # a close of one is raised to three
        (CHEAP, 10, 10, 2, 0),  # two would remain: closed too
        (CHEAP, 10, 10, 3, 3),
        (CHEAP, 4, 10, 9, 0),  # a close of three leaves one: closed too
    ],
)
def test_a_close_leaves_the_leaders_proportion_within_the_venues_minimums(
    price, held, before, after, wanted
):
    target = target_after_close(
        Contracts(held),
        leader_before=Contracts(before),
        leader_after=Contracts(after),
        instrument=make_instrument(),
        price=Price(Decimal(price)),
    )

    assert target == wanted
