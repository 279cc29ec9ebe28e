"""A replay's report as lines for people and as one object for programs."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from copyplugin.domain.statistics import percent
from copyplugin.replay.accounting import Account
from copyplugin.replay.bridge import Bridge
from copyplugin.replay.follow_report import FollowReport
from copyplugin.replay.report import LeaderReport, Proof, Report, shown
from copyplugin.replay.stage import Plot
from copyplugin.replay.watch import Watch


def as_lines(plot: Plot, report: Report) -> Iterator[str]:
    yield from _assumption_lines(plot)
    for leader in report.leaders:
        yield ""
        yield from _leader_lines(leader)
    for number, follow in enumerate(report.follows, 1):
        yield ""
        yield from follow_lines(number, follow)
    yield ""
    yield from closing_lines(report.faults, report.proof)


def closing_lines(faults: list[str], proof: Proof) -> Iterator[str]:
    """Say whether everything adds up."""
    if faults:
        yield from faults
    else:
        yield (
            f"Everything adds up: {proof.ledger_entries} ledger entries proven, the exchange's "
            "books balance, every difference is accounted for."
        )
    yield f"Event hash {proof.event_hash}"


def _assumption_lines(plot: Plot) -> Iterator[str]:
    told = plot.assumptions
    yield "Assumed, because the record does not tell:"
    balance = (
        "more than any order needs"
        if told.leader_balance is None
        else (f"{told.leader_balance:f} USDT at the beginning")
    )
    yield f"  balance of each leader    {balance}"
    yield f"  leverage                  {told.leverage or 'the default of the exchange, 10'}"
    yield f"  fees                      maker {told.maker_fee:f}, taker {told.taker_fee:f}"
    yield "  tick and contract         the finest decimals of the file, per symbol"
    yield "  counterparty              the recorded sizes at the recorded prices: the leader first,"
    yield "                            then each follower at the same levels"
    yield f"  leader share              {plot.share_ratio:f} of each copied position's profit"


def _leader_lines(leader: LeaderReport) -> Iterator[str]:
    result = leader.result
    yield f"Leader {leader.name}"
    tally = leader.tally
    yield f"  fills of the record       {tally.fills}, which are {tally.orders} orders"
    yield f"  fills and orders known    {leader.fills_known} and {leader.orders_known}"
    yield f"  realised, round trips     {shown(result.closed)} USDT in {result.trips}"
    yield f"  realised, still open      {shown(result.still_open)} USDT in {result.open_trips}"
    yield (
        f"  the record says           {shown(result.recorded_difference)} USDT more "
        f"(its {result.closing_fills} closing fills are rounded to 10⁻⁸ each)"
    )
    if result.with_excess or tally.excess_fills:
        yield (
            f"  opened before the record  {tally.excess_fills} fills; their round trips: "
            f"{shown(result.excess_closed)} USDT ours, {result.excess_recorded:f} recorded"
        )
    held = ", ".join(f"{name} {count} contracts" for name, count in leader.open_contracts.items())
    yield f"  with what is still open   {shown(leader.total)} USDT at the last price"
    yield f"  open at the end           {held or 'nothing'}"


def follow_lines(number: int, one: FollowReport) -> Iterator[str]:
    yield f"Follow {number} of leader {one.follow.leader}: {one.follow.spec.text}"
    yield f"  moves that concerned it   {one.signals}"
    yield f"  orders                    {one.orders}, {one.orders_filled} carried out"
    skipped = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in one.skipped.items())
    yield f"  skipped                   {skipped or 'nothing'}"
    if one.liquidated:
        yield "  liquidated                yes: the venue closed a position for lack of margin"
    yield f"  realised, round trips     {one.realized:f} USDT"
    yield f"  realised, still open      {one.realized_open:f} USDT in {one.open_positions}"
    yield f"  fees and funding          {one.fees:f} and {one.funding:f} USDT"
    yield f"  result before the share   {one.result:f} USDT"
    yield f"  leader share              {one.share:f} USDT"
    yield f"  result after the share    {one.result_after_share:f} USDT"
    if one.profit_difference is not None:
        yield f"  against the leader's own  {shown(one.profit_difference)} USDT of realised profit"
    yield from _watch_lines(one.watch)
    yield from _bridge_lines(one.bridge)
    yield from _account_lines("opens", one.accounts.opens)
    yield from _account_lines("closes", one.accounts.closes)


def _watch_lines(watch: Watch) -> Iterator[str]:
    yield (
        f"  deepest drawdown          {watch.drawdown:f} USDT; as a part of the highest before: "
        f"{in_percent(watch.drawdown_ratio)}"
    )
    near = watch.nearest
    if near is None:
        yield "  nearest to liquidation    nothing was held that could be liquidated"
        return
    where = (
        "and all that shares its margin, together"
        if near.liquidation_price is None
        else f"liquidated at {near.liquidation_price:f}"
    )
    yield (
        f"  nearest to liquidation    {in_percent(near.distance)} of the price: {near.symbol} "
        f"{near.position_side} at {near.mark:f}, {where}"
    )


def _bridge_lines(bridge: Bridge) -> Iterator[str]:
    yield f"  the leader's own result   {shown(bridge.leader):>22} USDT, before his fees"
    for part, value in bridge.parts.items():
        yield f"    − {part:<46} {shown(value):>20}"
    yield f"    = the follower's {'':<27} {shown(bridge.follower):>22}"
    if bridge.unexplained:
        yield f"    NOT EXPLAINED {shown(bridge.unexplained)}"


def in_percent(ratio: Fraction) -> str:
    """Return a ratio in percent to two places, for show."""
    return f"{percent(ratio):f} %"


def _account_lines(name: str, account: Account) -> Iterator[str]:
    yield f"  {name}, exact proportion {shown(account.exact):>22} USDT"
    for part, value in account.parts.items():
        yield f"    − {part:<46} {shown(value):>20}  ({account.steps[part]} moves)"
    yield f"    = traded {'':<37} {shown(account.traded):>22}"
    if account.unexplained:
        yield f"    NOT EXPLAINED {shown(account.unexplained)}"


def as_json(plot: Plot, report: Report) -> dict[str, Any]:
    """Return the report for programs; figures are text, so that nothing is rounded on the way."""
    told = plot.assumptions
    return {
        "assumptions": {
            "leader_balance": None if told.leader_balance is None else f"{told.leader_balance:f}",
            "leverage": told.leverage,
            "maker_fee": f"{told.maker_fee:f}",
            "taker_fee": f"{told.taker_fee:f}",
            "share_ratio": f"{plot.share_ratio:f}",
        },
        "leaders": [_leader_object(leader) for leader in report.leaders],
        "follows": [follow_object(follow) for follow in report.follows],
        **proof_object(report.proof),
        "faults": report.faults,
    }


def proof_object(proof: Proof) -> dict[str, Any]:
    return {
        "ledger_balanced": proof.ledger_fault is None and proof.exchange_residue == 0,
        "ledger_entries": proof.ledger_entries,
        "event_hash": proof.event_hash,
    }


def _leader_object(leader: LeaderReport) -> dict[str, Any]:
    result = leader.result
    return {
        "leader": leader.name,
        "fills": leader.tally.fills,
        "orders": leader.tally.orders,
        "excess_fills": leader.tally.excess_fills,
        "realized_closed": exact(result.closed),
        "realized_still_open": exact(result.still_open),
        "result_at_last_price": exact(leader.total),
        "record_minus_ours": exact(result.recorded_difference),
        "closing_fills": result.closing_fills,
        "agrees_with_record": result.agrees_with_record,
        "open_contracts": dict(leader.open_contracts),
    }


def follow_object(one: FollowReport) -> dict[str, Any]:
    return {
        "leader": one.follow.leader,
        "follow": one.follow.spec.text,
        "signals": one.signals,
        "orders": one.orders,
        "orders_filled": one.orders_filled,
        "skipped": dict(one.skipped),
        "liquidated": one.liquidated,
        "realized": f"{one.realized:f}",
        "realized_still_open": f"{one.realized_open:f}",
        "fees": f"{one.fees:f}",
        "funding": f"{one.funding:f}",
        "result_before_share": f"{one.result:f}",
        "share": f"{one.share:f}",
        "result_after_share": f"{one.result_after_share:f}",
        "net_result": f"{one.net:f}",
        "drawdown": f"{one.watch.drawdown:f}",
        "drawdown_ratio": in_percent(one.watch.drawdown_ratio),
        "nearest_liquidation": _nearest_object(one.watch),
        "from_leader_to_follower": _bridge_object(one.bridge),
        "profit_difference_to_leader": (
            None if one.profit_difference is None else exact(one.profit_difference)
        ),
        "opens": _account_object(one.accounts.opens),
        "closes": _account_object(one.accounts.closes),
    }


def _nearest_object(watch: Watch) -> dict[str, str | None] | None:
    near = watch.nearest
    return near and {
        "symbol": near.symbol,
        "position_side": near.position_side.value,
        "mark": f"{near.mark:f}",
        "liquidation_price": (
            None if near.liquidation_price is None else f"{near.liquidation_price:f}"
        ),
        "distance": in_percent(near.distance),
    }


def _bridge_object(bridge: Bridge) -> dict[str, Any]:
    return {
        "leader_result": exact(bridge.leader),
        "parts": {name: exact(value) for name, value in bridge.parts.items()},
        "follower_net_result": exact(bridge.follower),
        "unexplained": exact(bridge.unexplained),
    }


def _account_object(account: Account) -> dict[str, Any]:
    return {
        "exact_proportion": exact(account.exact),
        "traded": exact(account.traded),
        "parts": {name: exact(value) for name, value in account.parts.items()},
        "unexplained": exact(account.unexplained),
    }


def exact(value: Fraction) -> str:
    """Return a fraction as text: decimals where it ends within 8 of them, else as a ratio."""
    text = shown(value)
    return f"{value.numerator}/{value.denominator}" if text.startswith("≈") else text
