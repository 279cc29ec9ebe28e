from datetime import UTC, datetime
from decimal import Decimal

import pytest

from copyplugin.domain.fill import LeaderFill, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.transition import Effect, Legs, transitions

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
OPEN, ADD, REDUCE, CLOSE = Effect.OPEN, Effect.ADD, Effect.REDUCE, Effect.CLOSE


def make_fill(side, contracts, position_side=None, closed=None) -> LeaderFill:
    return LeaderFill(
        venue_fill_id=VenueFillId("1"),
        order_id=VenueOrderId("1"),
        account=AccountId("1"),
        symbol=Symbol("BTCUSDT"),
        side=side,
        position_side=position_side,
        contracts=Contracts(contracts),
        price=Price(Decimal(100)),
        fee=Money(Decimal(0)),
        realized_pnl=Money(Decimal(0)),
        liquidity=Liquidity.MAKER,
        at=datetime(2026, 3, 1, tzinfo=UTC),
        leverage=Ratio(Decimal(10)),
        margin_mode=MarginMode.CROSS,
        contracts_closed=None if closed is None else Contracts(closed),
    )


def legs(long=0, short=0) -> Legs:
    return Legs(long=Contracts(long), short=Contracts(short))


@pytest.mark.parametrize(
    ("before", "fill", "moves"),
    [
        # one-way mode: a sell from flat, more of it, some back, the rest
        (legs(), make_fill(SELL, 4), [(SHORT, OPEN, 0, 4)]),
        (legs(short=4), make_fill(SELL, 2), [(SHORT, ADD, 4, 6)]),
        (legs(short=6), make_fill(BUY, 5), [(SHORT, REDUCE, 6, 1)]),
        (legs(short=1), make_fill(BUY, 1), [(SHORT, CLOSE, 1, 0)]),
        # ... and more than the rest: a flip
        (legs(short=1), make_fill(BUY, 3), [(SHORT, CLOSE, 1, 0), (LONG, OPEN, 0, 2)]),
        # hedge mode: a sell of the long side is no open of the short
        (legs(long=5), make_fill(SELL, 2, LONG), [(LONG, REDUCE, 5, 3)]),
        (legs(long=5), make_fill(SELL, 2, SHORT), [(SHORT, OPEN, 0, 2)]),
        (legs(long=5, short=2), make_fill(BUY, 2, SHORT), [(SHORT, CLOSE, 2, 0)]),
        # fills before ours are unknown: more is closed than we know, or nothing that we know
        (legs(long=5), make_fill(SELL, 8, LONG), [(LONG, CLOSE, 5, 0)]),
        (legs(), make_fill(SELL, 8, LONG), []),
        (legs(), make_fill(SELL, 8, closed=8), []),
        (legs(long=5), make_fill(SELL, 8, closed=8), [(LONG, CLOSE, 5, 0)]),
        (legs(), make_fill(SELL, 8, closed=6), [(SHORT, OPEN, 0, 2)]),
    ],
)
def test_a_fill_moves_the_legs(before, fill, moves):
    moved = transitions(before, fill)

    assert moves == [
        (part.position_side, part.effect, part.contracts_before, part.contracts_after)
        for part in moved
    ]
