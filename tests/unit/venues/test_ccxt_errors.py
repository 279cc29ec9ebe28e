"""Every error class of ccxt has a meaning, and only what is certain counts as a refusal."""

import aiohttp
import ccxt
import pytest
from ccxt.base import errors as ccxt_errors

from copyplugin.errors import (
    OrderRejected,
    OutcomeUnknown,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.venues.ccxt import errors
from copyplugin.venues.ccxt.bybit_codes import REFUSALS

REFUSED, DOUBT, LATER = OrderRejected, OutcomeUnknown, VenueUnavailable

MEANINGS = {
    "BaseError": DOUBT,
    "ExchangeError": DOUBT,
    "AuthenticationError": REFUSED,
    "PermissionDenied": REFUSED,
    "AccountNotEnabled": REFUSED,
    "AccountSuspended": REFUSED,
    "ArgumentsRequired": REFUSED,
    "BadRequest": DOUBT,
    "BadSymbol": REFUSED,
    "OperationRejected": DOUBT,
    "NoChange": REFUSED,
    "MarginModeAlreadySet": REFUSED,
    "MarketClosed": REFUSED,
    "ManualInteractionNeeded": DOUBT,
    "RestrictedLocation": REFUSED,
    "InsufficientFunds": REFUSED,
    "InvalidAddress": REFUSED,
    "AddressPending": REFUSED,
    "InvalidOrder": DOUBT,
    "OrderNotFound": DOUBT,
    "OrderNotCached": DOUBT,
    "OrderImmediatelyFillable": REFUSED,
    "OrderNotFillable": REFUSED,
    "DuplicateOrderId": DOUBT,
    "ContractUnavailable": REFUSED,
    "NotSupported": REFUSED,
    "InvalidProxySettings": LATER,
    "ExchangeClosedByUser": LATER,
    "OperationFailed": DOUBT,
    "NetworkError": DOUBT,
    "DDoSProtection": LATER,
    "RateLimitExceeded": LATER,
    "ExchangeNotAvailable": DOUBT,
    "OnMaintenance": DOUBT,
    "InvalidNonce": LATER,
    "ChecksumError": DOUBT,
    "RequestTimeout": DOUBT,
    "BadResponse": DOUBT,
    "NullResponse": DOUBT,
    "CancelPending": DOUBT,
    "UnsubscribeError": DOUBT,
}

CLASSES = {
    name: found
    for name, found in vars(ccxt_errors).items()
    if isinstance(found, type) and issubclass(found, ccxt.BaseError)
}


def names_in(tree: dict) -> set[str]:
    return {name for top, below in tree.items() for name in {top, *names_in(below)}}


def test_the_walk_knows_every_class_there_is() -> None:
    assert names_in(ccxt_errors.error_hierarchy) == set(CLASSES) == set(MEANINGS)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_request_that_changes_something_raises_what_its_sender_branches_on(name: str) -> None:
    raised = errors.told(CLASSES[name]("bybit said so"), {}, OrderRejected)
    assert type(raised) is MEANINGS[name]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_question_without_an_answer_is_asked_again(name: str) -> None:
    assert type(errors.asked(CLASSES[name]("bybit said so"))) is VenueUnavailable


def test_a_new_class_is_doubted() -> None:
    class Novelty(ccxt.InsufficientFunds):
        pass

    assert type(errors.told(Novelty("x"), {}, OrderRejected)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("110007", OrderRejected),
        ("110072", OutcomeUnknown),  # our order of this name is there
        ("10016", OutcomeUnknown),
        ("10006", VenueUnavailable),
        ("999999", OutcomeUnknown),
    ],
)
def test_the_venues_code_goes_before_the_class(code: str, meaning: type) -> None:
    said = ccxt.InvalidOrder(f'bybit {{"retCode":{code},"retMsg":"words","result":{{}}}}')
    raised = errors.told(said, REFUSALS, OrderRejected)
    assert type(raised) is meaning
    assert str(raised).endswith(f"words (code {code})")


def test_what_never_left_may_be_sent_again() -> None:
    lost = ccxt.ExchangeNotAvailable("bybit POST https://host/v5/order/create")
    lost.__cause__ = aiohttp.ClientConnectorError(_Key(), OSError(111, "refused"))
    assert type(errors.told(lost, {}, OrderRejected)) is VenueUnavailable
    broken = ccxt.ExchangeNotAvailable("bybit POST https://host/v5/order/create")
    broken.__cause__ = aiohttp.ServerDisconnectedError()
    assert type(errors.told(broken, {}, OrderRejected)) is OutcomeUnknown


class _Key:
    host, port, ssl, is_ssl = "host", 443, True, True


def test_a_transfers_refusal_is_a_transfers() -> None:
    said = ccxt.InsufficientFunds('bybit {"retCode":131212,"retMsg":"Insufficient balance."}')
    raised = errors.told(said, REFUSALS, TransferRejected)
    assert isinstance(raised, TransferRejected)
    assert raised.reason == "insufficient_balance"


def test_a_sentence_never_shows_a_signed_address() -> None:
    said = ccxt.RequestTimeout("binance GET https://host/fapi/v1/order?symbol=X&signature=abc")
    assert errors.sentence_of(said) == "RequestTimeout: binance GET https://host/fapi/v1/order"
