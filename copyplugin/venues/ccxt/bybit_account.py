"""Bybit: balances, positions, modes, funding."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Money, Ratio, total
from copyplugin.errors import OrderRejected, VenueUnavailable
from copyplugin.venues.ccxt import bybit_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book, Identity
from copyplugin.venues.ccxt.errors import UNCHANGED
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import (
    decimal_of,
    milliseconds_of,
    money_of,
    plain,
    text_of,
    time_of,
)

LINEAR = {"category": "linear"}
WINDOW = timedelta(days=7)  # the longest that a question about the past may span
_MODES = {"ISOLATED_MARGIN": MarginMode.ISOLATED, "REGULAR_MARGIN": MarginMode.CROSS}
_WIRE_MODES = {mode: name for name, mode in _MODES.items()}
_TRADE, _MOVE = {"Order", "Position", "DerivativesTrade"}, {"AccountTransfer", "SubMemberTransfer"}
_HEDGED = 3
_PAGE = {"positions": 200, "executions": 100}


class BybitAccount:
    """The part of the dialect that is about one account's state."""

    async def identity(self, client: Client) -> Identity:
        row = (await client.ask("private_get_v5_user_query_api"))["result"]
        words = {word for group in row["permissions"].values() for word in group}
        is_writing = not row["readOnly"]
        parent = text_of(row, "parentUid")
        return Identity(
            account=AccountId(str(row["userID"])),
            owner=AccountId(parent) if parent not in {"", "0"} else None,
            can_trade=is_writing and bool(words & _TRADE),
            can_transfer=is_writing and bool(words & _MOVE),
            can_withdraw=is_writing and "Withdraw" in words,
            expires_at=_date(text_of(row, "expiredAt")),
        )

    async def balance(self, client: Client) -> AccountBalance:
        """Ask for both wallets. Where margin is isolated the venue tells no available balance."""
        unified, funding = await asyncio.gather(
            client.ask("private_get_v5_account_wallet_balance", {"accountType": "UNIFIED"}),
            client.ask(
                "private_get_v5_asset_transfer_query_account_coin_balance",
                {"accountType": "FUND", "coin": "USDT"},
            ),
        )
        row: Row = unified["result"]["list"][0]
        coin = _usdt(row)
        spot = funding["result"]["balance"]
        return AccountBalance(
            spot_available=money_of(spot, "transferBalance", "0"),
            contract_wallet=money_of(coin, "walletBalance", "0"),
            contract_available=_available(row, coin),
            equity=money_of(coin, "equity", "0"),
        )

    async def available(self, client: Client) -> Money:
        answer = await client.ask(
            "private_get_v5_account_wallet_balance", {"accountType": "UNIFIED"}
        )
        row: Row = answer["result"]["list"][0]
        return _available(row, _usdt(row))

    async def margin_mode(self, client: Client) -> MarginMode:
        row = (await client.ask("private_get_v5_account_info"))["result"]
        mode = _MODES.get(row["marginMode"])
        if mode is None:
            raise VenueUnavailable(
                f"account {client.account} is in {row['marginMode']}: "
                "switch it to isolated or regular margin"
            )
        return mode

    async def positions(self, client: Client, book: Book) -> Sequence[VenuePosition]:
        rows, mode = await asyncio.gather(
            self.position_rows(client, {"settleCoin": "USDT"}), self.margin_mode(client)
        )
        return [
            bybit_rows.position_from(row, book[Symbol(row["symbol"])], mode)
            for row in rows
            if decimal_of(row, "size", "0") != 0
        ]

    async def position_rows(self, client: Client, which: Row) -> list[Row]:
        """Return positions; for one symbol flat ones too, with their leverage."""
        params = {**LINEAR, **which, "limit": _PAGE["positions"]}
        return await pages(client, "private_get_v5_position_list", params)

    async def set_hedge_mode(self, client: Client) -> None:
        params = {**LINEAR, "coin": "USDT", "mode": _HEDGED}
        await _unless_so(client, "private_post_v5_position_switch_mode", params)

    async def is_hedged(self, client: Client, symbol: Symbol) -> bool:
        rows = await self.position_rows(client, {"symbol": symbol})
        return all(bybit_rows.position_side(row) is not None for row in rows)

    async def configure(
        self, client: Client, instrument: Instrument, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Set the account's margin mode, which is one for all symbols, and the symbol's leverage.

        Raises `OrderRejected` where open positions or orders hold the account in the other mode.
        """
        if await self.margin_mode(client) is not margin_mode:
            params: Row = {"setMarginMode": _WIRE_MODES[margin_mode]}
            await _unless_so(client, "private_post_v5_account_set_margin_mode", params)
        text = plain(leverage)
        both = {"buyLeverage": text, "sellLeverage": text}
        await _unless_so(
            client,
            "private_post_v5_position_set_leverage",
            {**LINEAR, "symbol": instrument.symbol, **both},
        )

    async def funding(
        self, client: Client, book: Book, since: datetime
    ) -> Sequence[FundingPayment]:
        assert client.account is not None
        rows = await executions(
            client, since, time_of(client.ccxt.nonce()), {"execType": "Funding"}
        )
        payments: list[FundingPayment] = []
        for row in rows:
            if Symbol(row["symbol"]) in book:
                # The row's side is that of the position.
                is_long = bybit_rows.order_side(row) is OrderSide.BUY
                side = PositionSide.LONG if is_long else PositionSide.SHORT
                payments.append(bybit_rows.funding_from(row, client.account, side))
        return payments


_NOTHING: Row = {"walletBalance": "0", "equity": "0"}


async def executions(
    client: Client, since: datetime, until: datetime, which: Row | None = None
) -> list[Row]:
    """Return the account's executions since a time, oldest first; `until` is about now."""
    rows: list[Row] = []
    start, is_last = since, False
    while not is_last:
        end = start + WINDOW - timedelta(milliseconds=1)
        is_last = end >= until
        params: Row = {
            **LINEAR,
            "startTime": milliseconds_of(start),
            "limit": _PAGE["executions"],
            **(which or {}),
        }
        if not is_last:  # the last window ends when the venue answers, not when we ask
            params["endTime"] = milliseconds_of(end)
        found = await pages(client, "private_get_v5_execution_list", params)
        rows += reversed(found)  # each window comes newest first
        start = end + timedelta(milliseconds=1)
    once = {row["execId"]: row for row in rows}.values()
    # Stable: the venue's order within one time.
    return sorted(once, key=lambda row: int(row["execTime"]))


_ORDER_LISTS: tuple[tuple[str, Row], ...] = (
    ("private_get_v5_order_realtime", {}),
    ("private_get_v5_order_realtime", {"openOnly": 1}),
    ("private_get_v5_order_history", {}),
)


async def order_row(client: Client, symbol: Symbol, client_order_id: ClientOrderId) -> Row | None:
    """Look among the open orders, those that ended lately, and in the history."""
    params: Row = {**LINEAR, "symbol": symbol, "orderLinkId": client_order_id}
    for method, more in _ORDER_LISTS:
        answer = await client.ask(method, {**params, **more}, urgency=Urgency.CLOSE)
        for row in answer["result"]["list"]:
            if row["orderLinkId"] == client_order_id:
                return row
    return None


async def pages(client: Client, method: str, params: Row) -> list[Row]:
    """Return all pages of an answer in the venue's order, each row once.

    What appears while we read shifts nothing: a page begins after the cursor of the one before.
    """
    rows: list[Row] = []
    cursor = ""
    while True:
        asked = {**params, "cursor": cursor} if cursor else params
        result = (await client.ask(method, asked))["result"]
        rows += result["list"]
        following = text_of(result, "nextPageCursor")
        if not following or following == cursor or not result["list"]:
            return rows
        cursor = following


async def _unless_so(client: Client, method: str, params: Row) -> None:
    try:
        await client.tell(method, params, rejected=OrderRejected)
    except OrderRejected as error:
        if error.reason != UNCHANGED:
            raise


def _usdt(row: Row) -> Row:
    return next((each for each in row["coin"] if each["coin"] == "USDT"), _NOTHING)


def _available(row: Row, coin: Row) -> Money:
    if text_of(row, "totalAvailableBalance"):
        return money_of(row, "totalAvailableBalance")
    return Money(
        total(
            decimal_of(coin, "walletBalance", "0"),
            -decimal_of(coin, "totalPositionIM", "0"),
            -decimal_of(coin, "totalOrderIM", "0"),
            -decimal_of(coin, "locked", "0"),
        )
    )


def _date(text: str) -> datetime | None:
    """Return a date of the venue; None for the one that means never."""
    if not text or text.startswith("1970"):
        return None
    return datetime.fromisoformat(text)
