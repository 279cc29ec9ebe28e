"""Whether lanes are planned one by one or after an example, the same is written down."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from copyplugin.domain.copy_rule import BelowMinimum, Caps, CopyMode, CopyRule
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.transition import Effect
from copyplugin.engine import planning
from copyplugin.engine.held_positions import HELD
from copyplugin.engine.planning import Planner
from copyplugin.settings import Settings
from copyplugin.store import halts
from copyplugin.store.database import open_database
from copyplugin.store.follow_rules import add_rule
from copyplugin.store.lane_book import DECISIONS, LANES, ORDERS, LaneBook
from copyplugin.store.marking import announce_signal
from copyplugin.store.rows import FollowRow, SignalRow
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT
from copyplugin.store.statement import driver_connection
from tests.integration.store.store_builders import (
    BTC,
    ETH,
    NOW,
    make_follow,
    make_instrument,
    make_lane,
    make_leader,
    money,
)

HALF, TWICE = Decimal("0.5"), Decimal(2)
RULES = [
    None,
    CopyRule(mode=CopyMode.MULTIPLE, factor=HALF),
    CopyRule(mode=CopyMode.MULTIPLE, factor=HALF, below_minimum=BelowMinimum.CARRY),
    CopyRule(mode=CopyMode.MULTIPLE, factor=TWICE, leverage=Decimal(3)),
    CopyRule(mode=CopyMode.FIXED, caps=Caps(open_positions_max=1)),
    CopyRule(mode=CopyMode.EQUITY_RATIO),
]
CARRIES = RULES[2]
LANE = {"actual": 0, "gap": 0, "failures": 0, "residue": None}
PLAIN = {
    "rule": None,
    "state": FollowState.COPYING,
    "symbol": BTC,
    "price_protection": None,
    "open_held": None,
    "copy_amount": 100,
    "is_halted": False,
    "lanes": [LANE],
}
CHANGES = [
    *({"rule": rule} for rule in RULES),
    {"state": FollowState.PENDING},
    {"state": FollowState.HANDED_OVER},
    {"symbol": ETH},
    {"price_protection": Decimal("0.01")},
    {"open_held": Decimal("0.02")},
    {"copy_amount": 250},  # nothing rests on it
    {"is_halted": True},
    *({"lanes": [LANE | each]} for each in ({"actual": 1}, {"actual": 3}, {"failures": 1})),
    {"lanes": [LANE | {"actual": 2, "gap": 1}]},
    {"lanes": [LANE | {"residue": HALF}]},
    {"lanes": [LANE, LANE | {"actual": 3}]},
]
UNRULED = [change for change in CHANGES if "rule" not in change]
moves = st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), min_size=1, max_size=2)


class Undone(Exception):
    """Takes a transaction back."""


@pytest.fixture
def shared(migrated_url):
    database = open_database(migrated_url)
    database.write_and_wait(lambda session: make_leader(session, symbols=frozenset({BTC, ETH})))
    yield database
    database.close()


@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],  # all differences are in every example
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    base=st.sampled_from(CHANGES),
    order=st.permutations(CHANGES),
    moved=moves,
    held=st.integers(1, 2),
)
@example(base={}, order=CHANGES, moved=[(3, True, False)], held=1)
@example(base={"rule": CARRIES}, order=UNRULED, moved=[(3, True, False)], held=2)
def test_a_plan_after_an_example_is_the_plan_itself(shared, monkeypatch, base, order, moved, held):
    """Follows stand there that differ in one thing each, and every one of them twice."""
    crowd = [PLAIN | base | change for change in order] * 2

    def plans(session):
        opened = _signal("9", 3, increases=True, is_short=False)
        session.add(opened)
        session.flush()
        lane_ids = [
            lane_id
            for place, each in enumerate(crowd)
            for lane_id in _follow(session, place, each, opened.id)
        ]
        for number, (contracts, increases, is_short) in enumerate(moved, start=1):
            name = f"{HELD}{number}" if number == held else str(number)
            signal = _signal(name, contracts, increases=increases, is_short=is_short)
            session.add(signal)
            session.flush()
            announce_signal(session, signal)
        rows = session.scalars(select(FollowRow).order_by(FollowRow.id))
        for follow, each in zip(rows, crowd, strict=True):  # some moved on since they were told
            follow.state = each["state"]
        found = []
        for is_remembered in (True, False):
            if not is_remembered:
                monkeypatch.setattr(planning, "likeness", lambda *_, **__: None)
            undone = session.begin_nested()
            found.append(_planned(session, lane_ids))
            undone.rollback()
            monkeypatch.undo()
        assert found[0] == found[1]
        raise Undone

    with pytest.raises(Undone):
        shared.write_and_wait(plans)


@pytest.mark.parametrize(("differing", "planned"), [(0, 1), (1, 2), (20, 2)])
def test_a_crowd_that_does_the_same_is_planned_once(shared, monkeypatch, differing, planned):
    """Else what a decision costs grows with the followers: each is worked out anew."""
    crowd = [PLAIN | {"copy_amount": 100 + number} for number in range(40)]
    for each in crowd[:differing]:
        each["price_protection"] = Decimal("0.01")
    plan, plans = Planner._plan, []

    def counted(planner, work):
        plans.append(work)
        plan(planner, work)

    def decide(session):
        lane_ids = [
            lane_id
            for place, each in enumerate(crowd)
            for lane_id in _follow(session, place, each, None)
        ]
        signal = _signal("1", 3, increases=True, is_short=False)
        session.add(signal)
        session.flush()
        announce_signal(session, signal)
        _, _, orders, *_ = _planned(session, lane_ids)
        assert len(orders) == len(crowd)
        raise Undone

    monkeypatch.setattr(Planner, "_plan", counted)
    with pytest.raises(Undone):
        shared.write_and_wait(decide)
    assert len(plans) == planned


def _planned(session, lane_ids):
    """Plan the lanes as the rows say now, without writing; return all that was made of them."""
    driver_connection(session)
    book = LaneBook(session, lane_ids)
    around = SimpleNamespace(
        settings_at=lambda *_: Settings(),
        instruments={each: make_instrument(each) for each in (BTC, ETH)},
        unlisted=frozenset(),
        settings=Settings(),
    )
    planner = Planner(book, around, NOW + timedelta(seconds=1))
    planner.look_at(list(book.works.values()))
    orders = [ORDERS.state(order)[1:] for order, _ in planner._unsent]
    plan = planner.finish()
    lanes = [LANES.state(work.lane) for work in book.works.values()]
    decisions = [DECISIONS.state(row) for work in book.works.values() for row, _ in work.undecided]
    sent = sorted(
        (each.lane_id, getattr(each, "request", None) and each.request.client_order_id)
        for each in plan.errands
    )
    return lanes, decisions, sorted(orders, key=str), sent, plan.later, plan.blocked


def _follow(session, place, chosen, opened):
    leader = SimpleNamespace(id=1)
    follow = make_follow(
        session, leader, str(20_000 + place), symbols=frozenset({chosen["symbol"]})
    )
    follow.state = FollowState.COPYING
    follow.price_protection = chosen["price_protection"]
    follow.open_held, follow.copy_amount = chosen["open_held"], money(chosen["copy_amount"])
    if chosen["rule"] is not None:
        add_rule(session, follow.id, EVERY_INSTRUMENT, chosen["rule"])
    if chosen["is_halted"]:
        halts.halt(
            session, HaltScope.FOLLOW, follow.id, actor="ada", reason="-", until=None, at=NOW
        )
    sides = (PositionSide.LONG, PositionSide.SHORT)
    for side, lane in zip(sides, chosen["lanes"], strict=False):
        yield make_lane(
            session,
            follow,
            position_side=side,
            actual=lane["actual"],
            target=max(0, lane["actual"] - lane["gap"]),
            opening_signal_id=opened if lane["actual"] else None,
            failures=lane["failures"],
            residue=None if lane["residue"] is None else Fraction(lane["residue"]),
        ).id


def _signal(name, contracts, *, increases, is_short):
    return SignalRow(
        leader_id=1,
        order_id=name,
        symbol=BTC,
        position_side=PositionSide.SHORT if is_short else PositionSide.LONG,
        effect=Effect.OPEN if increases else Effect.REDUCE,
        increases=increases,
        contracts_before=0 if increases else contracts + 2,
        contracts_after=contracts if increases else 2,
        contracts=contracts,
        price_sum=Decimal(20_000) * contracts,
        leverage=Decimal(10),
        margin_mode=MarginMode.ISOLATED,
        initial_margin=money(2),
        final=True,
        first_fill_at=NOW,
        last_fill_at=NOW,
        received_at=NOW,
    )
