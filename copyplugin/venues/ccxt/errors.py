"""ccxt's errors in our words: what the caller does next.

A refusal is certain where the venue's own code is on its quirks' list, or where ccxt's class can
mean nothing else. Everything else that was raised by a request which changes something leaves
it in doubt.
"""

import json
import re
import socket
from collections.abc import Mapping
from typing import cast

import aiohttp
import ccxt

from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import (
    OrderRejected,
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
    VenueError,
    VenueUnavailable,
)

UNCHANGED = "unchanged"
"""Why a setting was refused that is so already."""

NOT_FOUND = RejectReason.NOT_FOUND
INSUFFICIENT_MARGIN = "insufficient_margin"
DUPLICATE = "duplicate_client_order_id"
TRY_LATER = "try_later"
"""On a list of codes: nothing was done, and nothing is wrong with the request."""

IN_DOUBT = "in_doubt"
"""On a list of codes: ask, whatever ccxt takes it for."""

CERTAIN: Mapping[type[ccxt.BaseError], str] = {
    ccxt.InsufficientFunds: INSUFFICIENT_MARGIN,
    ccxt.AuthenticationError: "keys_refused",
    ccxt.PermissionDenied: "permission_denied",
    ccxt.AccountNotEnabled: "account_not_enabled",
    ccxt.AccountSuspended: "account_suspended",
    ccxt.ArgumentsRequired: "invalid_request",  # raised by ccxt before it sends anything
    ccxt.BadSymbol: "unknown_instrument",
    ccxt.MarketClosed: "market_closed",
    ccxt.RestrictedLocation: "restricted_location",
    ccxt.NoChange: UNCHANGED,
    ccxt.MarginModeAlreadySet: UNCHANGED,
    ccxt.NotSupported: "not_supported",  # as ArgumentsRequired
    ccxt.InvalidAddress: "invalid_request",
    ccxt.AddressPending: "invalid_request",
    ccxt.OrderImmediatelyFillable: RejectReason.ALREADY_THROUGH,
    ccxt.OrderNotFillable: "no_liquidity",
    ccxt.ContractUnavailable: "market_closed",
}
"""Classes that say no: nothing was done. What a class is not named here it does not inherit."""

NOTHING_DONE = frozenset(
    {
        ccxt.RateLimitExceeded,
        ccxt.DDoSProtection,
        ccxt.InvalidNonce,  # the venue refused the time or the signature's age
        ccxt.InvalidProxySettings,  # raised by ccxt before it sends anything
        ccxt.ExchangeClosedByUser,  # as that
    }
)
"""Classes after which the same request may be sent again later."""

_CODE_NAMES = ("retCode", "ret_code", "code", "sCode")
_LENGTH_MAX = 300


def asked(error: ccxt.BaseError) -> VenueUnavailable:
    """Return what a question that was not answered raises."""
    return VenueUnavailable(sentence_of(error))


def told(
    error: ccxt.BaseError, refusals: Mapping[str, str], rejected: type[RequestRejected]
) -> VenueError:
    """Return what a request that changes something raises. `refusals`: the venue's codes."""
    sentence = sentence_of(error)
    reason = refusals.get(code_of(error))
    if reason == TRY_LATER or (reason is None and _was_never_sent(error)):
        return VenueUnavailable(sentence)
    if reason == IN_DOUBT:
        return OutcomeUnknown(sentence)
    if reason is None and type(error) in NOTHING_DONE:
        return VenueUnavailable(sentence)
    if reason is None:
        reason = CERTAIN.get(type(error))
    if reason is None:
        return OutcomeUnknown(sentence)
    return _rejection(rejected, reason, sentence)


def code_of(error: ccxt.BaseError) -> str:
    """Return the venue's own code of an error; "" where there is none.

    Of an answer that says of each of several things what became of it, the first refusal's.
    """
    answer = _said(_answer_of(error))
    for name in _CODE_NAMES:
        if name in answer:
            return str(answer[name]).partition("_")[0]  # what follows is a case of the same refusal
    return ""


def sentence_of(error: ccxt.BaseError) -> str:
    """Return what the venue said, short enough for a row, and never with an address in it."""
    answer = _said(_answer_of(error))
    for name in ("retMsg", "ret_msg", "msg", "sMsg"):
        if answer.get(name):
            return f"{answer[name]} (code {code_of(error)})"[:_LENGTH_MAX]
    text = re.sub(r"(https?://[^\s?]+)\?\S*", r"\1", str(error))
    return f"{type(error).__name__}: {text}"[:_LENGTH_MAX]


def _said(answer: Mapping[str, object]) -> Mapping[str, object]:
    """Return what speaks of the refusal: a row where the answer lists them, else all of it."""
    rows = answer.get("data")
    if isinstance(rows, list):
        for each in cast("list[object]", rows):
            row = cast("dict[str, object]", each) if isinstance(each, dict) else {}
            if row.get("sCode") not in {None, "", "0"}:
                return row
    return answer


def _answer_of(error: ccxt.BaseError) -> Mapping[str, object]:
    """Return the venue's answer, which ccxt appends to the name of the exchange."""
    text = str(error)
    start = text.find("{")
    if start < 0:
        return {}
    try:
        answer, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return {}
    return cast("dict[str, object]", answer) if isinstance(answer, dict) else {}


def _was_never_sent(error: ccxt.BaseError) -> bool:
    """Return whether no connection came about that could have carried the request."""
    return isinstance(error.__cause__, aiohttp.ClientConnectorError | socket.gaierror)


def _rejection(rejected: type[RequestRejected], reason: str, sentence: str) -> RequestRejected:
    assert rejected in {OrderRejected, TransferRejected, RequestRejected}
    return rejected(reason, sentence)
