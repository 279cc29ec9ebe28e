"""What a replay shows: per leader and per follow, and whether everything adds up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.leader import TradeState
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import LedgerBroken
from copyplugin.replay.accounting import PRICE, Account, Accounts, account_for
from copyplugin.replay.leader_book import LeaderResult
from copyplugin.replay.stage import CastFollow, Stage, Tally
from copyplugin.store import copy_trail, follow_rules, follows, ledger, market
from copyplugin.store.database import Session
from copyplugin.store.rows import CopiedPositionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderReport:
    name: str
    tally: Tally
    fills_known: int
    orders_known: int
    result: LeaderResult
    open_contracts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowReport:
    """Money in USDT. `result` is before the share: profit less fees and funding.

    `follows_exactly`: every open and close was the leader's, contract for contract. Then the
    realised profit must be his, to the last unit: `profit_difference` is 0.
    """

    follow: CastFollow
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
    follows_exactly: bool
    profit_difference: Fraction | None
    is_money_right: bool

    @property
    def result(self) -> Money:
        return money_total(self.realized, Money(-self.fees), Money(-self.funding))

    @property
    def result_after_share(self) -> Money:
        return money_total(self.result, Money(-self.share))


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    leaders: tuple[LeaderReport, ...]
    follows: tuple[FollowReport, ...]
    ledger_entries: int
    ledger_fault: str | None
    exchange_residue: int
    event_hash: str

    @property
    def faults(self) -> list[str]:
        """Return what does not add up, a sentence each; none when all does."""
        found = [] if self.ledger_fault is None else [f"The ledger is broken: {self.ledger_fault}."]
        if self.exchange_residue:
            found.append(f"The exchange's books miss {self.exchange_residue} units of money.")
        found.extend(
            f"Leader {leader.name}: the record's profit is another than ours."
            for leader in self.leaders
            if not leader.result.agrees_with_record
        )
        for number, one in enumerate(self.follows, 1):
            name = f"Follow {number} ({one.follow.spec.text})"
            if not one.accounts.is_explained:
                found.append(f"{name}: a difference to the leader's proportion is not explained.")
            if one.profit_difference:
                found.append(f"{name}: copies exactly and has not earned exactly the same.")
            if not one.is_money_right:
                found.append(f"{name}: its ledger account is not what its sub-account holds.")
        return found


async def report_on(stage: Stage) -> Report:
    """Gather the report from the stage's database, venue and exact books."""
    leaders = tuple([_leader(stage, name) for name in stage.plot.leaders])
    balances: dict[int, Money] = {}
    for cast in stage.follows:
        with stage.database.read() as session:
            account = follows.get_follow(session, cast.follow_id).sub_account
        assert account is not None
        balances[cast.follow_id] = (await stage.venue.balance(account)).equity
    with stage.database.read() as session:
        found = tuple(
            _follow(session, stage, cast, equity=balances[cast.follow_id]) for cast in stage.follows
        )
        try:
            head, fault = ledger.verify(session), None
        except LedgerBroken as error:
            head, fault = ledger.ledger_head(session), str(error)
    return Report(
        leaders=leaders,
        follows=found,
        ledger_entries=head.entries,
        ledger_fault=fault,
        exchange_residue=stage.venue.ledger_residue,
        event_hash=stage.venue.event_hash,
    )


def _leader(stage: Stage, name: str) -> LeaderReport:
    with stage.database.read() as session:
        return LeaderReport(
            name=name,
            tally=stage.tallies[name],
            fills_known=copy_trail.fills_known(session, stage.leader_ids[name]),
            orders_known=copy_trail.leader_orders_known(session, stage.leader_ids[name]),
            result=stage.books[name].result(),
            open_contracts={
                f"{symbol} {side.value}": contracts
                for (symbol, side), contracts in stage.venue.open_contracts(name).items()
            },
        )


def _follow(session: Session, stage: Stage, cast: CastFollow, *, equity: Money) -> FollowReport:
    steps = copy_trail.trail_of(session, cast.follow_id)
    orders = copy_trail.orders_of(session, cast.follow_id)
    positions = copy_trail.positions_of(session, cast.follow_id)
    row = follows.get_follow(session, cast.follow_id)
    rules = follow_rules.rules_of(session, {row.id})
    account = row.sub_account
    assert account is not None
    liquidated = stage.venue.was_liquidated(account)
    accounts = account_for(
        partial(rules.rule_of, row),
        steps,
        market.instruments(session),
        was_liquidated=liquidated,
    )
    closed = [row for row in positions if row.state is TradeState.CLOSED]
    still_open = [row for row in positions if row.state is not TradeState.CLOSED]
    realized = _sum_realized(closed)
    exactly = cast.spec.mode is CopyMode.FIXED and not any(
        _parts_beside_price(account) for account in (accounts.opens, accounts.closes)
    )
    difference = None
    if exactly:
        difference = Fraction(realized) - stage.books[cast.leader].result().closed
    return FollowReport(
        follow=cast,
        signals=len(steps),
        orders=len(orders),
        orders_filled=sum(order.state is CopyOrderState.DONE for order in orders),
        skipped=Counter(
            step.decision.skip_reason.value
            for step in steps
            if step.decision.skip_reason is not None
        ),
        liquidated=liquidated,
        realized=realized,
        realized_open=_sum_realized(still_open),
        fees=money_total(ZERO_MONEY, *(row.fees for row in positions)),
        funding=money_total(ZERO_MONEY, *(row.funding for row in positions)),
        share=copy_trail.shares_of(session, cast.follow_id),
        open_positions=len(still_open),
        accounts=accounts,
        follows_exactly=exactly,
        profit_difference=difference,
        is_money_right=_is_money_right(session, cast, positions, equity=equity),
    )


def _is_money_right(
    session: Session, cast: CastFollow, positions: list[CopiedPositionRow], *, equity: Money
) -> bool:
    """Return whether the books and the venue agree on the sub-account's money.

    What open positions have realised, paid and not yet realised is not in the ledger; everything
    else is, so that flat sub-accounts must agree to the last unit.
    """
    row = follows.get_follow(session, cast.follow_id)
    booked = ledger.balance(session, sub_account(cast.follow_id))
    if row.ended_at is not None:
        return booked == 0
    if any(position.state is not TradeState.CLOSED for position in positions):
        return True
    return booked == equity


def _parts_beside_price(account: Account) -> bool:
    return any(name != PRICE for name in account.parts)


def _sum_realized(rows: list[CopiedPositionRow]) -> Money:
    return money_total(ZERO_MONEY, *(row.realized_pnl for row in rows))


def shown(value: Fraction | Decimal, places: int = 8) -> str:
    """Return the figure in decimals, exact where it ends within `places`, else marked with ≈."""
    fraction = Fraction(value)
    scaled = fraction * 10**places
    whole = round(scaled)
    text = f"{Decimal(whole).scaleb(-places):f}"
    return text if whole == scaled else f"≈{text}"
