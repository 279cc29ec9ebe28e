"""Conditional orders that wait while the last price and the mark price are far apart."""

from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL


def test_a_protected_conditional_order_waits_while_last_and_mark_price_are_apart(
    raw_binance: RawBinance,
) -> None:
    rig = raw_binance.rig
    raw_binance.ask(
        "POST", "/fapi/v1/order", symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01"
    )
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "STOP_MARKET", "quantity": "0.01"}
    terms |= {"triggerPrice": "60000", "algoType": "CONDITIONAL", "workingType": "MARK_PRICE"}
    plain = raw_binance.ask("POST", "/fapi/v1/algoOrder", **terms)
    made = raw_binance.ask("POST", "/fapi/v1/algoOrder", **terms, priceProtect="TRUE")
    assert (plain["priceProtect"], made["priceProtect"]) == (False, True)

    rig.set_price(SYMBOL, "90000")

    [waiting] = raw_binance.ask("GET", "/fapi/v1/openAlgoOrders")
    assert (waiting["algoId"], waiting["priceProtect"]) == (made["algoId"], True)
