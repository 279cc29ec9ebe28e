"""Private news of one account: orders, executions, positions, wallet."""

import msgspec

from simexchange.core.events import LeverageSet, MarginAdjusted
from simexchange.core.types import PositionSide
from simexchange.server.amounts import Grid
from simexchange.server.bybit.account_rows import pushed_position_row, wallet_row
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.messages import Message
from simexchange.server.bybit.order_rows import (
    Row,
    fast_execution_row,
    pushed_execution_row,
    pushed_order_row,
)
from simexchange.server.bybit.socket_login import key_of
from simexchange.server.records.rows import FillKind, KeptFill, KeptOrder
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_FAST = "execution.fast"
_TOPICS = {
    name: topic
    for topic in ("order", "execution", _FAST, "position", "wallet")
    for name in (topic, f"{topic}.linear")
} | {"greeks": "", "dcp": ""}


class PrivateStream:
    """One client's private socket. It watches the account's records while it is open.

    Each command's changes are sent when the command is done: an order once, as it then stands.
    """

    def __init__(self, venue: Venue, socket: Socket, connection: str, address: str | None) -> None:
        self._venue = venue
        self._socket = socket
        self._connection = connection
        self._address = address
        self._names: dict[str, str] = {}  # topic to the name it was asked for by
        self._orders: dict[int, KeptOrder] = {}
        self._fills: list[KeptFill] = []
        self._positions: dict[tuple[str, PositionSide], None] = {}
        self._is_wallet_changed = False
        self._sent = 0

    # ------------------------------------------------------------------ what the client says

    def heard(self, message: Message) -> None:
        operation = message.op
        if operation == "ping":
            now_ms = str(self._venue.edge_now() // 1_000)
            self._say(
                {
                    "req_id": message.req_id,
                    "op": "pong",
                    "args": [now_ms],
                    "conn_id": self._connection,
                }
            )
        elif operation == "auth":
            self._log_in(message)
        elif operation in ("subscribe", "unsubscribe"):
            self._subscribe(message, operation)
        else:
            self._answer(message, "Unknown op", success=False)

    def _log_in(self, message: Message) -> None:
        try:
            key = key_of(self._venue, message, self._address)
        except WireError as error:
            self._answer(message, error.message, success=False)
            return
        if self._socket.account is None:
            self._socket.account = key.account
            self._venue.records.of(key.account).watchers.append(self)
        self._answer(message, "", success=True)

    def _subscribe(self, message: Message, operation: str) -> None:
        names = message.args
        if self._socket.account is None:
            self._answer(message, "Request not authorized", success=False)
            return
        if not names or any(name not in _TOPICS for name in map(str, names)):
            self._answer(message, f"error:handler not found,topic:{names}", success=False)
            return
        for name in names:
            if operation == "subscribe":
                self._names[_TOPICS[name]] = name
            else:
                self._names.pop(_TOPICS[name], None)
        self._answer(message, "", success=True)

    def _answer(self, message: Message, said: str, *, success: bool) -> None:
        self._say(
            {
                "success": success,
                "ret_msg": said,
                "op": message.op,
                "conn_id": self._connection,
                "req_id": message.req_id,
            }
        )

    def _say(self, answer: Row) -> None:
        self._socket.answer(_encode(answer), self._venue.settings.ack_delay_ms)

    def closed(self) -> None:
        if self._socket.account is not None:
            self._venue.records.of(self._socket.account).watchers.remove(self)

    # ------------------------------------------------------------------ what the account does

    def order_changed(self, order: KeptOrder) -> None:
        self._orders[order.sequence] = order

    def filled(self, fill: KeptFill) -> None:
        self._fills.append(fill)

    def position_changed(self, symbol: str, side: PositionSide) -> None:
        self._positions[symbol, side] = None

    def position_set(self, event: LeverageSet | MarginAdjusted) -> None:
        """Nothing more is told than that the position changed."""

    def wallet_changed(self) -> None:
        self._is_wallet_changed = True

    def command_done(self) -> None:
        """Send what the command changed."""
        venue, account = self._venue, self._socket.account
        assert account is not None, "only a client who logged in watches an account"
        orders, self._orders = self._orders, {}
        fills, self._fills = self._fills, []
        positions, self._positions = self._positions, {}
        has_wallet, self._is_wallet_changed = self._is_wallet_changed, False
        records = venue.records.of(account)
        trades = [fill for fill in fills if fill.kind is FillKind.TRADE]
        if trades and _FAST in self._names:
            rows = [fast_execution_row(f, _grid(venue, f.symbol)) for f in trades]
            self._publish(_FAST, {}, rows)
        if orders and "order" in self._names:
            changed = orders.values()
            self._push("order", [pushed_order_row(o, _grid(venue, o.symbol)) for o in changed])
        if fills and "execution" in self._names:
            self._push(
                "execution", [pushed_execution_row(f, _grid(venue, f.symbol)) for f in fills]
            )
        if positions and "position" in self._names:
            views = [venue.exchange.position(account, *position) for position in positions]
            rows = [pushed_position_row(venue, records, v, _grid(venue, v.symbol)) for v in views]
            self._push("position", rows)
        if has_wallet and "wallet" in self._names:
            self._push("wallet", [wallet_row(venue, account)])

    def _push(self, topic: str, rows: list[Row]) -> None:
        self._sent += 1
        self._publish(topic, {"id": f"{self._connection}-{self._sent}"}, rows)

    def _publish(self, topic: str, first: Row, rows: list[Row]) -> None:
        name = self._names[topic]
        now_ms = self._venue.now() // 1_000
        message = {**first, "topic": name, "creationTime": now_ms, "data": rows}
        self._socket.publish(name, _encode(message))


def _grid(venue: Venue, symbol: str) -> Grid:
    grid = venue.grid(symbol)
    assert grid is not None, f"{symbol} was traded without being listed"
    return grid
