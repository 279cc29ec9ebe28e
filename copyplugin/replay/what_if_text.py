"""A what-if's report as lines for people and as one object for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from copyplugin.domain.money import Money
from copyplugin.replay.follow_report import FollowReport
from copyplugin.replay.report import Proof, faults_of_follows, shown
from copyplugin.replay.text import closing_lines, exact, follow_lines, follow_object, proof_object
from copyplugin.replay.what_if_stage import WhatIf


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIfReport:
    """`result` and `fees` are the leader's own; the result counts what is open at the last mark."""

    begins_at: datetime
    ends_at: datetime
    result: Fraction
    fees: Money
    follows: tuple[FollowReport, ...]
    proof: Proof

    @property
    def faults(self) -> list[str]:
        """Return what does not add up, a sentence each; none when all does."""
        return self.proof.faults + faults_of_follows(self.follows)


def as_lines(asked: WhatIf, report: WhatIfReport) -> Iterator[str]:
    past, leader = asked.past, asked.past.leader
    yield f"Leader {past.leader.nickname}, as he traded from {_time(report.begins_at)}"
    yield f"                       to {_time(report.ends_at)}"
    yield f"  fills                     {len(past.fills)}"
    yield f"  result before fees        {shown(report.result)} USDT, what is open at the last mark"
    yield f"  fees and funding          {report.fees:f} and {past.funding:f} USDT"
    yield "Assumed:"
    yield f"  slippage                  {asked.slippage:f} of the leader's price"
    yield f"  leader's balance          {_balance(asked)}"
    yield f"  leader share              {leader.share_ratio:f}, {leader.share_basis.value}"
    yield "  prices between his fills  not known: drawdown and liquidation are seen at his fills"
    yield f"  funding rate              {asked.funding_rate:f} every 8 hours, at his latest price"
    for number, follow in enumerate(report.follows, 1):
        yield ""
        yield from follow_lines(number, follow)
        yield f"  {follow.follow.spec.amount:f} USDT would have become {follow.watch.equity:f} USDT"
    yield ""
    yield from closing_lines(report.faults, report.proof)


def as_json(asked: WhatIf, report: WhatIfReport) -> dict[str, Any]:
    """Return the report for programs; figures are text, so that nothing is rounded on the way."""
    past, balance = asked.past, asked.leader_balance
    return {
        "leader": {
            "id": past.leader.id,
            "nickname": past.leader.nickname,
            "fills": len(past.fills),
            "begins_at": report.begins_at.isoformat(),
            "ends_at": report.ends_at.isoformat(),
            "result_before_fees": exact(report.result),
            "fees": f"{report.fees:f}",
            "funding": f"{past.funding:f}",
            "share_ratio": f"{past.leader.share_ratio:f}",
            "share_basis": past.leader.share_basis.value,
        },
        "assumptions": {
            "slippage": f"{asked.slippage:f}",
            "funding_rate": f"{asked.funding_rate:f}",
            "leader_balance": None if balance is None else f"{balance:f}",
        },
        "follows": [
            {**follow_object(follow), "equity": f"{follow.watch.equity:f}"}
            for follow in report.follows
        ],
        **proof_object(report.proof),
        "faults": report.faults,
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _balance(asked: WhatIf) -> str:
    if asked.leader_balance is None:
        return "as the rows tell it"
    return f"{asked.leader_balance:f} USDT where no row tells it"
