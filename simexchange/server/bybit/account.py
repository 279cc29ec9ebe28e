"""The account: wallet, modes, fees, its log of money."""

from typing import Literal

from simexchange.core.commands import SetMarginMode
from simexchange.core.types import MarginMode
from simexchange.server.amounts import money_text, rate_text
from simexchange.server.bybit import errors
from simexchange.server.bybit.account_rows import wallet_row
from simexchange.server.bybit.call import POSITION, READ, Call, Endpoint
from simexchange.server.bybit.errors import WireError, refusal_error
from simexchange.server.bybit.ids import execution_id_of, order_id_of
from simexchange.server.bybit.order_rows import SIDES, Row
from simexchange.server.bybit.paging import limited, ms, page, window
from simexchange.server.bybit.parameters import Category, Nothing, Params, Text, Whole
from simexchange.server.limits import Quota
from simexchange.server.records.rows import CashEntry, EntryKind

_MODES = {
    "ISOLATED_MARGIN": MarginMode.ISOLATED,
    "REGULAR_MARGIN": MarginMode.CROSS,
}


def margin_mode_name(call: Call) -> str:
    """Return the account's margin mode: that of its instruments, which the dialect keeps alike."""
    exchange = call.venue.exchange
    for instrument in exchange.instruments:
        mode = exchange.position(call.account, instrument.symbol).margin_mode
        return "REGULAR_MARGIN" if mode is MarginMode.CROSS else "ISOLATED_MARGIN"
    return "ISOLATED_MARGIN"


def info(call: Call, _: Nothing) -> object:
    return {
        "marginMode": margin_mode_name(call),
        "updatedTime": ms(call.venue.now()),
        "unifiedMarginStatus": 6,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


class WalletQuery(Params, frozen=True):
    account_type: Literal["UNIFIED", "CONTRACT", "SPOT"]
    coin: Text = None


def wallet(call: Call, params: WalletQuery) -> object:
    if params.account_type != "UNIFIED":
        raise WireError(errors.PARAMETER, "accountType only support UNIFIED.")
    row = wallet_row(call.venue, call.account)
    if params.coin and "USDT" not in params.coin.split(","):
        row["coin"] = []
    return {"list": [row]}


class FeeQuery(Params, frozen=True):
    category: Category = "linear"
    symbol: Text = None
    base_coin: Text = None


def fee_rates(call: Call, params: FeeQuery) -> object:
    if params.category != "linear":
        return {"category": params.category, "list": []}
    if params.symbol:
        call.grid(params.symbol)
    terms = call.venue.exchange.account(call.account)
    rows: list[Row] = []
    for instrument in call.venue.exchange.instruments:
        wanted = params.symbol in (None, instrument.symbol)
        if not wanted or params.base_coin not in (None, instrument.base):
            continue
        maker = instrument.maker_fee if terms.maker_fee is None else terms.maker_fee
        taker = instrument.taker_fee if terms.taker_fee is None else terms.taker_fee
        rows.append(
            {
                "symbol": instrument.symbol,
                "baseCoin": instrument.base,
                "takerFeeRate": rate_text(taker),
                "makerFeeRate": rate_text(maker),
            }
        )
    return {"category": params.category, "list": rows}


class MarginModeParams(Params, frozen=True):
    set_margin_mode: Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]


def set_margin_mode(call: Call, params: MarginModeParams) -> object:
    """Switch all instruments of the account, or none."""
    mode = _MODES.get(params.set_margin_mode)
    if mode is None:
        raise _mode_error("portfolio margin is not offered here")
    if margin_mode_name(call) == params.set_margin_mode:
        return {"reasons": []}
    if call.records.newest_open_orders():
        raise _mode_error("cancel all open orders first")
    if call.venue.exchange.positions(call.account):
        raise _mode_error("close all open positions first")
    for instrument in call.venue.exchange.instruments:
        events = call.venue.apply(SetMarginMode(call.account, instrument.symbol, mode))
        refusal = call.venue.refusal(events)
        if refusal is not None:
            raise refusal_error(refusal.reason, refusal.message)
    call.venue.set_cross(call.account, is_cross=mode is MarginMode.CROSS)
    return {"reasons": []}


