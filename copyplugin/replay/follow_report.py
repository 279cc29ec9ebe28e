"""What one follow of a replay came to, and every difference to its leader."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, money_total
from copyplugin.domain.order import CopyOrderState
from copyplugin.replay import bridge
from copyplugin.replay.accounting import PRICE, Account, Accounts, account_for
from copyplugin.replay.watch import CastFollow, Watch
from copyplugin.store import copy_trail, follow_rules, follows, ledger, market
from copyplugin.store.copy_trail import Leg
from copyplugin.store.database import Session
from copyplugin.store.rows import CopiedPositionRow, CopyOrderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderFacts:
    """What a follow is compared with. Money in USDT, before the leader's fees and funding.

    `result` counts what is open at `marks`; `closed` is what finished round trips realised, None
    where the record does not begin flat. `before` was held at the beginning, at the prices
    `begins`.
    """

    leader_id: LeaderId
    result: Fraction
    closed: Fraction | None
    marks: Mapping[Symbol, Price]
    before: Mapping[Leg, Contracts]
    begins: Mapping[Symbol, Price]


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowReport:
    """Money in USDT. `result` is before the share: profit less fees and funding.

    `net` is what the follower has more than his copy amount at the end, on the exchange: after the
    share, with what is open at the mark. `follows_exactly`: every open and close was the leader's,
    contract for contract. Then the realised profit must be his, to the last unit:
    `profit_difference` is 0.
    """

    follow: CastFollow
    watch: Watch
    signals: int
    orders: int
    orders_filled: int
    skipped: Mapping[str, int]
    liquidated: bool
    realized: Money
    realized_open: Money
    fees: Money
    funding: Money
    share: Money
    open_positions: int
    accounts: Accounts
    bridge: bridge.Bridge
    follows_exactly: bool
    profit_difference: Fraction | None
    is_money_right: bool

    @property
    def result(self) -> Money:
        return money_total(self.realized, Money(-self.fees), Money(-self.funding))

    @property
    def result_after_share(self) -> Money:
        return money_total(self.result, Money(-self.share))

    @property
    def net(self) -> Money:
        return money_total(self.watch.equity, Money(-self.follow.spec.amount))

    @property
    def faults(self) -> list[str]:
        """Return what does not add up, a sentence each."""
        found: list[str] = []
        if not self.accounts.is_explained:
            found.append("a difference to the leader's proportion is not explained.")
        if self.bridge.unexplained:
            found.append("the differences to the leader's result do not sum to the whole.")
        if self.profit_difference:
            found.append("copies exactly and has not earned exactly the same.")
        if not self.is_money_right:
            found.append("its ledger account is not what its sub-account holds.")
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """What the database holds of one follow."""

    orders: list[CopyOrderRow]
    positions: list[CopiedPositionRow]
    share: Money

    @property
    def closed(self) -> list[CopiedPositionRow]:
        return [row for row in self.positions if row.state is TradeState.CLOSED]

    @property
    def still_open(self) -> list[CopiedPositionRow]:
        return [row for row in self.positions if row.state is not TradeState.CLOSED]

    @property
    def fees(self) -> Money:
        return money_total(ZERO_MONEY, *(row.fees for row in self.positions))

    @property
    def funding(self) -> Money:
        return money_total(ZERO_MONEY, *(row.funding for row in self.positions))


def follow_report(
    session: Session, cast: CastFollow, watch: Watch, facts: LeaderFacts, *, equity: Money
) -> FollowReport:
    """Gather the report of one follow; `equity` is of its sub-account."""
    steps = copy_trail.trail_of(session, cast.follow_id)
    rows = _Rows(
        orders=copy_trail.orders_of(session, cast.follow_id),
        positions=copy_trail.positions_of(session, cast.follow_id),
        share=copy_trail.shares_of(session, cast.follow_id),
    )
    row = follows.get_follow(session, cast.follow_id)
    rule_of = partial(follow_rules.rules_of(session, {row.id}).rule_of, row)
    instruments = market.instruments(session)
    liquidated = watch.liquidations > 0
    accounts = account_for(rule_of, steps, instruments, was_liquidated=liquidated)
    realized = _sum_realized(rows.closed)
    exactly = cast.spec.mode is CopyMode.FIXED and not any(
        _parts_beside_price(account) for account in (accounts.opens, accounts.closes)
    )
    walk = bridge.Walk(rule_of, instruments)
    for leg, contracts in facts.before.items():
        walk.held_before(leg, contracts, facts.begins[leg[0]])
    walk.take(copy_trail.moves_of(session, facts.leader_id, cast.follow_id))
    return FollowReport(
        follow=cast,
        watch=watch,
        signals=len(steps),
        orders=len(rows.orders),
        orders_filled=sum(order.state is CopyOrderState.DONE for order in rows.orders),
        skipped=Counter(
            step.decision.skip_reason.value
            for step in steps
            if step.decision.skip_reason is not None
        ),
        liquidated=liquidated,
        realized=realized,
        realized_open=_sum_realized(rows.still_open),
        fees=rows.fees,
        funding=rows.funding,
        share=rows.share,
        open_positions=len(rows.still_open),
        accounts=accounts,
        bridge=_bridge(walk, rows, cast, watch, facts),
        follows_exactly=exactly,
        profit_difference=(
            Fraction(realized) - facts.closed if exactly and facts.closed is not None else None
        ),
        is_money_right=_is_money_right(session, cast, rows, equity=equity),
    )


def _bridge(
    walk: bridge.Walk, rows: _Rows, cast: CastFollow, watch: Watch, facts: LeaderFacts
) -> bridge.Bridge:
    walk.at_marks(facts.marks)
    costs = {
        bridge.FEES: rows.fees,
        bridge.FUNDING: rows.funding,
        bridge.SHARE: rows.share,
    }
    parts = {**walk.parts, **{name: Fraction(cost) for name, cost in costs.items()}}
    return bridge.Bridge(
        leader=facts.result,
        follower=Fraction(watch.equity) - Fraction(cast.spec.amount),
        parts={name: value for name, value in parts.items() if value},
    )


def _is_money_right(session: Session, cast: CastFollow, rows: _Rows, *, equity: Money) -> bool:
    """Return whether the books and the venue agree on the sub-account's money.

    What open positions have realised, paid and not yet realised is not in the ledger; everything
    else is, so that flat sub-accounts must agree to the last unit.
    """
    row = follows.get_follow(session, cast.follow_id)
    booked = ledger.balance(session, sub_account(cast.follow_id))
    if row.ended_at is not None:
        return booked == 0
    if rows.still_open:
        return True
    return booked == equity


def _parts_beside_price(account: Account) -> bool:
    return any(name != PRICE for name in account.parts)


def _sum_realized(rows: list[CopiedPositionRow]) -> Money:
    return money_total(ZERO_MONEY, *(row.realized_pnl for row in rows))
