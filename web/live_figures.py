"""The texts that a page's live figures take, by the key that marks them in the page."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from copyplugin.store.queries.copied_positions import CopiedPosition
from copyplugin.store.queries.copies import Copies, FollowLine, totals_of
from copyplugin.store.queries.leader_page import OpenTrade
from copyplugin.store.queries.live import Moving
from copyplugin.store.queries.marks import Mark
from web import formatting
from web.live import Topic

Figure = dict[str, str]
Figures = dict[str, Figure]


def figures_for(topic: Topic, moving: Moving) -> tuple[Figures, str]:
    """Return the figures, and a word that changes when rows of the page's list come or go."""
    figures: Figures = dict(_mark(mark) for mark in moving.marks)
    rows: list[str] = []
    if topic.follower_id is not None:
        copies = moving.copies[topic.follower_id]
        figures.update(_copies(copies))
        rows = copies_rows(copies)
    if topic.leader_id is not None:
        trades = moving.open_trades[topic.leader_id]
        for trade in trades:
            figures.update(_trade(trade))
        rows = trade_rows(trades)
    return figures, " ".join(rows)


def copies_rows(copies: Copies) -> list[str]:
    """Return one word for each row of My copies, in the page's order."""
    return [
        *(f"p{position.position_id}" for position in copies.open_positions),
        *(f"f{line.follow_id}:{line.state}" for line in copies.follows),
    ]


def trade_rows(trades: tuple[OpenTrade, ...]) -> list[str]:
    return [f"t{trade.trade_id}:{trade.contracts}" for trade in trades]


def _money(value: Decimal) -> Figure:
    return {
        "text": formatting.signed(value),
        "sign": formatting.sign(value),
        "value": f"{value:f}",
    }


def _exact(value: Decimal) -> Figure:
    parts = formatting.exact(value)
    return {
        "text": parts.coarse,
        "fine": parts.fine,
        "sign": parts.sign,
        "value": f"{value:f}",
    }


def _exact_unsigned(value: Decimal) -> Figure:
    parts = formatting.exact_unsigned(value)
    return {"text": parts.coarse, "fine": parts.fine}


def _ratio(value: Fraction | None) -> Figure:
    return {"text": formatting.signed_percent(value), "sign": formatting.percent_sign(value)}


def _mark(mark: Mark) -> tuple[str, Figure]:
    text = formatting.price(mark.price, mark.tick_size)
    return f"mark-{mark.symbol}", {"text": text, "value": f"{mark.price:f}"}


def _copies(copies: Copies) -> Iterator[tuple[str, Figure]]:
    totals = copies.totals
    yield "totals-profit", _money(totals.profit)
    yield "totals-ratio", _ratio(totals.profit_ratio)
    yield "totals-before-share", _money(totals.profit_before_share)
    yield "totals-share", {"text": formatting.number(totals.share)}
    yield "totals-exact", _exact(totals.profit)
    yield "positions-profit", _exact(copies.open_profit)
    running = totals_of(copies.live)
    yield "running-profit", _exact(running.profit)
    yield "running-share", _exact_unsigned(running.share)
    for line in copies.follows:
        yield from _follow(line)
    for position in copies.open_positions:
        yield from _position(position)


def _follow(line: FollowLine) -> Iterator[tuple[str, Figure]]:
    key = f"follow-{line.follow_id}"
    yield f"{key}-profit", _exact(line.profit_after_share)
    yield f"{key}-before", _exact(line.profit)
    yield f"{key}-ratio", _ratio(line.profit_ratio)
    yield f"{key}-share", _exact_unsigned(line.share)


def _position(position: CopiedPosition) -> Iterator[tuple[str, Figure]]:
    key = f"position-{position.position_id}"
    yield f"{key}-profit", _exact(position.profit)
    yield f"{key}-yield", _ratio(position.yield_on_copy_amount)
    yield f"{key}-share", _exact_unsigned(position.share)
    yield f"{key}-unrealized", _exact(position.unrealized_pnl)
    yield f"{key}-mark", {"text": formatting.price(position.mark, position.tick_size)}


def _trade(trade: OpenTrade) -> Iterator[tuple[str, Figure]]:
    key = f"trade-{trade.trade_id}"
    yield f"{key}-mark", {"text": formatting.price(trade.mark, trade.tick_size)}
    if trade.unrealized_pnl is not None:
        yield f"{key}-profit", _money(trade.unrealized_pnl)
