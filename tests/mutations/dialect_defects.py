"""Defects of what is said to venues and heard from them."""

from tests.mutations.defect import Defect

CCXT = "copyplugin/venues/ccxt"
MESSAGES = "tests/venues/messages"

DIALECTS = (
    Defect(
        name="a close on Bitget is told by the order's side instead of the leg's",
        file=f"{CCXT}/bitget.py",
        old='"side": bitget_rows.SIDES[request.position_side],',
        new='"side": request.order_side.value,',
        tests=(f"{MESSAGES}/test_bitget_orders.py",),
    ),
    Defect(
        name="OKX is sent our contracts instead of its own",
        file=f"{CCXT}/okx.py",
        old='"sz": quantity_text(request.contracts, self.lot(request.symbol)),',
        new='"sz": str(request.contracts),',
        tests=(f"{MESSAGES}/test_okx_orders.py",),
    ),
    Defect(
        name="an order on OKX goes out in the other margin mode",
        file=f"{CCXT}/okx_account.py",
        old="        if known is None:\n",
        new="        if known is not MarginMode.ISOLATED:\n",
        tests=(f"{MESSAGES}/test_okx_orders.py",),
    ),
    Defect(
        name="what a venue counts finer is rounded in the account's favour",
        file=f"{CCXT}/texts.py",
        old="return money_ceil(-Fraction(decimal_of(row, name, default)))",
        new="return money_floor(-Fraction(decimal_of(row, name, default)))",
        tests=("tests/laws/venues/test_exact_texts.py",),
    ),
    Defect(
        name="a movement is sent again while the first may still arrive",
        file=f"{CCXT}/doubt.py",
        old="        if left > 0:\n",
        new="        if left > 1_000:\n",
        tests=("tests/laws/venues/test_movements.py",),
    ),
    Defect(
        name="a fill at the very moment that is asked from is not listed",
        file=f"{CCXT}/okx_fills.py",
        old='"begin": milliseconds_of(since) - 1}',
        new='"begin": milliseconds_of(since)}',
        tests=("tests/venues/test_translated_conformance.py",),
    ),
)
