"""python-binance: a walk through the futures API, and its user socket."""

import asyncio

from binance import AsyncClient, BinanceSocketManager, Client
from steps import KEY, SECRET, SOCKETS, SYMBOL, URL, finish, step

for kind in (Client, AsyncClient):
    kind.API_URL = f"{URL}/api"
    kind.FUTURES_URL = f"{URL}/fapi"
    kind.FUTURES_DATA_URL = f"{URL}/futures/data"
    kind.MARGIN_API_URL = f"{URL}/sapi"
BinanceSocketManager.FSTREAM_URL = f"{SOCKETS}/"
client = Client(KEY, SECRET)
terms = {"symbol": SYMBOL, "side": "BUY"}


async def told() -> list[str]:
    """Return what the user socket says of a market order."""
    asynchronous = await AsyncClient.create(KEY, SECRET)
    async with BinanceSocketManager(asynchronous).futures_user_socket() as socket:
        await asynchronous.futures_create_order(**terms, type="MARKET", quantity="0.01")
        events: list[str] = []
        while "ORDER_TRADE_UPDATE TRADE" not in events:
            message = await asyncio.wait_for(socket.recv(), 5)
            kind = f" {message['o']['x']}" if "o" in message else ""
            events.append(f"{message['e']}{kind}")
    await asynchronous.close_connection()
    return events


step("markets", lambda: client.futures_exchange_info()["symbols"][0]["symbol"], SYMBOL)
step("book", lambda: client.futures_order_book(symbol=SYMBOL)["asks"], [["50001.0", "20.000"]])
step("balance", lambda: client.futures_account_balance()[0]["balance"], "10000")
step("leverage", lambda: client.futures_change_leverage(symbol=SYMBOL, leverage=5)["leverage"], 5)
made = client.futures_create_order(
    **terms, type="LIMIT", quantity="0.01", price="40000", timeInForce="GTC"
)
name = {"symbol": SYMBOL, "orderId": made["orderId"]}
step("place", lambda: (made["status"], made["price"]), ("NEW", "40000.0"))
step(
    "amend",
    lambda: client.futures_modify_order(**name, side="BUY", quantity="0.02", price="41000")[
        "origQty"
    ],
    "0.020",
)
step("open orders", lambda: [o["price"] for o in client.futures_get_open_orders()], ["41000.0"])
step("cancel", lambda: client.futures_cancel_order(**name)["status"], "CANCELED")
step(
    "told",
    lambda: asyncio.run(told()),
    ["ORDER_TRADE_UPDATE NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE TRADE"],
)
step(
    "position",
    lambda: [p["positionAmt"] for p in client.futures_position_information(symbol=SYMBOL)],
    ["0.010"],
)
step(
    "fills",
    lambda: [f["commission"] for f in client.futures_account_trades(symbol=SYMBOL)],
    ["0.2750055"],
)
finish()
