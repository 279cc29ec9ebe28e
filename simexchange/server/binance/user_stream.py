"""The news of one account: orders with their fills, conditional orders, balances and positions."""

import msgspec

from simexchange.core.types import MarginMode, OrderKind, PositionSide, Side
from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.call import NAMES_BY_SIDE
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.rows import (
    SIDES,
    algo_row,
    client_id_of,
    order_row,
    signed,
    status_of,
)
from simexchange.server.records.rows import FillKind, KeptFill, KeptOrder
from simexchange.server.topic import Listener
from simexchange.server.venue import Venue

_encode = msgspec.json.encode


class UserStream:
    """Watches an account's records for one socket; what a command changed is sent when it is done.

    Each fill comes with its order as one message; an order without a fill comes once.
    """

    def __init__(self, venue: Venue, account: int, listener: Listener, name: str) -> None:
        self._venue = venue
        self._account = account
        self._listener = listener
        self._name = name
        self._orders: dict[int, KeptOrder] = {}
        self._fills: list[KeptFill] = []
        self._positions: dict[tuple[str, PositionSide], None] = {}
        self._is_wallet_changed = False
        venue.records.of(account).watchers.append(self)

    def close(self) -> None:
        self._venue.records.of(self._account).watchers.remove(self)

    def order_changed(self, order: KeptOrder) -> None:
        self._orders[order.sequence] = order

    def filled(self, fill: KeptFill) -> None:
        self._fills.append(fill)

    def position_changed(self, symbol: str, side: PositionSide) -> None:
        self._positions[symbol, side] = None

    def wallet_changed(self) -> None:
        self._is_wallet_changed = True

    def command_done(self) -> None:
        orders, self._orders = self._orders, {}
        fills, self._fills = self._fills, []
        positions, self._positions = self._positions, {}
        self._is_wallet_changed = False
        if fills or positions:
            reason = "FUNDING_FEE" if _is_funding(fills) else "ORDER"
            self._account_update(list(positions), reason)
        elif not orders:
            self._account_update([], "DEPOSIT")
        for fill in fills:
            if fill.order is not None:
                self._order_update(fill.order, fill)
                orders.pop(fill.order.sequence, None)
        for order in orders.values():
            if order.order_id is not None:
                self._order_update(order, None)
            if order.trigger is not None:
                self._algo_update(order)

    def _send(self, message: Row) -> None:
        self._listener.publish(self._name, _encode(message))

    def _grid(self, symbol: str) -> Grid:
        grid = self._venue.grid(symbol)
        assert grid is not None, f"{symbol} was traded without being listed"
        return grid

    def _order_update(self, order: KeptOrder, fill: KeptFill | None) -> None:
        grid = self._grid(order.symbol)
        row = order_row(order, grid)
        now = ms(order.updated_at)
        status = status_of(order)
        filled = order.filled if fill is None else fill.order_filled
        if fill is not None:
            whole = fill.order_filled == fill.order_contracts
            status = "FILLED" if whole else "PARTIALLY_FILLED"
        kind = "TRADE" if fill is not None else status
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
            "x": kind if kind in ("NEW", "TRADE", "CANCELED", "EXPIRED") else "AMENDMENT",
            "X": status,
            "i": order.order_id,
            "l": "0" if fill is None else grid.quantity(fill.contracts),
            "z": grid.quantity(filled),
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
            "V": "NONE",
            "pm": "NONE",
            "gtd": 0,
        }
        self._send({"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": detail})

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
            "aq": self._grid(order.symbol).quantity(order.filled),
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

    def _account_update(self, positions: list[tuple[str, PositionSide]], reason: str) -> None:
        exchange = self._venue.exchange
        cash = self._venue.records.of(self._account).cash
        cross = exchange.account(self._account).contract_balance
        rows: list[Row] = []
        for symbol, side in positions:
            view = exchange.position(self._account, symbol, side)
            grid, held = self._grid(symbol), signed(view)
            kept = self._venue.records.of(self._account).positions.get((symbol, side))
            quantity = grid.quantity(abs(held))
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
        balance: Row = {"a": "USDT", "wb": money_text(cash), "cw": money_text(cross), "bc": "0"}
        detail: Row = {"m": reason, "B": [balance], "P": rows}
        self._send({"e": "ACCOUNT_UPDATE", "E": now, "T": now, "a": detail})


def _is_funding(fills: list[KeptFill]) -> bool:
    return bool(fills) and all(fill.kind is FillKind.FUNDING for fill in fills)
