"""Bitget: keys, balances, positions, modes, funding, of a classic account's USDT futures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import cast

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_floor, total
from copyplugin.errors import OrderRejected, VenueUnavailable
from copyplugin.venues.ccxt import bitget_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Book, Identity
from copyplugin.venues.ccxt.errors import UNCHANGED
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import (
    credit_of,
    decimal_of,
    milliseconds_of,
    plain,
    text_of,
    time_of,
)

FUTURES: Row = {"productType": "USDT-FUTURES"}
IN_USDT: Row = {**FUTURES, "marginCoin": "USDT"}
PAGE = 100
WEEK = timedelta(days=7)
"""The longest that a question about fills may span; about bills and orders more."""

_MILLISECOND = timedelta(milliseconds=1)
FUNDING_FEE = "contract_settle_fee"
_RATES_PAGES_MAX = 10
_OPEN_POSITION = "open_position"
_TRADE = {"coow", "trade"}
_MOVE = {"wtow", "transfer"}
_WITHDRAW = {"wwow", "withdraw"}


class BitgetAccount:
    """The part of the dialect that is about one account's state.

    Margin mode and leverage are kept for each symbol; an order says its margin mode besides.
    """

    config: VenueConfig

    def __init__(self) -> None:
        self._modes: dict[tuple[AccountId | None, Symbol], MarginMode] = {}

    async def identity(self, client: Client) -> Identity:
        """Ask whose the key is; the venue does not tell when one expires."""
        row = (await client.ask("private_spot_get_v2_spot_account_info"))["data"]
        may = set(cast("list[str]", row["authorities"]))
        account, owner = str(row["userId"]), text_of(row, "parentId")
        return Identity(
            account=AccountId(account),
            owner=AccountId(owner) if owner not in {"", "0", account} else None,
            can_trade=bool(may & _TRADE),
            can_transfer=bool(may & _MOVE),
            can_withdraw=bool(may & _WITHDRAW),
            expires_at=None,
        )

    async def balance(self, client: Client) -> AccountBalance:
        """Ask for both wallets; in demo trading there is only the one to trade with."""
        coin = await _coin(client)
        spot = ZERO_MONEY
        if not self.config.testnet:
            params: Row = {"coin": "USDT"}
            rows = (await client.ask("private_spot_get_v2_spot_account_assets", params))["data"]
            spot = credit_of(rows[0], "available", "0") if rows else ZERO_MONEY
        gain = decimal_of(coin, "unrealizedPL", "0")
        wallet = total(decimal_of(coin, "accountEquity", "0"), -gain)
        return AccountBalance(
            spot_available=spot,
            contract_wallet=money_floor(Fraction(wallet)),
            contract_available=_available(coin),
            equity=credit_of(coin, "accountEquity", "0"),
        )

    async def available(self, client: Client) -> Money:
        return _available(await _coin(client))

    async def positions(self, client: Client, book: Book) -> Sequence[VenuePosition]:
        return [
            bitget_rows.position_from(row, book[Symbol(row["symbol"])])
            for row in await self.position_rows(client)
            if Symbol(row["symbol"]) in book
        ]

    async def position_rows(self, client: Client) -> list[Row]:
        """Return what is held."""
        answer = await client.ask("private_mix_get_v2_mix_position_all_position", IN_USDT)
        rows: list[Row] = answer["data"] or []
        return [row for row in rows if decimal_of(row, "total", "0") != 0]

    async def settings(self, client: Client, symbol: Symbol) -> Row:
        """Return modes and leverage of a symbol."""
        params: Row = {**IN_USDT, "symbol": symbol}
        method = "private_mix_get_v2_mix_account_account"
        return (await client.ask(method, params, urgency=Urgency.CLOSE))["data"]

    async def set_hedge_mode(self, client: Client) -> None:
        """Switch it; an account that holds something cannot be, and may be in it already."""
        params: Row = {**FUTURES, "posMode": "hedge_mode"}
        try:
            await client.tell(
                "private_mix_post_v2_mix_account_set_position_mode", params, rejected=OrderRejected
            )
        except OrderRejected as error:
            if error.reason == UNCHANGED:
                return
            held = await self.position_rows(client) if error.reason == _OPEN_POSITION else []
            if not held or not all(bitget_rows.is_hedged(row) for row in held):
                raise

    async def is_hedged(self, client: Client, symbol: Symbol) -> bool:
        return bitget_rows.is_hedged(await self.settings(client, symbol))

    async def configure(
        self, client: Client, instrument: Instrument, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Set the symbol's margin mode, then the leverage of both legs, a whole number here.

        Raises `OrderRejected` where a position or an order holds the symbol in the other mode.
        """
        if leverage != int(leverage) or leverage < 1:
            raise OrderRejected("leverage_out_of_range", f"leverage {leverage} is not whole")
        symbol: Row = {**IN_USDT, "symbol": instrument.symbol}
        if bitget_rows.mode_of(await self.settings(client, instrument.symbol)) is not margin_mode:
            mode = {**symbol, "marginMode": bitget_rows.MODES[margin_mode]}
            await _unless_so(client, "private_mix_post_v2_mix_account_set_margin_mode", mode)
        self._modes[client.account, instrument.symbol] = margin_mode
        # Isolated legs have each their own.
        legs = bitget_rows.LEGS.values() if margin_mode is MarginMode.ISOLATED else ()
        for which in [{"holdSide": leg} for leg in legs] or [{}]:
            params: Row = {**symbol, "leverage": str(int(leverage)), **which}
            await _unless_so(client, "private_mix_post_v2_mix_account_set_leverage", params)

    async def mode(self, client: Client, symbol: Symbol) -> MarginMode:
        """Return the symbol's margin mode, asked for once."""
        key = (client.account, symbol)
        if key not in self._modes:
            self._modes[key] = bitget_rows.mode_of(await self.settings(client, symbol))
        return self._modes[key]

    async def adjust_margin(
        self, client: Client, instrument: Instrument, position_side: PositionSide, money: Money
    ) -> None:
        params: Row = {
            **IN_USDT,
            "symbol": instrument.symbol,
            "holdSide": bitget_rows.LEGS[position_side],
            "amount": plain(money),
        }
        method = "private_mix_post_v2_mix_account_set_margin"
        await client.tell(method, params, rejected=OrderRejected)

    async def funding(
        self, client: Client, book: Book, since: datetime
    ) -> Sequence[FundingPayment]:
        """List payments; the side that each was for follows from the rate of its time."""
        assert client.account is not None
        method = "private_mix_get_v2_mix_account_bill"
        which: Row = {**FUTURES, "coin": "USDT", "businessType": FUNDING_FEE}
        now = time_of(int(client.ccxt.nonce()))
        rows = await windows(client, method, which, ("bills", "billId"), since, now)
        payments: list[FundingPayment] = []
        rates: dict[tuple[str, int], Decimal] = {}
        for row in rows:
            if Symbol(row["symbol"]) not in book:
                continue
            key = (row["symbol"], int(row["cTime"]))
            if key not in rates:
                rates[key] = await _rate(client, *key)
            side = bitget_rows.payer(decimal_of(row, "amount"), rates[key])
            payments.append(bitget_rows.funding_from(row, client.account, side))
        return payments


