from decimal import Decimal

import pytest

from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.leader import LeaderTerms, accounts_from, check_terms
from copyplugin.domain.money import Money, Ratio
from copyplugin.errors import Refused

TRADABLE = {Symbol("BTCUSDT"), Symbol("ETHUSDT")}


def ratio(text) -> Ratio:
    return Ratio(Decimal(text))


def amount(text) -> Money:
    return Money(Decimal(text))


def make_terms(**changes) -> LeaderTerms:
    return LeaderTerms(**{"nickname": "Ada", "symbols": frozenset({"BTCUSDT"})} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"share_ratio": ratio("0.01")},
        {"share_ratio": ratio("0.99")},
        {"min_copy_amount": amount(50), "max_copy_amount": amount(50)},
        {"total_copy_amount": amount(10), "max_followers": 1},
        {"signature": "x" * 30},
        {"symbols": frozenset(TRADABLE)},
    ],
)
def test_sound_terms_are_accepted(changes):
    check_terms(make_terms(**changes), TRADABLE)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"share_ratio": ratio("0.009")}, "between 1 % and 99 %"),
        ({"share_ratio": ratio("1")}, "between 1 % and 99 %"),
        ({"sharer_ratio": ratio("1.1")}, "between 0 % and 100 %"),
        ({"min_copy_amount": amount(0)}, "more than 0"),
        ({"max_copy_amount": amount("100.123456789")}, "at most 8 decimals"),
        ({"min_copy_amount": amount(2000)}, "not be more than the largest"),
        ({"total_copy_amount": amount(9)}, "at least one follower"),
        ({"max_followers": 0}, "at least 1"),
        ({"nickname": "  "}, "needs a nickname"),
        ({"signature": "x" * 31}, "at most 30 characters"),
        ({"symbols": frozenset()}, "at least one instrument"),
        ({"symbols": frozenset({"DOGEUSDT"})}, "does not trade DOGEUSDT"),
    ],
)
def test_unsound_terms_are_refused_with_what_to_change(changes, sentence):
    with pytest.raises(Refused, match=sentence):
        check_terms(make_terms(**changes), TRADABLE)


def test_what_is_not_set_has_the_seeds_defaults():
    terms = make_terms()

    assert (terms.min_copy_amount, terms.max_copy_amount) == (10, 1000)
    assert terms.share_ratio == ratio("0.1")


@pytest.mark.parametrize(
    ("text", "accounts"),
    [("", set()), ("10001", {"10001"}), (" 10001, 10002,,10001 ", {"10001", "10002"})],
)
def test_a_blacklist_is_read_as_the_operator_types_it(text, accounts):
    assert accounts_from(text) == accounts
