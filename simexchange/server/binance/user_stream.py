"""The news of one account: orders with their fills, conditional orders, balances and positions."""

import msgspec

from simexchange.core.events import LeverageSet, MarginAdjusted
from simexchange.core.types import CancelReason, MarginMode, OrderKind, PositionSide, Side
from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.call import NAMES_BY_SIDE
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.position_rows import signed
from simexchange.server.binance.rows import (
    SIDES,
    algo_row,
    client_id_of,
    order_row,
    status_of,
)
from simexchange.server.records.rows import (
    CashEntry,
    EntryKind,
    FillKind,
    KeptFill,
    KeptOrder,
    OrderState,
)
from simexchange.server.topic import Listener
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_EXPIRY_REASONS = {
    CancelReason.SELF_TRADE: "1",
    CancelReason.IMMEDIATE_OR_CANCEL: "2",
    CancelReason.REDUCE_ONLY: "4",
    CancelReason.NO_LIQUIDITY: "9",
}
"""The venue's numbers of why an order expired; for a date that has come it has none."""
_EARNED = (EntryKind.TRADE, EntryKind.FUNDING)


class UserStream:
    """Watches an account's records for one socket; what a command changed is sent when it is done.

    An order is told as new, then fill by fill, then as ended if it ended otherwise.
    """

    def __init__(self, venue: Venue, account: int, listener: Listener, name: str) -> None:
        self._venue = venue
        self._account = account
        self._listener = listener
        self._name = name
        self._orders: dict[int, KeptOrder] = {}
        self._fresh: dict[int, KeptOrder] = {}
        self._fills: list[KeptFill] = []
        self._positions: dict[tuple[str, PositionSide], None] = {}
        self._set: list[LeverageSet | MarginAdjusted] = []
        self._records = venue.records.of(account)
        self._told = self._newest_entry()
        self._records.watchers.append(self)

    def close(self) -> None:
        self._records.watchers.remove(self)

    def order_changed(self, order: KeptOrder) -> None:
        self._orders[order.sequence] = order
        is_fresh = order.state is OrderState.NEW and not order.filled and not order.amended
        if is_fresh and order.order_id is not None:
            self._fresh[order.sequence] = order

    def filled(self, fill: KeptFill) -> None:
        self._fills.append(fill)

    def position_changed(self, symbol: str, side: PositionSide) -> None:
        self._positions[symbol, side] = None

    def position_set(self, event: LeverageSet | MarginAdjusted) -> None:
        self._set.append(event)

    def wallet_changed(self) -> None:
        """Do nothing: what changed the wallet is in the account's entries."""

    def command_done(self) -> None:
        orders, self._orders = self._orders, {}
        fresh, self._fresh = self._fresh, {}
        fills, self._fills = self._fills, []
        positions, self._positions = self._positions, {}
        settings, self._set = self._set, []
        for order in fresh.values():
            self._order_update(order, None, as_new=True)
        traded = [(fill, fill.order) for fill in fills if fill.order is not None]
        for fill, order in traded:
            self._trade_lite(fill, order)
        entries = self._fresh_entries()
        is_margin_moved = any(isinstance(event, MarginAdjusted) for event in settings)
        if fills or entries or is_margin_moved:
            self._account_update(list(positions), _reason(fills, entries), entries)
        for fill, order in traded:
            self._order_update(order, fill)
        told = {order.sequence for _, order in traded}
        for order in orders.values():
            self._tell_rest(order, is_told=order.sequence in told, is_fresh=order.sequence in fresh)
        for event in settings:
            if isinstance(event, LeverageSet):
                self._leverage_update(event)

    def _tell_rest(self, order: KeptOrder, *, is_told: bool, is_fresh: bool) -> None:
        """Tell what neither its acceptance nor its fills told of an order."""
        has_ended = order.state in (OrderState.CANCELLED, OrderState.REJECTED)
        if order.order_id is not None and (has_ended or not (is_told or is_fresh)):
            self._order_update(order, None)
        if order.trigger is not None:
            self._algo_update(order)

    def _newest_entry(self) -> int:
        return self._records.entries[-1].sequence if self._records.entries else 0

    def _fresh_entries(self) -> list[CashEntry]:
        """Return the changes of the wallet that were not told yet, oldest first."""
        found: list[CashEntry] = []
        for entry in reversed(self._records.entries):
            if entry.sequence <= self._told:
                break
            found.append(entry)
        self._told = self._newest_entry()
        return found[::-1]

    def _send(self, message: Row) -> None:
        self._listener.publish(self._name, _encode(message))

    def _grid(self, symbol: str) -> Grid:
        grid = self._venue.grid(symbol)
        assert grid is not None, f"{symbol} was traded without being listed"
        return grid

    def _order_update(
        self, order: KeptOrder, fill: KeptFill | None, *, as_new: bool = False
    ) -> None:
        grid = self._grid(order.symbol)
        row = order_row(order, grid)
        now = ms(order.created_at if as_new else order.updated_at)
        kind, status = _kind_and_status(order, fill, as_new=as_new)
        filled = order.filled if fill is None else fill.order_filled
        if as_new:
            filled, row["avgPrice"] = 0, "0"
        detail: Row = {
            "s": order.symbol,
            "c": client_id_of(order),
            "S": row["side"],
            "o": row["type"],
            "f": row["timeInForce"],
            "q": row["origQty"],
            "p": row["price"],
            "ap": row["avgPrice"],
            "sp": "0",
            "x": kind,
            "X": status,
            "i": order.order_id,
            "l": "0" if fill is None else grid.whole_quantity(fill.contracts),
            "z": grid.whole_quantity(filled) if filled else "0",
            "L": "0" if fill is None else grid.price(fill.price),
            "N": grid.instrument.settle,
            "n": "0" if fill is None else money_text(fill.fee),
            "T": now,
            "t": 0 if fill is None else fill.number,
            "b": "0",
            "a": "0",
            "m": fill is not None and fill.is_maker,
            "R": order.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": row["origType"],
            "ps": row["positionSide"],
            "cp": False,
            "rp": "0" if fill is None else money_text(fill.realized_pnl),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": row["selfTradePreventionMode"],
            "pm": row["priceMatch"],
            "gtd": row["goodTillDate"],
            "er": _expiry_reason(order),
        }
        self._send({"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": detail})

    def _trade_lite(self, fill: KeptFill, order: KeptOrder) -> None:
        """Tell the little of a fill that clients in a hurry want; all of it follows."""
        grid, at = self._grid(fill.symbol), ms(fill.at)
        self._send(
            {
                "e": "TRADE_LITE",
                "E": at,
                "T": at,
                "s": fill.symbol,
                "q": grid.whole_quantity(order.contracts),
                "p": "0" if order.price is None else grid.price(order.price),
                "m": fill.is_maker,
                "c": client_id_of(order),
                "S": SIDES[order.side],
                "L": grid.price(fill.price),
                "l": grid.whole_quantity(fill.contracts),
                "t": fill.number,
                "i": order.order_id,
            }
        )

    def _algo_update(self, order: KeptOrder) -> None:
        row = algo_row(order, self._grid(order.symbol))
        now = ms(order.updated_at)
        detail: Row = {
            "caid": row["clientAlgoId"],
            "aid": row["algoId"],
            "at": row["algoType"],
            "o": row["orderType"],
            "s": row["symbol"],
            "S": SIDES[Side(order.side)],
            "ps": row["positionSide"],
            "f": row["timeInForce"],
            "q": row["quantity"],
            "X": row["algoStatus"],
            "ai": row["actualOrderId"],
            "ap": row["actualPrice"],
            "aq": self._grid(order.symbol).whole_quantity(order.filled),
            "act": "MARKET" if order.kind is OrderKind.MARKET else "LIMIT",
            "tp": row["triggerPrice"],
            "p": row["price"],
            "V": "NONE",
            "wt": row["workingType"],
            "pm": "NONE",
            "cp": row["closePosition"],
            "pP": False,
            "R": row["reduceOnly"],
            "tt": row["triggerTime"],
            "gtd": 0,
            "rm": "",
        }
        self._send({"e": "ALGO_UPDATE", "E": now, "T": now, "o": detail})

    def _leverage_update(self, event: LeverageSet) -> None:
        now = ms(event.at)
        detail: Row = {"s": event.symbol, "l": event.leverage}
        self._send({"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": detail})

    def _account_update(
        self,
        positions: list[tuple[str, PositionSide]],
        reason: str,
        entries: list[CashEntry],
    ) -> None:
        exchange = self._venue.exchange
        cash = self._venue.records.of(self._account).cash
        cross = exchange.account(self._account).contract_balance
        rows: list[Row] = []
        for symbol, side in positions:
            view = exchange.position(self._account, symbol, side)
            grid, held = self._grid(symbol), signed(view)
            kept = self._venue.records.of(self._account).positions.get((symbol, side))
            quantity = grid.whole_quantity(abs(held)) if held else "0"
            is_isolated = view.margin_mode is MarginMode.ISOLATED
            average = grid.average_price(view.entry_cost, abs(held)) or "0"
            rows.append(
                {
                    "s": symbol,
                    "pa": f"-{quantity}" if held < 0 else quantity,
                    "ep": average,
                    "bep": average,
                    "cr": money_text(0 if kept is None else kept.cumulative),
                    "up": money_text(view.unrealized_pnl),
                    "mt": str(view.margin_mode),
                    "iw": money_text(view.margin if is_isolated and held else 0),
                    "ps": NAMES_BY_SIDE[side],
                }
            )
        now = ms(exchange.now)
        moved = sum(entry.change for entry in entries if entry.kind not in _EARNED)
        balance: Row = {
            "a": "USDT",
            "wb": money_text(cash),
            "cw": money_text(cross),
            "bc": money_text(moved),
        }
        detail: Row = {"m": reason, "B": [balance], "P": rows}
        self._send({"e": "ACCOUNT_UPDATE", "E": now, "T": now, "a": detail})


def _kind_and_status(order: KeptOrder, fill: KeptFill | None, *, as_new: bool) -> tuple[str, str]:
    """Return what happened to an order, and how it stood then."""
    if as_new:
        return "NEW", "NEW"
    if fill is not None:
        whole = fill.order_filled == fill.order_contracts
        return "TRADE", "FILLED" if whole else "PARTIALLY_FILLED"
    status = status_of(order)
    if order.is_open:
        return "AMENDMENT", status
    return "CANCELED" if status == "CANCELED" else "EXPIRED", status


def _expiry_reason(order: KeptOrder) -> str:
    return "0" if order.cancel_reason is None else _EXPIRY_REASONS.get(order.cancel_reason, "0")


def _reason(fills: list[KeptFill], entries: list[CashEntry]) -> str:
    """Return the venue's word for what changed the account."""
    if fills:
        is_funding = all(fill.kind is FillKind.FUNDING for fill in fills)
        return "FUNDING_FEE" if is_funding else "ORDER"
    if not entries:
        return "MARGIN_TRANSFER"
    if entries[-1].kind is EntryKind.LIQUIDATION:
        return "INSURANCE_CLEAR"
    return "DEPOSIT" if entries[-1].change > 0 else "WITHDRAW"
