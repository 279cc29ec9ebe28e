"""binance-futures-connector: a walk through the futures API with each of its kinds of keys."""

from binance.error import ClientError
from binance.um_futures import UMFutures
from steps import KEY, SECRET, SYMBOL, URL, finish, step

client = UMFutures(key=KEY, secret=SECRET, base_url=URL)


def refused() -> int:
    try:
        client.cancel_order(SYMBOL, orderId=999)
    except ClientError as error:
        return error.error_code
    return 0


step("time", lambda: client.time()["serverTime"] > 0, True)
step("book", lambda: client.depth(SYMBOL, limit=5)["bids"], [["49999.0", "20.000"]])
step("balance", lambda: client.balance()[0]["balance"], "10000")
step("leverage", lambda: client.change_leverage(SYMBOL, 5)["leverage"], 5)
order = {"symbol": SYMBOL, "side": "BUY"}
made = client.new_order(**order, type="LIMIT", quantity=0.01, price=40000, timeInForce="GTC")
step("place", lambda: made["status"], "NEW")
step("cancel", lambda: client.cancel_order(SYMBOL, orderId=made["orderId"])["status"], "CANCELED")
step(
    "market order",
    lambda: client.new_order(**order, type="MARKET", quantity=0.01, newOrderRespType="RESULT")[
        "avgPrice"
    ],
    "50001",
)
step(
    "position",
    lambda: [p["positionAmt"] for p in client.get_position_risk(symbol=SYMBOL)],
    ["0.010"],
)
step(
    "fills",
    lambda: [f["commission"] for f in client.get_account_trades(symbol=SYMBOL)],
    ["0.2750055"],
)
step("listen key", lambda: len(client.new_listen_key()["listenKey"]), 64)
step("an error", refused, -2011)
finish()