def _mode_error(why: str) -> WireError:
    reasons = {"reasons": [{"reasonCode": "3400000", "reasonMsg": why}]}
    return WireError(errors.MARGIN_MODE_FAILED, result=reasons)


class LogQuery(Params, frozen=True):
    account_type: Text = None
    category: Category | None = None
    currency: Text = None
    base_coin: Text = None
    type: Text = None
    trans_sub_type: Text = None
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def transaction_log(call: Call, params: LogQuery) -> object:
    if params.account_type not in (None, "UNIFIED"):
        raise WireError(errors.PARAMETER, "accountType only support UNIFIED.")
    most = limited(params.limit, 20, 50)
    start, end = window(params.start_time, params.end_time, call.venue.now())

    def fits(entry: CashEntry) -> bool:
        return (
            start <= entry.at <= end
            and params.currency in (None, "USDT")
            and params.type in (None, _entry_type(entry))
            and (params.category in (None, "linear") or entry.symbol is None)
        )

    rows = filter(fits, reversed(call.records.entries))
    shown, cursor = page(rows, lambda entry: entry.sequence, params.cursor, most)
    return {"nextPageCursor": cursor, "list": [_log_row(call, entry) for entry in shown]}


def _entry_type(entry: CashEntry) -> str:
    if entry.kind is EntryKind.TRADE:
        return "TRADE"
    if entry.kind is EntryKind.FUNDING:
        return "SETTLEMENT"
    if entry.kind is EntryKind.LIQUIDATION:
        return "LIQUIDATION"
    return "TRANSFER_IN" if entry.change > 0 else "TRANSFER_OUT"


def _log_row(call: Call, entry: CashEntry) -> Row:
    fill = entry.fill
    grid = call.grid(entry.symbol) if entry.symbol else None
    order = None if fill is None else fill.order
    is_trade = entry.kind is EntryKind.TRADE
    return {
        "id": f"{call.account}_{entry.sequence}",
        "symbol": entry.symbol or "",
        "category": "linear" if entry.symbol else "",
        "side": "None" if fill is None else SIDES[fill.side],
        "transactionTime": ms(entry.at),
        "type": _entry_type(entry),
        "transSubType": "",
        "qty": "0" if fill is None or grid is None else grid.quantity(fill.contracts),
        "size": "0" if grid is None else grid.quantity(entry.position_contracts),
        "currency": "USDT",
        "tradePrice": "0" if fill is None or grid is None else grid.price(fill.price),
        "funding": money_text(-entry.funding) if entry.kind is EntryKind.FUNDING else "",
        "fee": money_text(entry.fee),
        "cashFlow": money_text(entry.cash_flow if entry.symbol else entry.change),
        "change": money_text(entry.change),
        "cashBalance": money_text(entry.balance),
        "feeRate": "" if fill is None else rate_text(fill.fee_rate),
        "bonusChange": "",
        "tradeId": execution_id_of(fill) if fill is not None else entry.reference,
        "orderId": order_id_of(order) if is_trade and order is not None else "",
        "orderLinkId": (order.client_order_id or "") if order is not None else "",
        "extraFees": "",
    }


ENDPOINTS = (
    Endpoint("GET", "/v5/account/info", Nothing, info, READ),
    Endpoint("GET", "/v5/account/wallet-balance", WalletQuery, wallet, READ),
    Endpoint("GET", "/v5/account/fee-rate", FeeQuery, fee_rates, READ, Quota(10)),
    Endpoint(
        "POST", "/v5/account/set-margin-mode", MarginModeParams, set_margin_mode, POSITION, Quota(5)
    ),
    Endpoint("GET", "/v5/account/transaction-log", LogQuery, transaction_log, READ, Quota(30)),
)
