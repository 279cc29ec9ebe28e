"""The rules of follows, and what their caps are measured against."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from fractions import Fraction

from sqlalchemy import delete, exists, func, or_, select, true
from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import Caps, CopyMode, CopyRule
from copyplugin.domain.days import day_of, span_of_day
from copyplugin.domain.follow import COPIES_OPENS
from copyplugin.domain.identifiers import FollowId, LaneId, LeaderId, SignalId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts
from copyplugin.domain.open_size import Holdings
from copyplugin.store.records import RecordTable
from copyplugin.store.rows import (
    CopyDecisionRow,
    FollowRow,
    FollowRuleRow,
    LaneRow,
    SignalRow,
)
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT
from copyplugin.store.statement import Statement

FROM_THE_START = SignalId(0)
"""Stands for the leader order before the first."""

_PLAIN = {mode: CopyRule(mode=mode) for mode in CopyMode}
_RULES = RecordTable(FollowRuleRow)
_OF_FOLLOWS = Statement(
    f"SELECT {_RULES.select('follow_rule')} FROM follow_rule"  # noqa: S608 - our names
    " WHERE follow_id IN :follows"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBook:
    """The rules of some follows; a follow without one does what its mode says.

    Equal rules are one object, so that whoever compares many may compare that.
    `changed_after` has the sets of rules of the follows whose settings were changed, the latest
    first: the numbers of the leader orders after which each counts.
    """

    rules: Mapping[tuple[FollowId, SignalId, Symbol], CopyRule]
    changed_after: Mapping[FollowId, Sequence[SignalId]] = field(
        default_factory=dict[FollowId, Sequence[SignalId]]
    )
    ruled: Collection[FollowId] = frozenset[FollowId]()
    """The follows that have rules; the others are plain."""

    def rule_of(
        self, follow: FollowRow, symbol: Symbol, signal_id: SignalId | None = None
    ) -> CopyRule:
        """Return the rule of this instrument, else the follow's, else its plain mode.

        That which counts for this leader order; without one, for the next.
        """
        after = FROM_THE_START
        if follow.id in self.changed_after:
            after = self._set_for(follow.id, signal_id)
        return (
            self.rules.get((follow.id, after, symbol))
            or self.rules.get((follow.id, after, EVERY_INSTRUMENT))
            or _PLAIN[follow.mode]
        )

    def _set_for(self, follow_id: FollowId, signal_id: SignalId | None) -> SignalId:
        sets = self.changed_after[follow_id]
        if signal_id is None:
            return sets[0]
        return next((after for after in sets if signal_id > after), FROM_THE_START)


def rules_of(session: Session, follow_ids: Collection[FollowId]) -> RuleBook:
    """Load the rules of these follows."""
    if not follow_ids:
        return RuleBook(rules={})
    rules: dict[tuple[FollowId, SignalId, Symbol], CopyRule] = {}
    changed: dict[FollowId, list[SignalId]] = {}
    known: dict[CopyRule, CopyRule] = {rule: rule for rule in _PLAIN.values()}
    for values in _OF_FOLLOWS.run(session, follows=follow_ids):
        row = _RULES.read(values)
        rule = _rule(row)
        rules[row.follow_id, row.after_signal_id, row.symbol] = known.setdefault(rule, rule)
        if row.after_signal_id and row.symbol == EVERY_INSTRUMENT:
            changed.setdefault(row.follow_id, []).append(row.after_signal_id)
    for sets in changed.values():
        sets.sort(reverse=True)
    ruled = frozenset(follow_id for follow_id, _, _ in rules)
    return RuleBook(rules=rules, changed_after=changed, ruled=ruled)


def change_rules(
    session: Session, follow: FollowRow, rules: Mapping[Symbol, CopyRule], *, after: SignalId
) -> None:
    """Let these rules count for leader orders numbered above `after`; that of all among them.

    The orders until then keep the rules they were decided by, however much they still grow.
    """
    assert EVERY_INSTRUMENT in rules, "a set of rules has one for all instruments"
    first = (follow.id, EVERY_INSTRUMENT, FROM_THE_START)
    if after and session.get(FollowRuleRow, first) is None:
        # It was plain, which is read off its mode: that is about to be another.
        add_rule(session, follow.id, EVERY_INSTRUMENT, _PLAIN[follow.mode])
    session.execute(  # changed again before the leader did anything
        delete(FollowRuleRow).where(
            FollowRuleRow.follow_id == follow.id, FollowRuleRow.after_signal_id == after
        )
    )
    for symbol, rule in rules.items():
        add_rule(session, follow.id, symbol, rule, after=after)
    follow.mode = rules[EVERY_INSTRUMENT].mode


def rests_on_leader_equity(session: Session, leader_id: LeaderId) -> bool:
    """Return whether somebody copies the leader in the ratio of their equities."""
    ruled = exists().where(
        FollowRuleRow.follow_id == FollowRow.id, FollowRuleRow.mode == CopyMode.EQUITY_RATIO
    )
    query = exists().where(
        FollowRow.leader_id == leader_id,
        FollowRow.state.in_(COPIES_OPENS),
        or_(FollowRow.mode == CopyMode.EQUITY_RATIO, ruled),
    )
    return bool(session.scalar(select(query)))


def add_rule(
    session: Session,
    follow_id: FollowId,
    symbol: Symbol,
    rule: CopyRule,
    *,
    after: SignalId = FROM_THE_START,
) -> None:
    """Store a rule that counts for leader orders numbered above `after`."""
    caps = rule.caps
    session.add(
        FollowRuleRow(
            follow_id=follow_id,
            symbol=symbol,
            after_signal_id=after,
            mode=rule.mode,
            factor=rule.factor,
            order_margin=rule.order_margin,
            below_minimum=rule.below_minimum,
            leverage=rule.leverage,
            margin_mode=rule.margin_mode,
            order_margin_max=caps.order_margin_max,
            instrument_value_max=caps.instrument_value_max,
            total_value_max=caps.total_value_max,
            leverage_max=caps.leverage_max,
            open_positions_max=caps.open_positions_max,
            orders_per_day_max=caps.orders_per_day_max,
        )
    )


def holdings_before(
    session: Session,
    lane: LaneRow,
    signal: SignalRow,
    own: Contracts,
    instruments: Mapping[Symbol, Instrument],
    zone: tzinfo,
) -> Holdings:
    """Return what the follow held when the signal came, `own` of this lane being the signal's.

    Lanes whose later closes were applied already count with what they held before them, so that an
    order which had to wait is sized as it would have been at once.
    """
    earlier = _targets_before_later(session, lane.follow_id, signal)
    query = (
        select(LaneRow.id, LaneRow.symbol, LaneRow.target, SignalRow.price_sum, SignalRow.contracts)
        .outerjoin(SignalRow, SignalRow.id == LaneRow.opening_signal_id)
        .where(LaneRow.follow_id == lane.follow_id)
    )
    instrument_value = total_value = Fraction(0)
    others, is_open = 0, False
    for lane_id, symbol, now, price_sum, contracts in session.execute(query):
        target = earlier.get(lane_id, now)
        if lane_id == lane.id:
            target = max(0, now - own)
            is_open = target > 0
        if target == 0:
            continue
        others += lane_id != lane.id
        instrument = instruments.get(symbol)
        assert price_sum is not None, "what is held was opened by a signal"
        if instrument is None:  # the venue has forgotten it, and with it its contract size
            continue
        value = target * Fraction(price_sum) / contracts * Fraction(instrument.contract_size)
        total_value += value
        instrument_value += value if symbol == lane.symbol else 0
    return Holdings(
        instrument_value=instrument_value,
        total_value=total_value,
        other_positions=others,
        is_open=is_open,
        opened_today=_opened_that_day(session, lane.follow_id, signal, zone),
    )


def _targets_before_later(
    session: Session, follow_id: FollowId, signal: SignalRow
) -> dict[LaneId, Contracts]:
    query = (
        select(CopyDecisionRow.lane_id, CopyDecisionRow.target_before)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .where(
            LaneRow.follow_id == follow_id,
            CopyDecisionRow.signal_id > signal.id,
            CopyDecisionRow.revision > 0,
        )
        .order_by(CopyDecisionRow.signal_id.desc())
    )
    return dict(iter(session.execute(query)))  # of each lane the first one stays


def _opened_that_day(session: Session, follow_id: FollowId, signal: SignalRow, zone: tzinfo) -> int:
    """Return how many other leader orders the follow opened on the day of this one."""
    day = span_of_day(day_of(signal.first_fill_at, zone), zone)
    query = (
        select(func.count())
        .select_from(CopyDecisionRow)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(
            LaneRow.follow_id == follow_id,
            CopyDecisionRow.signal_id != signal.id,
            CopyDecisionRow.wanted > 0,
            SignalRow.increases == true(),
            SignalRow.first_fill_at >= day.begins,
            SignalRow.first_fill_at < day.ends,
        )
    )
    return session.scalar(query) or 0


def _rule(row: FollowRuleRow) -> CopyRule:
    return CopyRule(
        mode=row.mode,
        factor=row.factor,
        order_margin=row.order_margin,
        below_minimum=row.below_minimum,
        leverage=row.leverage,
        margin_mode=row.margin_mode,
        caps=Caps(
            order_margin_max=row.order_margin_max,
            instrument_value_max=row.instrument_value_max,
            total_value_max=row.total_value_max,
            leverage_max=row.leverage_max,
            open_positions_max=row.open_positions_max,
            orders_per_day_max=row.orders_per_day_max,
        ),
    )
