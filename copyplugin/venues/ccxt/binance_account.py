"""Binance USD-M: balances, positions, modes, funding, what a key may do."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio
from copyplugin.errors import OrderRejected, VenueUnavailable
from copyplugin.venues.ccxt import binance_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Book, Glance, Identity
from copyplugin.venues.ccxt.errors import UNCHANGED
from copyplugin.venues.ccxt.texts import (
    decimal_of,
    milliseconds_of,
    money_of,
    plain,
    time_of,
)

WEEK = timedelta(days=7)
INCOME_PAGE = 1000
_MODES = {MarginMode.ISOLATED: "ISOLATED", MarginMode.CROSS: "CROSSED"}


class BinanceAccount:
    """The part of the dialect that is about one account's state."""

    config: VenueConfig

    async def identity(self, client: Client) -> Identity:
        """Ask the spot account for the UID, and what the key may do.

        The venue does not tell a sub-account's key whose sub-account it is. A testnet tells nothing
        of keys, and there is nothing to withdraw.
        """
        if self.config.testnet:
            account = await client.ask("private_get_account", cost=20)
            return Identity(
                account=AccountId(str(account["uid"])),
                owner=None,
                can_trade=bool(account["canTrade"]),
                can_transfer=False,
                can_withdraw=False,
                expires_at=None,
            )
        account, may = await asyncio.gather(
            client.ask("private_get_account", cost=20),
            client.ask("sapi_get_account_apirestrictions"),
        )
        expires = may.get("tradingAuthorityExpirationTime")
        return Identity(
            account=AccountId(str(account["uid"])),
            owner=None,
            can_trade=bool(may["enableFutures"]),
            can_transfer=bool(may.get("permitsUniversalTransfer")),
            can_withdraw=bool(may["enableWithdrawals"]),
            expires_at=None if not expires else time_of(expires),
        )

    async def balance(self, client: Client) -> AccountBalance:
        """Ask for both wallets; a testnet has no spot wallet for us."""
        futures = await client.ask("fapiprivatev3_get_account", cost=5)
        spot = ZERO_MONEY
        if not self.config.testnet:
            coins = await client.ask("sapi_get_capital_config_getall", cost=10)
            spot = next((money_of(c, "free") for c in rows_of(coins) if c["coin"] == "USDT"), spot)
        asset = _usdt(futures)
        return AccountBalance(
            spot_available=spot,
            contract_wallet=money_of(asset, "walletBalance", "0"),
            contract_available=money_of(asset, "availableBalance", "0"),
            equity=money_of(asset, "marginBalance", "0"),
        )

    async def available(self, client: Client) -> Money:
        answer = await client.ask("fapiprivatev3_get_account", cost=5)
        return money_of(_usdt(answer), "availableBalance", "0")

    async def glance(self, client: Client) -> Glance | None:
        """Return wallet and positions as the mark: every fill changes one of them."""
        answer = await client.ask("fapiprivatev3_get_account", cost=5)
        held = sorted(
            (row["symbol"], row["positionSide"], row["positionAmt"], str(row["updateTime"]))
            for row in answer["positions"]
        )
        return Glance(
            mark=(answer["totalWalletBalance"], tuple(held)),
            available=money_of(_usdt(answer), "availableBalance", "0"),
        )

    async def positions(self, client: Client, book: Book) -> Sequence[VenuePosition]:
        rows = [
            row
            for row in rows_of(await client.ask("fapiprivatev3_get_positionrisk", cost=5))
            if decimal_of(row, "positionAmt") != 0 and Symbol(row["symbol"]) in book
        ]
        if not rows:
            return []
        configs = await self.symbol_settings(client)
        return [
            binance_rows.position_from(
                row,
                book[Symbol(row["symbol"])],
                Ratio(decimal_of(configs[row["symbol"]], "leverage")),
            )
            for row in rows
        ]

    async def symbol_settings(self, client: Client) -> dict[str, Row]:
        """Return leverage and margin mode of each symbol."""
        rows = rows_of(await client.ask("fapiprivate_get_symbolconfig", cost=5))
        return {row["symbol"]: row for row in rows}

    async def set_hedge_mode(self, client: Client) -> None:
        await _unless_so(client, "fapiprivate_post_positionside_dual", {"dualSidePosition": "true"})

    async def is_hedged(self, client: Client, symbol: Symbol) -> bool:
        answer = await client.ask("fapiprivate_get_positionside_dual", cost=30)
        return bool(answer["dualSidePosition"])

    async def configure(
        self, client: Client, instrument: Instrument, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Set the symbol's margin mode, then its leverage, which is a whole number here."""
        if leverage != int(leverage) or leverage < 1:
            raise OrderRejected("leverage_out_of_range", f"leverage {leverage} is not whole")
        symbol: Row = {"symbol": instrument.symbol}
        mode = {**symbol, "marginType": _MODES[margin_mode]}
        await _unless_so(client, "fapiprivate_post_margintype", mode)
        await _unless_so(
            client, "fapiprivate_post_leverage", {**symbol, "leverage": str(int(leverage))}
        )

    async def adjust_margin(
        self, client: Client, instrument: Instrument, position_side: PositionSide, money: Money
    ) -> None:
        params: Row = {
            "symbol": instrument.symbol,
            "positionSide": binance_rows.LEGS[position_side],
            "amount": plain(abs(money)),
            "type": "1" if money > 0 else "2",
        }
        await client.tell("fapiprivate_post_positionmargin", params, rejected=OrderRejected)

    async def funding(
        self, client: Client, book: Book, since: datetime
    ) -> Sequence[FundingPayment]:
        """List payments; the side that each was for follows from the rate of its time."""
        assert client.account is not None
        rows = await incomes(client, since, "FUNDING_FEE")
        payments: list[FundingPayment] = []
        rates: dict[tuple[str, int], Decimal] = {}
        for row in rows:
            if Symbol(row["symbol"]) not in book:
                continue
            key = (row["symbol"], int(row["time"]))
            if key not in rates:
                rates[key] = await _rate(client, *key)
            side = binance_rows.payer(decimal_of(row, "income"), rates[key])
            payments.append(binance_rows.funding_from(row, client.account, side))
        return payments


async def incomes(client: Client, since: datetime, kind: str | None = None) -> list[Row]:
    """Return what changed the futures wallet since then, oldest first, week by week."""
    rows: list[Row] = []
    start, now = since, datetime.fromtimestamp(client.ccxt.nonce() / 1000, UTC)
    is_last = False
    while not is_last:
        end = start + WEEK - timedelta(milliseconds=1)
        is_last = end >= now
        page = 1
        while True:
            params: Row = {
                "startTime": milliseconds_of(start),
                "limit": INCOME_PAGE,
                "page": page,
                **({} if kind is None else {"incomeType": kind}),
                **({} if is_last else {"endTime": milliseconds_of(end)}),
            }
            found = rows_of(await client.ask("fapiprivate_get_income", params, cost=30))
            rows += found
            if len(found) < INCOME_PAGE:
                break
            page += 1
        start = end + timedelta(milliseconds=1)
    return rows


_BEFORE_MS, _AFTER_MS = 60_000, 10_000


async def _rate(client: Client, symbol: str, at_ms: int) -> Decimal:
    """Return the funding rate that was paid about that time."""
    params: Row = {
        "symbol": symbol,
        "startTime": at_ms - _BEFORE_MS,
        "endTime": at_ms + _AFTER_MS,
        "limit": 10,
    }
    rows = rows_of(await client.ask("fapipublic_get_fundingrate", params))
    return decimal_of(rows[-1], "fundingRate")


async def _unless_so(client: Client, method: str, params: Row) -> None:
    try:
        await client.tell(method, params, rejected=OrderRejected)
    except OrderRejected as error:
        if error.reason != UNCHANGED:
            raise


def _usdt(answer: Row) -> Row:
    nothing: Row = {}
    return next((each for each in answer["assets"] if each["asset"] == "USDT"), nothing)


def rows_of(answer: object) -> list[Row]:
    """Return an answer that is a list."""
    if not isinstance(answer, list):
        raise VenueUnavailable("the venue answered without a list")
    return cast("list[Row]", answer)
