"""What a fill replay has to say, as lines of text and as one JSON object."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from simexchange.core.types import RATE_SCALE
from simexchange.market.fill_replay import (
    FEE_TOLERANCE,
    REALIZED_TOLERANCE,
    FillReplay,
    LeaderReplay,
    OpenPosition,
    ReplayedFill,
)

JsonObject = dict[str, object]


def as_lines(replay: FillReplay, *, maker_fee: int, taker_fee: int) -> Iterator[str]:
    rows = list(replay.rows)
    record = replay.record
    yield (
        f"{record.path}: {len(rows):,} fills are {record.order_count:,} orders"
        f" of {_counted(len(replay.leaders), 'leader')}"
    )
    yield f"assumed fee rates: taker {percent(taker_fee)}, maker {percent(maker_fee)}"
    yield _agreement("realised profit", [row.realized_difference for row in rows], rows, "realized")
    yield _agreement("fees", [row.fee_difference for row in rows], rows, "fee")
    for leader in replay.leaders:
        yield ""
        yield from _leader_lines(leader)
    if differing := replay.differing:
        yield ""
        yield f"rows that differ from the record: {len(differing)}"
        for row, explanation in differing:
            yield "  " + _row_line(row, explanation)
    yield ""
    yield f"ledger: residue {replay.ledger_residue}; event hash {replay.event_hash}"


def _agreement(what: str, differences: list[Decimal], rows: list[ReplayedFill], kind: str) -> str:
    tolerance = REALIZED_TOLERANCE if kind == "realized" else FEE_TOLERANCE
    agreeing = [abs(d) for d in differences if abs(d) <= tolerance]
    worst = max(agreeing, default=Decimal(0))
    return (
        f"{what}: {len(agreeing):,} of {len(rows):,} rows agree within {text(tolerance)} USDT"
        f" (largest difference among them {text(worst)})"
    )


def _leader_lines(leader: LeaderReplay) -> Iterator[str]:
    yield f"leader {leader.leader}: {len(leader.rows):,} fills, {leader.orders:,} orders"
    yield (
        f"  realised profit  ours {leader.realized_pnl:.8f}"
        f"  record {leader.recorded_realized_pnl:.8f} USDT"
    )
    yield f"  fees             ours {leader.fee:.8f}  record {leader.recorded_fee:.8f} USDT"
    yield f"  volume           {text(leader.volume)} USDT"
    for position in leader.open_positions:
        yield (
            f"  open at the end  {position.symbol} {position.position_side.name}"
            f" {text(position.quantity)}, cost {text(position.entry_cost)} USDT"
        )
    for row in leader.excess_rows:
        yield (
            f"  opened before the record  {row.fill.symbol} {row.fill.position_side.name}"
            f" {text(row.excess)}, closed on line {row.fill.line}; nothing booked for it"
        )


def _row_line(row: ReplayedFill, explanation: str | None) -> str:
    fill = row.fill
    parts = [
        f"line {fill.line}",
        f"leader {fill.leader}",
        f"list_index {fill.list_index}",
        moment(fill.time_ms),
        f"{fill.symbol} {fill.position_side.name} {fill.side.name}",
    ]
    if not row.realized_agrees:
        parts.append(
            f"realised profit recorded {text(fill.realized_pnl)}, computed {text(row.realized_pnl)}"
        )
    if not row.fee_agrees:
        parts.append(f"fee recorded {text(fill.fee)}, computed {text(row.full_fee)}")
    return ", ".join(parts) + ": " + (explanation or "UNEXPLAINED")


def as_json(replay: FillReplay, *, maker_fee: int, taker_fee: int) -> JsonObject:
    """Return the report; amounts are decimal texts, so that no reader rounds them."""
    rows = list(replay.rows)
    return {
        "file": str(replay.record.path),
        "fills": len(rows),
        "orders": replay.record.order_count,
        "taker_fee_rate": text(Decimal(taker_fee) / RATE_SCALE),
        "maker_fee_rate": text(Decimal(maker_fee) / RATE_SCALE),
        "realized_pnl_agrees": sum(row.realized_agrees for row in rows),
        "fee_agrees": sum(row.fee_agrees for row in rows),
        "explained": replay.is_explained,
        "leaders": [_leader_json(leader) for leader in replay.leaders],
        "differing": [_row_json(row, explanation) for row, explanation in replay.differing],
        "ledger_balanced": replay.ledger_residue == 0,
        "event_hash": replay.event_hash,
    }


def _leader_json(leader: LeaderReplay) -> JsonObject:
    return {
        "leader": leader.leader,
        "fills": len(leader.rows),
        "orders": leader.orders,
        "realized_pnl": text(leader.realized_pnl),
        "recorded_realized_pnl": text(leader.recorded_realized_pnl),
        "fee": text(leader.fee),
        "recorded_fee": text(leader.recorded_fee),
        "volume": text(leader.volume),
        "open_positions": [_position_json(position) for position in leader.open_positions],
        "opened_before_the_record": [
            {
                "line": row.fill.line,
                "symbol": row.fill.symbol,
                "position_side": row.fill.position_side.name,
                "quantity": text(row.excess),
            }
            for row in leader.excess_rows
        ],
    }


def _position_json(position: OpenPosition) -> JsonObject:
    return {
        "symbol": position.symbol,
        "position_side": position.position_side.name,
        "quantity": text(position.quantity),
        "entry_cost": text(position.entry_cost),
    }


def _row_json(row: ReplayedFill, explanation: str | None) -> JsonObject:
    fill = row.fill
    return {
        "line": fill.line,
        "leader": fill.leader,
        "list_index": fill.list_index,
        "time": moment(fill.time_ms),
        "symbol": fill.symbol,
        "side": fill.side.name,
        "position_side": fill.position_side.name,
        "recorded_realized_pnl": text(fill.realized_pnl),
        "realized_pnl": text(row.realized_pnl),
        "recorded_fee": text(fill.fee),
        "fee": text(row.full_fee),
        "reason": explanation,
    }


def text(number: Decimal) -> str:
    """Return the number in plain digits, without an exponent or trailing zeros."""
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def moment(time_ms: int) -> str:
    """Return the moment in UTC to the second, as `2024-04-23 13:17:44`."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def percent(rate: int) -> str:
    """Return a rate of 10⁻⁸ units in percent: `0.05 %`."""
    return f"{(Decimal(rate) * 100 / RATE_SCALE).normalize():f} %"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