async def windows(
    client: Client,
    method: str,
    which: Row,
    names: tuple[str, str],
    since: datetime,
    until: datetime,
) -> list[Row]:
    """Return rows since a time, week by week, oldest first, each once; `until` is about now.

    The venue does not say whether a window begins at its time or after it: it is asked for from a
    millisecond before.
    """
    rows: dict[str, Row] = {}
    start, is_last = since - _MILLISECOND, False
    while not is_last:
        end = start + WEEK - _MILLISECOND
        is_last = end >= until
        params: Row = {**which, "startTime": str(milliseconds_of(start))}
        if not is_last:  # the last window ends when the venue answers, not when we ask
            params["endTime"] = str(milliseconds_of(end))
        rows.update({row[names[1]]: row for row in await pages(client, method, params, names)})
        start = end
    first = milliseconds_of(since)
    return [row for row in rows.values() if int(row["cTime"]) >= first]


async def pages(
    client: Client,
    method: str,
    params: Row,
    names: tuple[str, str],
    *,
    urgency: Urgency = Urgency.READ,
) -> list[Row]:
    """Return all pages, oldest row first, each once; `names` of the list and of a row's id.

    The venue lists newest first, and a page begins below an id: what appears while we read shifts
    nothing.
    """
    listed, name = names
    rows: dict[str, Row] = {}
    asked = {**params, "limit": str(PAGE)}
    while True:
        answer = await client.ask(method, asked, urgency=urgency)
        page = rows_of(answer, listed)
        rows.update({row[name]: row for row in page})
        if len(page) < PAGE:
            return list(reversed(rows.values()))
        asked = {**asked, "idLessThan": text_of(answer["data"], "endId") or page[-1][name]}


def rows_of(answer: Row | None, name: str) -> list[Row]:
    """Return a list of an answer; the venue writes null for one without rows, or for all of it."""
    data: Row = {} if answer is None else answer["data"] or {}
    return data.get(name) or []


async def _coin(client: Client) -> Row:
    answer = await client.ask("private_mix_get_v2_mix_account_accounts", FUTURES)
    nothing: Row = {}
    rows: list[Row] = answer["data"] or []
    return next((each for each in rows if each["marginCoin"] == "USDT"), nothing)


def _available(coin: Row) -> Money:
    """Return what may back an order in either margin mode."""
    names = ("crossedMaxAvailable", "isolatedMaxAvailable")
    return min(credit_of(coin, name, text_of(coin, "available") or "0") for name in names)


_BEFORE_MS, _AFTER_MS = 600_000, 60_000


async def _rate(client: Client, symbol: str, at_ms: int) -> Decimal:
    """Return the funding rate that was paid about that time; the venue lists the latest first."""
    for number in range(1, _RATES_PAGES_MAX + 1):
        params: Row = {
            **FUTURES,
            "symbol": symbol,
            "pageSize": str(PAGE),
            "pageNo": str(number),
        }
        answer = await client.ask("public_mix_get_v2_mix_market_history_fund_rate", params)
        rows: list[Row] = answer["data"] or []
        for row in rows:
            if at_ms - _BEFORE_MS < int(row["fundingTime"]) < at_ms + _AFTER_MS:
                return decimal_of(row, "fundingRate")
        if len(rows) < PAGE:
            break
    raise VenueUnavailable(f"the venue lists no funding rate of {symbol} at {at_ms}")


async def _unless_so(client: Client, method: str, params: Row) -> None:
    try:
        await client.tell(method, params, rejected=OrderRejected)
    except OrderRejected as error:
        if error.reason != UNCHANGED:
            raise
