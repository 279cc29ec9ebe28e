"""What a what-if came to, as its page shows it: every number exact, read from the report's text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from copyplugin.domain.skip import SkipReason
from web.words import skip_sentence

Report = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One difference between the leader's result and the follower's, in USDT."""

    name: str
    money: Fraction


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Where liquidation was nearest; `liquidation_price` None: shared by several positions."""

    symbol: str
    distance: str
    mark: Decimal
    liquidation_price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Money in USDT; `net` is after the share, with what is open at the last price."""

    amount: Decimal
    net: Decimal
    equity: Decimal
    fees: Decimal
    funding: Decimal
    share: Decimal
    drawdown: Decimal
    drawdown_ratio: str
    orders: int
    orders_filled: int
    is_liquidated: bool
    nearest: Nearest | None
    skipped: list[tuple[str, int]]  # why, in a sentence, and how often
    leader_result: Fraction
    parts: list[Part]
    slippage: Decimal
    begins_at: datetime
    ends_at: datetime
    leader_fills: int
    faults: list[str]

    @property
    def ratio(self) -> Fraction:
        return Fraction(self.net) / Fraction(self.amount)

    @property
    def adds_up(self) -> bool:
        """Tell whether the parts lead from the leader's result to the follower's, exactly."""
        missing = sum((part.money for part in self.parts), Fraction(0))
        return self.leader_result - missing == self.net and not self.faults


def outcome_from(report: Report, amount: Decimal) -> Outcome:
    """Read the report of `copyplugin what-if --json` with one follow in it."""
    leader, [follow] = report["leader"], report["follows"]
    bridge, near = follow["from_leader_to_follower"], follow["nearest_liquidation"]
    return Outcome(
        amount=amount,
        net=Decimal(follow["net_result"]),
        equity=Decimal(follow["equity"]),
        fees=Decimal(follow["fees"]),
        funding=Decimal(follow["funding"]),
        share=Decimal(follow["share"]),
        drawdown=Decimal(follow["drawdown"]),
        drawdown_ratio=follow["drawdown_ratio"],
        orders=follow["orders"],
        orders_filled=follow["orders_filled"],
        is_liquidated=follow["liquidated"],
        nearest=None if near is None else _nearest(near),
        skipped=[
            (skip_sentence(SkipReason(reason)), count)
            for reason, count in follow["skipped"].items()
        ],
        leader_result=Fraction(bridge["leader_result"]),
        parts=[Part(name=name, money=Fraction(text)) for name, text in bridge["parts"].items()],
        slippage=Decimal(report["assumptions"]["slippage"]),
        begins_at=datetime.fromisoformat(leader["begins_at"]),
        ends_at=datetime.fromisoformat(leader["ends_at"]),
        leader_fills=leader["fills"],
        faults=list(report["faults"]),
    )


def _nearest(near: Mapping[str, str | None]) -> Nearest:
    price = near["liquidation_price"]
    return Nearest(
        symbol=f"{near['symbol']} {near['position_side']}",
        distance=str(near["distance"]),
        mark=Decimal(str(near["mark"])),
        liquidation_price=None if price is None else Decimal(price),
    )
