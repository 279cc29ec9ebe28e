"""OKX v5 in its documented form: the wire, the market, accounts and money."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from copyplugin.domain.account import TransferRequest, VenuePosition, Wallet
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, TransferId
from copyplugin.domain.money import Contracts, Money, Ratio, product, total
from copyplugin.errors import RequestRejected, TransferRejected
from simexchange.core.types import PositionMode
from tests.venues.scenery import INSTRUMENTS
from tests.venues.translated.edge import LIMITED, Edge, Refusal, Row

LOT = Decimal("0.1")  # of the venue's contract, which is ten of the exchange's
SMALLEST = "0.3"  # what an order must be worth at the exchange is three of its contracts
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CODES = {
    "insufficient_margin": "51008",
    "no_position": "51169",
    "reduce_only_rejected": "51169",
    "below_minimum": "51020",
    "below_minimum_notional": "51020",
    "price_outside_band": "51006",
    "forced": "51005",
    "already_through": "51304",
    "unknown_instrument": "51001",
    "leverage_out_of_range": "59102",
    "would_liquidate": "59301",
    "margin_limit": "59301",
    "insufficient_balance": "58350",
}
WALLETS = {"6": Wallet.SPOT, "18": Wallet.CONTRACT}


def venue_id(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}-USDT-SWAP"


def exchange_id(instrument: str) -> Symbol:
    base, quote, _ = instrument.split("-")
    return Symbol(base + quote)


def ms(at: datetime) -> str:
    return str((at - EPOCH) // timedelta(milliseconds=1))


def size(contracts: int) -> str:
    return format(product(contracts, LOT), "f")


class OkxVenue(Edge):
    """The form of the wire, the market, accounts and money."""

    prefix = "/api/v5"
    stale_code = "50102"

    def __init__(self) -> None:
        super().__init__(taker_fee=50_000)
        self.transfers: list[Row] = []
        self.sub_accounts: dict[AccountId, list[Row]] = {}
        self.account_modes: dict[AccountId, str] = {}
        self.permissions: dict[AccountId, str] = {}

    # -- the form of the wire

    def signer_of(self, request: web.Request, target: str, body: str) -> AccountId | None:
        headers = request.headers
        if "OK-ACCESS-KEY" not in headers:
            is_public = "/public/" in target or "/market/" in target
            assert is_public, f"{target} was not signed"
            return None
        known = self.keys.get(headers["OK-ACCESS-KEY"])
        if known is None:
            raise Refusal("50111", "Invalid OK-ACCESS-KEY", status=401)
        keys, account = known
        stamp = headers["OK-ACCESS-TIMESTAMP"]
        at = datetime.fromisoformat(stamp)
        self.check_age(int(ms(at)))
        if headers["OK-ACCESS-PASSPHRASE"] != keys.passphrase:
            raise Refusal("50105", "OK-ACCESS-PASSPHRASE incorrect", status=401)
        if headers["OK-ACCESS-SIGN"] != self.signature(
            keys, stamp + request.method + target + body
        ):
            raise Refusal("50113", "Invalid Sign", status=401)
        return account

    def answer(self, data: object) -> object:
        return {"code": "0", "msg": "", "data": data}

    def refused(self, refusal: Refusal) -> object:
        if refusal.code.startswith(("501", "58")):
            return {"code": refusal.code, "msg": refusal.said, "data": []}
        row = {"ordId": "", "clOrdId": "", "sCode": refusal.code, "sMsg": refusal.said}
        return {"code": "1", "msg": "All operations failed", "data": [row]}

    def limited(self) -> tuple[int, object]:
        return LIMITED, {"code": "50011", "msg": "Too Many Requests", "data": []}

    def closed(self) -> tuple[int, object]:
        return 503, {"code": "50001", "msg": "Service temporarily unavailable", "data": []}

    def login_of(self, message: dict[str, Any]) -> AccountId:
        keys, account = self.keys[message["apiKey"]]
        payload = message["timestamp"] + "GET" + "/users/self/verify"
        assert message["sign"] == self.signature(keys, payload)
        assert message["passphrase"] == keys.passphrase
        assert abs(int(message["timestamp"]) * 1000 - self.now_ms()) < 30_000
        return account

    # -- the market

    async def time(self, _: AccountId, __: Row) -> list[Row]:
        return [{"ts": str(self.now_ms())}]

    async def instruments(self, _: AccountId, params: Row) -> list[Row]:
        assert params == {"instType": "SWAP"}
        return [
            {
                "instId": venue_id(each.symbol),
                "instType": "SWAP",
                "instFamily": f"{each.base}-USDT",
                "uly": f"{each.base}-USDT",
                "baseCcy": "",
                "quoteCcy": "",
                "settleCcy": "USDT",
                "ctVal": format(each.contract_size / LOT, "f"),
                "ctMult": "1",
                "ctValCcy": each.base,
                "ctType": "linear",
                "lever": str(each.max_leverage),
                "tickSz": format(each.tick_size, "f"),
                "lotSz": format(LOT, "f"),
                "minSz": SMALLEST if each.symbol == "BTCUSDT" else format(LOT, "f"),
                "maxLmtSz": size(each.max_contracts),
                "maxMktSz": size(each.max_contracts),
                "state": "live",
                "listTime": "1600000000000",
                "expTime": "",
            }
            for each in INSTRUMENTS
        ]

    async def marks(self, _: AccountId, __: Row) -> list[Row]:
        return [
            {"instId": venue_id(symbol), "instType": "SWAP", "markPx": format(price, "f")}
            for symbol, price in (await self.venue.marks()).items()
        ]

    async def books(self, _: AccountId, params: Row) -> list[Row]:
        assert params["sz"] == "400"
        bids, asks = self.venue.levels(exchange_id(params["instId"]))
        return [
            {
                side: [[format(price, "f"), size(count), "0", "1"] for price, count in levels]
                for side, levels in (("bids", bids), ("asks", asks))
            }
        ]

    async def rates(self, _: AccountId, params: Row) -> list[Row]:
        """Tell the one rate there ever was; its time is that of any payment."""
        times: set[str] = set()
        for _keys, account in self.keys.values():
            times |= {ms(each.at) for each in await self.venue.funding(account, None)}
        return [
            {"instId": params["instId"], "fundingRate": "0.001", "fundingTime": at}
            for at in sorted(times, reverse=True)
            if int(params["before"]) < int(at) < int(params["after"])
        ]

    # -- the account

    def _is_hedged(self, account: AccountId) -> bool:
        view = self.simulation.exchange.account(int(account))
        return view.position_mode is PositionMode.HEDGE

    async def config(self, account: AccountId, _: Row) -> list[Row]:
        owners = [owner for owner, rows in self.sub_accounts.items() if _has(rows, account)]
        return [
            {
                "uid": account,
                "mainUid": owners[0] if owners else account,
                "acctLv": self.account_modes.get(account, "2"),
                "posMode": "long_short_mode" if self._is_hedged(account) else "net_mode",
                "perm": self.permissions.get(account, "read_only,trade"),
            }
        ]

    async def balance(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"ccy": "USDT"}
        told = await self.venue.balance(account)
        coin = {
            "ccy": "USDT",
            "eq": format(told.equity, "f"),
            "upl": format(total(told.equity, -told.contract_wallet), "f"),
            "availEq": format(told.contract_available, "f"),
            "availBal": format(told.contract_available, "f"),
        }
        return [{"totalEq": "", "details": [coin]}]

    async def funding_balance(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"ccy": "USDT"}
        told = await self.venue.balance(account)
        return [{"ccy": "USDT", "availBal": format(told.spot_available, "f"), "frozenBal": "0"}]

    async def positions(self, account: AccountId, params: Row) -> list[Row]:
        held = await self.venue.positions(account)
        rows = [self._position_row(account, each) for each in held]
        return [row for row in rows if params.get("instId") in {None, row["instId"]}]

    def _position_row(self, account: AccountId, held: VenuePosition) -> Row:
        sign = 1
        leg: str = held.position_side
        if not self._is_hedged(account):
            sign, leg = (1 if leg == "long" else -1), "net"
        is_isolated = held.margin_mode is MarginMode.ISOLATED
        return {
            "instId": venue_id(held.symbol),
            "instType": "SWAP",
            "posSide": leg,
            "pos": size(sign * held.contracts),
            "avgPx": format(held.average_entry_price, "f"),
            "upl": format(held.unrealized_pnl, "f"),
            "lever": format(held.leverage, "f"),
            "mgnMode": held.margin_mode.value,
            "margin": format(held.margin, "f") if is_isolated else "",
            "imr": "" if is_isolated else format(held.margin, "f"),
            "liqPx": "" if held.liquidation_price is None else format(held.liquidation_price, "f"),
        }

    async def leverage(self, account: AccountId, params: Row) -> list[Row]:
        raise AssertionError("every order of the fake is known")

    async def fees(self, _: AccountId, __: Row) -> list[Row]:
        return [{"instType": "SWAP", "makerU": "-0.0002", "takerU": "-0.0005", "level": "Lv1"}]

    async def set_position_mode(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"posMode": "long_short_mode"}
        await self.venue.set_hedge_mode(account)
        return [params]

    async def set_leverage(self, account: AccountId, params: Row) -> list[Row]:
        is_isolated = params["mgnMode"] == "isolated"
        assert (params.get("posSide") in {"long", "short"}) is is_isolated
        symbol = exchange_id(params["instId"])
        wanted = Ratio(Decimal(params["lever"])), MarginMode(params["mgnMode"])
        try:
            await self.venue.configure(account, symbol, *wanted)
        except RequestRejected as error:
            raise refusal_of(error) from error
        return [params]

    async def margin_balance(self, account: AccountId, params: Row) -> list[Row]:
        sign = 1 if params["type"] == "add" else -1
        money = Money(sign * Decimal(params["amt"]))
        leg = PositionSide(params["posSide"])
        try:
            await self.venue.adjust_margin(account, exchange_id(params["instId"]), leg, money)
        except RequestRejected as error:
            raise refusal_of(error) from error
        return [params]

    async def bills(self, account: AccountId, params: Row) -> list[Row]:
        assert params["type"] == "8"
        rows = [
            {
                "billId": str(number),
                "instId": venue_id(each.symbol),
                "type": "8",
                "pnl": format(-each.payment, "f"),
                "ts": ms(each.at),
            }
            for number, each in enumerate(await self.venue.funding(account, None))
        ]
        return page_of(rows, params, "billId", "ts")

    # -- money

    async def subs(self, account: AccountId, _: Row) -> list[Row]:
        return self.sub_accounts.get(account, [])

    async def transfer(self, account: AccountId, params: Row) -> list[Row]:
        """Move it whenever asked: the venue promises nothing of a name used again."""
        giver = taker = account
        if params["type"] != "0":
            subs = {row["subAcct"]: row["uid"] for row in self.sub_accounts[account]}
            other = AccountId(subs[params["subAcct"]])
            giver, taker = (account, other) if params["type"] == "1" else (other, account)
        number = len(self.transfers)
        request = TransferRequest(
            transfer_id=TransferId(f"okx-{number}"),
            from_account=giver,
            from_wallet=WALLETS[params["from"]],
            to_account=taker,
            to_wallet=WALLETS[params["to"]],
            money=Money(Decimal(params["amt"])),
        )
        assert params["clientId"].isalnum()
        assert len(params["clientId"]) <= 32
        try:
            await self.venue.transfer(request)
        except TransferRejected as error:
            raise refusal_of(error) from error
        self.transfers.append({**params, "transId": str(number), "state": "success"})
        return [{"transId": str(number), "clientId": params["clientId"], "amt": params["amt"]}]

    async def transfer_state(self, _: AccountId, params: Row) -> list[Row]:
        for row in self.transfers:
            if row["clientId"] == params["clientId"] and row["type"] == params["type"]:
                return [row]
        raise Refusal("58129", "clientId does not exist")


def page_of(rows: Sequence[Row], params: Row, name: str, time: str | None) -> list[Row]:
    """Return a page, newest first, after the row that is named, and after the time of beginning."""
    newest = list(reversed(rows))
    if time is not None and "begin" in params:
        newest = [row for row in newest if int(row[time]) > int(params["begin"])]
    if "after" in params:
        place = [row[name] for row in newest].index(params["after"])
        newest = newest[place + 1 :]
    return newest[: int(params["limit"])]


def contracts_of(text: str) -> Contracts:
    count = Decimal(text) / LOT
    assert count == int(count), f"{text} is no multiple of the lot"
    return Contracts(int(count))


def refusal_of(error: RequestRejected) -> Refusal:
    return Refusal(CODES[error.reason], error.sentence)


def _has(rows: Sequence[Row], account: AccountId) -> bool:
    return any(row["uid"] == account for row in rows)
