"""Bitget v2 in its documented form: the wire, the market, accounts and money."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from copyplugin.domain.account import TransferRequest, VenuePosition, Wallet
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, TransferId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Ratio, product, total
from copyplugin.errors import RequestRejected, TransferRejected
from copyplugin.venues.ccxt.config import ApiKeys
from simexchange.core.types import MONEY_SCALE, PositionMode
from tests.venues.scenery import INSTRUMENTS
from tests.venues.translated.edge import LIMITED, Edge, Refusal, Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK_MS = 7 * 24 * 3_600 * 1_000
BAD_REQUEST = 400
CODES = {
    "insufficient_margin": "40762",
    "no_position": "22002",
    "reduce_only_rejected": "22002",
    "below_minimum": "45111",
    "below_minimum_notional": "45110",
    "price_outside_band": "43009",
    "forced": "45112",
    "already_through": "40917",
    "leverage_out_of_range": "45045",
    "would_liquidate": "45047",
    "margin_limit": "45047",
    "insufficient_balance": "43117",
    "open_position": "45117",
}
WALLETS = {"spot": Wallet.SPOT, "usdt_futures": Wallet.CONTRACT}
MODES = {"isolated": MarginMode.ISOLATED, "crossed": MarginMode.CROSS}
WIRE_MODES = {mode: name for name, mode in MODES.items()}
FUTURES = "USDT-FUTURES"


def ms(at: datetime) -> str:
    return str((at - EPOCH) // timedelta(milliseconds=1))


class BitgetVenue(Edge):
    prefix = "/api/v2"
    stale_code = "40008"

    def __init__(self) -> None:
        super().__init__(taker_fee=50_000)
        self.transfers: list[Row] = []
        self.subs: dict[AccountId, dict[str, AccountId]] = {}
        self.permissions: dict[AccountId, list[str]] = {}
        self.settings: dict[tuple[AccountId, Symbol], tuple[Ratio, MarginMode]] = {}

    # -- the form of the wire

    def signer_of(self, request: web.Request, target: str, body: str) -> AccountId | None:
        headers = request.headers
        if "ACCESS-KEY" not in headers:
            assert "/public/" in target or "/market/" in target, f"{target} was not signed"
            return None
        known = self.keys.get(headers["ACCESS-KEY"])
        if known is None:
            raise Refusal("40006", "Invalid ACCESS_KEY", status=BAD_REQUEST)
        keys, account = known
        stamp = headers["ACCESS-TIMESTAMP"]
        self.check_age(int(stamp))
        if headers["ACCESS-PASSPHRASE"] != keys.passphrase:
            raise Refusal("40012", "apikey/password is incorrect", status=BAD_REQUEST)
        query = request.query_string
        assert sorted(query.split("&")) == query.split("&"), "what is signed is in order"
        payload = stamp + request.method + unquote(target) + body
        if headers["ACCESS-SIGN"] != self.signature(keys, payload):
            raise Refusal("40009", "sign signature error", status=BAD_REQUEST)
        return account

    def answer(self, data: object) -> object:
        return {"code": "00000", "msg": "success", "requestTime": self.now_ms(), "data": data}

    def refused(self, refusal: Refusal) -> object:
        refusal.status = BAD_REQUEST
        code, said = refusal.code, refusal.said or refusal.code
        return {"code": code, "msg": said, "requestTime": self.now_ms(), "data": None}

    def limited(self) -> tuple[int, object]:
        return LIMITED, {"code": "429", "msg": "Too Many Requests", "data": None}

    def closed(self) -> tuple[int, object]:
        return BAD_REQUEST, {"code": "40200", "msg": "Server upgrade", "data": None}

    def login_of(self, message: dict[str, Any]) -> AccountId:
        keys, account = self.keys[message["apiKey"]]
        payload = message["timestamp"] + "GET" + "/user/verify"
        assert message["sign"] == self.signature(keys, payload)
        assert message["passphrase"] == keys.passphrase
        assert abs(int(message["timestamp"]) * 1000 - self.now_ms()) < 30_000
        return account

    # -- the market

    async def time(self, _: AccountId, __: Row) -> Row:
        return {"serverTime": str(self.now_ms())}

    async def contracts(self, _: AccountId, params: Row) -> list[Row]:
        if params["productType"] != FUTURES:
            return []
        return [
            {
                "symbol": each.symbol,
                "baseCoin": each.base,
                "quoteCoin": "USDT",
                "makerFeeRate": "0.0002",
                "takerFeeRate": "0.0005",
                "supportMarginCoins": ["USDT"],
                "minTradeNum": format(each.contract_size, "f"),
                "priceEndStep": "1",
                "volumePlace": str(-int(each.contract_size.as_tuple().exponent)),
                "pricePlace": str(-int(each.tick_size.as_tuple().exponent)),
                "sizeMultiplier": format(each.contract_size, "f"),
                "symbolType": "perpetual",
                "minTradeUSDT": str(each.min_notional // MONEY_SCALE),
                "maxOrderQty": size(each.max_contracts, each.contract_size),
                "maxMarketOrderQty": size(each.max_contracts, each.contract_size),
                "symbolStatus": "normal",
                "minLever": "1",
                "maxLever": str(each.max_leverage),
                "fundInterval": "8",
            }
            for each in INSTRUMENTS
        ]

    async def tickers(self, _: AccountId, params: Row) -> list[Row]:
        assert params["productType"] == FUTURES
        marks = await self.venue.marks()
        return [{"symbol": name, "markPrice": format(price, "f")} for name, price in marks.items()]

    async def merge_depth(self, _: AccountId, params: Row) -> Row:
        assert (params["productType"], params["limit"]) == (FUTURES, "max")
        bids, asks = self.venue.levels(params["symbol"])
        size = (await self.venue.instruments())[params["symbol"]].contract_size
        return {
            side: [[format(price, "f"), format(count * size, "f")] for price, count in levels]
            for side, levels in (("bids", bids), ("asks", asks))
        }

    async def rates(self, _: AccountId, params: Row) -> list[Row]:
        """Tell the one rate there ever was; its time is that of any payment."""
        times: set[str] = set()
        for _keys, account in self.keys.values():
            times |= {ms(each.at) for each in await self.venue.funding(account, None)}
        rows = [
            {"symbol": params["symbol"], "fundingRate": "0.001", "fundingTime": at}
            for at in sorted(times, reverse=True)
        ]
        first = (int(params["pageNo"]) - 1) * int(params["pageSize"])
        return rows[first : first + int(params["pageSize"])]

    # -- the account

    def is_hedged(self, account: AccountId) -> bool:
        view = self.simulation.exchange.account(int(account))
        return view.position_mode is PositionMode.HEDGE

    def pos_mode(self, account: AccountId) -> str:
        return "hedge_mode" if self.is_hedged(account) else "one_way_mode"

    def setting(self, account: AccountId, symbol: Symbol) -> tuple[Ratio, MarginMode]:
        return self.settings.get((account, symbol), (Ratio(Decimal(20)), MarginMode.CROSS))

    async def info(self, account: AccountId, _: Row) -> Row:
        owners = [owner for owner, subs in self.subs.items() if account in subs.values()]
        return {
            "userId": account,
            "parentId": int(owners[0]) if owners else 0,
            "ips": "",
            "authorities": self.permissions.get(account, ["coow", "cpow", "wtow"]),
        }

    async def accounts(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"productType": FUTURES}
        told = await self.venue.balance(account)
        free = format(told.contract_available, "f")
        return [
            {
                "marginCoin": "USDT",
                "available": format(told.contract_wallet, "f"),
                "crossedMaxAvailable": free,
                "isolatedMaxAvailable": free,
                "accountEquity": format(told.equity, "f"),
                "unrealizedPL": format(total(told.equity, -told.contract_wallet), "f"),
            }
        ]

    async def account(self, account: AccountId, params: Row) -> Row:
        leverage, mode = self.setting(account, Symbol(params["symbol"]))
        return {
            "marginCoin": params["marginCoin"],
            "crossedMarginLeverage": int(leverage),
            "isolatedLongLever": int(leverage),
            "isolatedShortLever": int(leverage),
            "marginMode": WIRE_MODES[mode],
            "posMode": self.pos_mode(account),
        }

    async def assets(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"coin": "USDT"}
        told = await self.venue.balance(account)
        return [{"coin": "USDT", "available": format(told.spot_available, "f"), "frozen": "0"}]

    async def positions(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"productType": FUTURES, "marginCoin": "USDT"}
        return [await self._position(account, each) for each in await self.venue.positions(account)]

    async def _position(self, account: AccountId, held: VenuePosition) -> Row:
        unit = (await self.venue.instruments())[held.symbol].contract_size
        liquidation = held.liquidation_price
        return {
            "symbol": held.symbol,
            "marginCoin": "USDT",
            "holdSide": held.position_side.value,
            "total": size(held.contracts, unit),
            "openPriceAvg": format(held.average_entry_price, "f"),
            "unrealizedPL": format(held.unrealized_pnl, "f"),
            "leverage": format(held.leverage, "f"),
            "marginMode": WIRE_MODES[held.margin_mode],
            "marginSize": format(held.margin, "f"),
            "posMode": self.pos_mode(account),
            "liquidationPrice": "0" if liquidation is None else format(liquidation, "f"),
        }

    async def set_position_mode(self, account: AccountId, params: Row) -> Row:
        assert params == {"productType": FUTURES, "posMode": "hedge_mode"}
        await self.venue.set_hedge_mode(account)
        return {"posMode": "hedge_mode"}

    async def set_margin_mode(self, account: AccountId, params: Row) -> Row:
        symbol = Symbol(params["symbol"])
        leverage, _ = self.setting(account, symbol)
        await self._configure(account, symbol, leverage, MODES[params["marginMode"]])
        return {}

    async def set_leverage(self, account: AccountId, params: Row) -> Row:
        symbol = Symbol(params["symbol"])
        _, mode = self.setting(account, symbol)
        assert (params.get("holdSide") in {"long", "short"}) is (mode is MarginMode.ISOLATED)
        await self._configure(account, symbol, Ratio(Decimal(params["leverage"])), mode)
        return {}

    async def _configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, mode: MarginMode
    ) -> None:
        try:
            await self.venue.configure(account, symbol, leverage, mode)
        except RequestRejected as error:
            raise refusal_of(error) from error
        self.settings[account, symbol] = leverage, mode

    async def set_margin(self, account: AccountId, params: Row) -> str:
        leg, money = PositionSide(params["holdSide"]), Money(Decimal(params["amount"]))
        try:
            await self.venue.adjust_margin(account, Symbol(params["symbol"]), leg, money)
        except RequestRejected as error:
            raise refusal_of(error) from error
        return ""

    async def bills(self, account: AccountId, params: Row) -> Row:
        assert params["businessType"] == "contract_settle_fee"
        rows = [
            {
                "billId": str(number + 1),
                "symbol": each.symbol,
                "amount": format(-each.payment, "f"),
                "businessType": "contract_settle_fee",
                "cTime": ms(each.at),
            }
            for number, each in enumerate(await self.venue.funding(account, None))
        ]
        return self.page(rows, params, ("bills", "billId"))

    # -- money

    async def sub_list(self, account: AccountId, _: Row) -> Row:
        subs = self.subs.get(account, {}).items()
        rows = [{"subAccountUid": uid, "subAccountName": f"{name}@venue"} for name, uid in subs]
        return {"subAccountList": rows, "endId": "0"}

    async def make_sub(self, account: AccountId, params: Row) -> Row:
        (name,) = params["subAccountList"]
        assert name.isalpha()
        assert len(name) == 8
        if any(name in subs for subs in self.subs.values()):
            return {"successList": [], "failureList": [{"subaAccountName": name}]}
        uid = await self.venue.open_sub_account(account, name)
        self.subs.setdefault(account, {})[name] = uid
        made = {"subaAccountUid": uid, "subaAccountName": name, "status": "normal"}
        return {"successList": [made], "failureList": []}

    async def make_key(self, account: AccountId, params: Row) -> Row:
        uid = AccountId(params["subAccountUid"])
        assert uid in self.subs[account].values()
        assert 8 <= len(params["passphrase"]) <= 32
        assert len(params["label"]) <= 20
        assert "withdraw" not in str(params["permList"])
        made = self.add_key(uid)
        self.keys[made.key] = ApiKeys(made.key, made.secret, params["passphrase"]), uid
        return {"subAccountUid": uid, "subAccountApiKey": made.key, "secretKey": made.secret}

    async def transfer(self, account: AccountId, params: Row) -> Row:
        """Move it whenever asked: the venue promises nothing of a name used again."""
        number = len(self.transfers)
        request = TransferRequest(
            transfer_id=TransferId(f"bitget-{number}"),
            from_account=AccountId(params.get("fromUserId", account)),
            from_wallet=WALLETS[params["fromType"]],
            to_account=AccountId(params.get("toUserId", account)),
            to_wallet=WALLETS[params["toType"]],
            money=Money(Decimal(params["amount"])),
        )
        try:
            await self.venue.transfer(request)
        except TransferRejected as error:
            raise refusal_of(error) from error
        row = {"size": params["amount"], "status": "Successful", "giver": request.from_account}
        self.transfers.append({**params, **row, "transferId": str(number)})
        return {"transferId": str(number), "clientOid": params["clientOid"]}

    async def transfers_within(self, account: AccountId, params: Row) -> list[Row]:
        return [
            row
            for row in self.transfers
            if row["clientOid"] == params["clientOid"]
            and row["giver"] == account
            and "toUserId" not in row
        ]

    async def transfers_between(self, account: AccountId, params: Row) -> list[Row]:
        giver = params.get("subUid", account)
        return [
            row
            for row in self.transfers
            if row["clientOid"] == params["clientOid"] and row.get("fromUserId") == giver
        ]

    def page(self, rows: Sequence[Row], params: Row, names: tuple[str, str]) -> Row:
        """Return a page, newest first, of what is below an id and between the times."""
        listed, name = names
        first = int(params.get("startTime", 0))
        last = int(params.get("endTime", self.now_ms()))
        if "endTime" in params:
            assert last - first < WEEK_MS, "that long the venue tells nothing of"
        found = [row for row in reversed(rows) if first < int(row["cTime"]) <= last + 1]
        if "idLessThan" in params:
            found = [row for row in found if int(row[name]) < int(params["idLessThan"])]
        page = found[: int(params["limit"])]
        return {listed: page or None, "endId": page[-1][name] if page else None}


def size(contracts: int, unit: Decimal) -> str:
    return format(product(contracts, unit), "f")


def contracts_of(text: str, instrument: Instrument) -> Contracts:
    count = Decimal(text) / instrument.contract_size
    assert count == int(count), f"{text} is no multiple of the step"
    return Contracts(int(count))


def refusal_of(error: RequestRejected) -> Refusal:
    return Refusal(CODES[error.reason], error.sentence, status=BAD_REQUEST)
