"""OKX: keys, balances, positions, modes, funding."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import cast

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_floor, total
from copyplugin.errors import OrderRejected, RequestRejected, VenueUnavailable
from copyplugin.venues.ccxt import okx_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Book, Identity
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import (
    credit_of,
    decimal_of,
    milliseconds_of,
    plain,
    text_of,
)

SWAP: Row = {"instType": "SWAP"}
PAGE = 100
FUNDING_FEE = "8"
_HEDGED = "long_short_mode"
_SPOT_MODE = "1"
_RATES_PAGE = 100


class OkxAccount:
    """The part of the dialect that is about one account's state.

    The venue keeps no margin mode for a symbol: each order says it. What `configure` set is
    remembered, and after a restart read from the position; leverage is kept for each mode.
    """

    config: VenueConfig

    def __init__(self) -> None:
        self._lots: dict[Symbol, Decimal] = {}  # in the venue's contracts
        self._modes: dict[tuple[AccountId | None, Symbol], MarginMode] = {}

    def lot(self, symbol: Symbol) -> Decimal:
        """Return how many of the venue's contracts one of ours is."""
        return self._lots[symbol]

    async def identity(self, client: Client) -> Identity:
        """Ask whose the key is; the venue does not tell when one expires."""
        row = await _settings(client)
        may = {word.strip() for word in str(row["perm"]).split(",")}
        uid, owner = str(row["uid"]), text_of(row, "mainUid")
        return Identity(
            account=AccountId(uid),
            owner=AccountId(owner) if owner not in {"", uid} else None,
            can_trade="trade" in may,
            can_transfer="trade" in may,
            can_withdraw="withdraw" in may,
            expires_at=None,
        )

    async def balance(self, client: Client) -> AccountBalance:
        """Ask for both wallets; in demo trading there is only the one to trade with."""
        coin = await _coin(client)
        spot = ZERO_MONEY
        if not self.config.testnet:
            rows = await data(client, "private_get_asset_balances", {"ccy": "USDT"})
            spot = credit_of(rows[0], "availBal", "0") if rows else ZERO_MONEY
        # Isolated margin is the account's money still: what it has without open gains and losses.
        wallet = total(decimal_of(coin, "eq", "0"), -decimal_of(coin, "upl", "0"))
        return AccountBalance(
            spot_available=spot,
            contract_wallet=money_floor(Fraction(wallet)),
            contract_available=_available(coin),
            equity=credit_of(coin, "eq", "0"),
        )

    async def available(self, client: Client) -> Money:
        return _available(await _coin(client))

    async def positions(self, client: Client, book: Book) -> Sequence[VenuePosition]:
        rows = await self.position_rows(client)
        known = [row for row in rows if Symbol(row["instId"]) in book]
        return [
            okx_rows.position_from(
                row, book[Symbol(row["instId"])], self.lot(Symbol(row["instId"]))
            )
            for row in known
        ]

    async def position_rows(
        self, client: Client, symbol: Symbol | None = None, *, urgency: Urgency = Urgency.READ
    ) -> list[Row]:
        """Return what is held, of one symbol or of all."""
        which: Row = {} if symbol is None else {"instId": symbol}
        rows = await data(
            client, "private_get_account_positions", {**SWAP, **which}, urgency=urgency
        )
        return [row for row in rows if decimal_of(row, "pos", "0") != 0]

    async def set_hedge_mode(self, client: Client) -> None:
        row = await _settings(client)
        if row["acctLv"] == _SPOT_MODE:
            raise RequestRejected("account_mode", _in_spot_mode(client))
        if row["posMode"] != _HEDGED:
            await client.tell("private_post_account_set_position_mode", {"posMode": _HEDGED})

    async def is_hedged(self, client: Client, symbol: Symbol) -> bool:
        return bool((await _settings(client))["posMode"] == _HEDGED)

    async def obstacle(self, client: Client) -> str | None:
        """Return what to do about an account in spot mode, which trades no swaps."""
        row = await _settings(client)
        return _in_spot_mode(client) if row["acctLv"] == _SPOT_MODE else None

    async def configure(
        self, client: Client, instrument: Instrument, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Set the leverage of this mode, for both legs, and remember the mode for orders.

        Raises `OrderRejected` where a position is held in the other mode: an order in this one
        would open a second position beside it.
        """
        symbol = instrument.symbol
        if leverage < 1:
            raise OrderRejected("leverage_out_of_range", f"leverage {leverage} is below 1")
        for row in await self.position_rows(client, symbol):
            if okx_rows.mode_of(row) is not margin_mode:
                sentence = f"{symbol} is held with {row['mgnMode']} margin: close it first"
                raise OrderRejected("open_position", sentence)
        params: Row = {
            "instId": symbol,
            "lever": plain(leverage),
            "mgnMode": okx_rows.MODES[margin_mode],
        }
        # Isolated legs have each their own.
        legs = okx_rows.LEGS.values() if margin_mode is MarginMode.ISOLATED else ()
        for which in [{"posSide": leg} for leg in legs] or [{}]:
            method = "private_post_account_set_leverage"
            await client.tell(method, {**params, **which}, rejected=OrderRejected)
        self._modes[client.account, symbol] = margin_mode

    async def mode(self, client: Client, symbol: Symbol, leg: PositionSide) -> MarginMode:
        """Return the margin mode for an order: as configured, as held, else the one at least risk.

        Isolated margin risks no more than itself.
        """
        known = self._modes.get((client.account, symbol))
        if known is None:
            known = await self.mode_held(client, symbol, leg) or MarginMode.ISOLATED
        return known

    async def mode_held(
        self, client: Client, symbol: Symbol, leg: PositionSide
    ) -> MarginMode | None:
        """Ask how the leg is held, and remember it; None where it is flat."""
        for row in await self.position_rows(client, symbol, urgency=Urgency.CLOSE):
            if okx_rows.held_side(row) is leg:
                mode = self._modes[client.account, symbol] = okx_rows.mode_of(row)
                return mode
        return None

    async def adjust_margin(
        self, client: Client, instrument: Instrument, position_side: PositionSide, money: Money
    ) -> None:
        params: Row = {
            "instId": instrument.symbol,
            "posSide": okx_rows.LEGS[position_side],
            "type": "add" if money > 0 else "reduce",
            "amt": plain(abs(money)),
        }
        method = "private_post_account_position_margin_balance"
        await client.tell(method, params, rejected=OrderRejected)

    async def funding(
        self, client: Client, book: Book, since: datetime
    ) -> Sequence[FundingPayment]:
        """List payments; the side that each was for follows from the rate of its time."""
        assert client.account is not None
        first = milliseconds_of(since)
        params: Row = {**SWAP, "type": FUNDING_FEE, "begin": first - 1}
        bills = await pages(client, "private_get_account_bills_archive", params, "billId")
        rows = [row for row in bills if int(row["ts"]) >= first]
        payments: list[FundingPayment] = []
        rates: dict[tuple[str, int], Decimal] = {}
        for row in rows:
            if Symbol(row["instId"]) not in book:
                continue
            key = (row["instId"], int(row["ts"]))
            if key not in rates:
                rates[key] = await _rate(client, *key)
            side = okx_rows.payer(decimal_of(row, "pnl"), rates[key])
            payments.append(okx_rows.funding_from(row, client.account, side))
        return payments


async def data(
    client: Client, method: str, params: Row | None = None, *, urgency: Urgency = Urgency.READ
) -> list[Row]:
    """Ask for a list; every answer of the venue is one."""
    answer = await client.ask(method, params, urgency=urgency)
    rows: object = answer.get("data")
    if not isinstance(rows, list):
        raise VenueUnavailable("the venue answered without a list")
    return cast("list[Row]", rows)


async def pages(
    client: Client, method: str, params: Row, name: str, *, urgency: Urgency = Urgency.READ
) -> list[Row]:
    """Return all pages, oldest row first, each once; `name` is what pages are counted by.

    The venue lists newest first, and a page begins after the last row of the one before: what
    appears while we read shifts nothing.
    """
    rows: dict[str, Row] = {}
    asked = {**params, "limit": PAGE}
    while True:
        page = await data(client, method, asked, urgency=urgency)
        rows.update({row[name]: row for row in page})
        if len(page) < PAGE:
            return list(reversed(rows.values()))
        asked = {**asked, "after": page[-1][name]}


async def _settings(client: Client) -> Row:
    return (await data(client, "private_get_account_config"))[0]


async def _coin(client: Client) -> Row:
    rows = await data(client, "private_get_account_balance", {"ccy": "USDT"})
    nothing: Row = {}
    return next((each for each in rows[0]["details"] if each["ccy"] == "USDT"), nothing)


def _available(coin: Row) -> Money:
    """Return what may back an order; an account's open gains do in some modes."""
    return credit_of(coin, "availEq" if text_of(coin, "availEq") else "availBal", "0")


def _in_spot_mode(client: Client) -> str:
    return (
        f"Account {client.account} is in spot mode, which trades no swaps: "
        "switch it to futures mode at the venue."
    )


_AFTER_MS = 60_000
_BEFORE_MS = 600_000


async def _rate(client: Client, symbol: str, at_ms: int) -> Decimal:
    """Return the funding rate that was paid about that time."""
    params: Row = {
        "instId": symbol,
        "after": at_ms + _AFTER_MS,
        "before": at_ms - _BEFORE_MS,
        "limit": _RATES_PAGE,
    }
    rows = await data(client, "public_get_public_funding_rate_history", params)
    if not rows:
        raise VenueUnavailable(f"the venue lists no funding rate of {symbol} at {at_ms}")
    return decimal_of(rows[0], "realizedRate", text_of(rows[0], "fundingRate"))
