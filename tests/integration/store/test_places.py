from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from copyplugin.domain.copy_rule import Caps, CopyMode, CopyRule
from copyplugin.domain.follow import HOLDS_A_PLACE, FollowState
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import Refused, UnknownFollower, UnknownLeader
from copyplugin.store.database import open_database
from copyplugin.store.follows import void
from copyplugin.store.leaders import Change, edit_leader, prohibit_leader
from copyplugin.store.places import placed_amount, places_taken, reserve_follow
from copyplugin.store.rows import FollowHistoryRow, FollowInstrumentRow, FollowRow
from tests.integration.store.store_builders import (
    BTC,
    ETH,
    NOW,
    make_follow,
    make_follower,
    make_leader,
    make_terms,
    money,
    reserve,
    wish_of,
)

FIXED = CopyRule(mode=CopyMode.FIXED)
MULTIPLE = CopyRule(mode=CopyMode.MULTIPLE)
MARGIN = CopyRule(mode=CopyMode.FIXED_MARGIN)


def test_a_follow_holds_its_place_and_keeps_the_share_agreed_when_it_started(database):
    def work(session):
        leader = make_leader(session, sharer_ratio=money("0.2"))
        follow = reserve(session, leader, make_follower(session), sharer_account=AccountId("5"))
        agreed = follow.share_ratio
        edit_leader(session, leader.id, make_terms(share_ratio=money("0.5")))
        return follow, agreed

    follow, agreed = database.write_and_wait(work)

    with database.read() as session:
        stored = session.get(FollowRow, follow.id)
        assert stored.state is FollowState.STARTING
        assert stored.share_ratio == agreed == money("0.10")
        assert stored.sharer_ratio == money("0.2")
        assert session.scalars(select(FollowInstrumentRow.symbol)).all() == [BTC]
        assert session.scalars(select(FollowHistoryRow.to_state)).all() == [FollowState.STARTING]


@pytest.mark.parametrize(
    ("terms", "wish", "sentence"),
    [
        ({}, {"copy_amount": money("9.99")}, "between 10 and 1000 USDT"),
        ({}, {"copy_amount": money("1000.00000001")}, "between 10 and 1000 USDT"),
        ({}, {"copy_amount": money("10.000000001")}, "at most 8 decimals"),
        ({"total_copy_amount": money(500)}, {"copy_amount": money(501)}, "between 10 and 500"),
        ({}, {"symbols": frozenset({ETH})}, "is not followed in ETHUSDT"),
        ({}, {"symbols": frozenset()}, "at least one instrument"),
        ({"blacklist": frozenset({AccountId("20001")})}, {}, "does not accept you"),
        ({}, {"price_protection": money("0.031")}, "between 0.1 % and 3 %"),
        ({}, {"price_protection": money("0.0009")}, "between 0.1 % and 3 %"),
        ({}, {"rule": MULTIPLE}, "factor must be between 0.001 and 1000"),
        ({}, {"rule": replace(MULTIPLE, factor=money(1001))}, "factor must be between"),
        ({}, {"rule": replace(FIXED, factor=money(2))}, "belongs to the multiple mode"),
        ({}, {"rule": replace(FIXED, order_margin=money(2))}, "belongs to the fixed-margin mode"),
        ({}, {"rule": MARGIN}, "margin of an order must be more than 0"),
        ({}, {"rule": replace(MARGIN, order_margin=money(101))}, "not be more than the copy"),
        ({}, {"rule": replace(FIXED, leverage=money("1.5"))}, "whole number of at least 1"),
        ({}, {"rule": replace(FIXED, leverage=money(126))}, "BTCUSDT allows a leverage of at most"),
        ({}, {"rule": replace(FIXED, caps=Caps(leverage_max=money(0)))}, "greatest leverage"),
        ({}, {"rule": replace(FIXED, caps=Caps(order_margin_max=money(0)))}, "margin of an order"),
        ({}, {"rule": replace(FIXED, caps=Caps(total_value_max=money(-1)))}, "all positions"),
        ({}, {"rule": replace(FIXED, caps=Caps(open_positions_max=0))}, "at least 1"),
        ({}, {"rule": replace(FIXED, caps=Caps(orders_per_day_max=0))}, "at least 1"),
        ({}, {"instrument_rules": {ETH: FIXED}}, "set terms for ETHUSDT without choosing it"),
        ({}, {"instrument_rules": {BTC: MULTIPLE}}, "factor must be between"),
    ],
)
def test_what_the_terms_do_not_allow_is_refused_with_what_to_change(
    database, terms, wish, sentence
):
    def work(session):
        reserve(session, make_leader(session, **terms), make_follower(session), **wish)

    with pytest.raises(Refused, match=sentence):
        database.write_and_wait(work)

    with database.read() as session:
        assert session.scalars(select(FollowRow)).all() == []


def test_proportional_copying_is_refused_where_it_is_switched_off(database):
    def work(session):
        wish = wish_of(make_leader(session), make_follower(session), mode=CopyMode.PROPORTIONAL)
        reserve_follow(session, wish, proportional_allowed=False, at=NOW)

    with pytest.raises(Refused, match="choose the fixed mode"):
        database.write_and_wait(work)


def test_nobody_follows_himself_or_an_unknown_leader(database):
    def himself(session):
        reserve(session, make_leader(session, "1"), make_follower(session, "1"))

    def unknown_leader(session):
        wish = wish_of(make_leader(session), make_follower(session), leader_id=99)
        reserve_follow(session, wish, proportional_allowed=True, at=NOW)

    def unknown_follower(session):
        wish = wish_of(make_leader(session), make_follower(session), follower_id=99)
        reserve_follow(session, wish, proportional_allowed=True, at=NOW)

    with pytest.raises(Refused, match="yourself"):
        database.write_and_wait(himself)
    with pytest.raises(UnknownLeader):
        database.write_and_wait(unknown_leader)
    with pytest.raises(UnknownFollower):
        database.write_and_wait(unknown_follower)


def test_a_prohibited_leader_takes_no_follower(database):
    def work(session):
        leader = make_leader(session)
        prohibit_leader(session, leader.id, Change(actor="op", reason="rules", at=NOW))
        reserve(session, leader, make_follower(session))

    with pytest.raises(Refused, match="cannot be followed any more"):
        database.write_and_wait(work)


def test_the_same_leader_is_followed_once_at_a_time(database):
    leader = database.write_and_wait(make_leader)
    first = database.write_and_wait(lambda session: make_follow(session, leader))

    with pytest.raises(Refused, match="already"):
        database.write_and_wait(lambda s: reserve(s, leader, make_follower(s)))

    def end_and_start_again(session):
        follow = session.get(FollowRow, first.id)
        follow.state = FollowState.CLOSED
        session.flush()
        return make_follow(session, leader)

    assert database.write_and_wait(end_and_start_again).id != first.id


def test_a_voided_follow_gives_its_place_and_its_amount_back(database):
    def work(session):
        leader = make_leader(session, max_followers=1, total_copy_amount=money(100))
        follow = reserve(session, leader, make_follower(session, "1"))
        with pytest.raises(Refused, match="full"):
            reserve(session, leader, make_follower(session, "2"))
        void(session, follow, reason="the venue refused the transfer", at=NOW)
        assert reserve(session, leader, make_follower(session, "2")).id
        return leader

    leader = database.write_and_wait(work)

    with database.read() as session:
        assert places_taken(session, leader.id) == 1
        assert placed_amount(session, leader.id) == money(100)


@pytest.mark.slow
def test_of_a_thousand_who_press_copy_at_once_a_hundred_get_the_hundred_places(url, database):
    def prepare(session):
        leader = make_leader(session, max_followers=100, total_copy_amount=money(100_000))
        return leader, [make_follower(session, str(n)) for n in range(1, 1001)]

    leader, followers = database.write_and_wait(prepare)
    processes = [open_database(url) for _ in range(8)]

    def press(number):
        process = processes[number % len(processes)]
        try:
            process.write_and_wait(lambda s: reserve(s, leader, followers[number]))
        except Refused as refusal:
            return refusal.sentence
        return "accepted"

    with ThreadPoolExecutor(32) as crowd:
        answers = Counter(crowd.map(press, range(1000)))
    for process in processes:
        process.close()

    with database.read() as session:
        assert places_taken(session, leader.id) == 100
    assert answers["accepted"] == 100
    assert answers["Ada is full: try again when somebody has left."] == 900


def test_the_limits_hold_when_many_press_copy_at_once(database):
    def prepare(session):
        leader = make_leader(
            session, max_followers=7, total_copy_amount=money(450), max_copy_amount=money(90)
        )
        return leader, [make_follower(session, str(n)) for n in range(1, 41)]

    leader, followers = database.write_and_wait(prepare)

    def press(follower):
        try:
            database.write_and_wait(lambda s: reserve(s, leader, follower, copy_amount=money(90)))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(16) as crowd:
        accepted = sum(crowd.map(press, followers))

    with database.read() as session:
        assert accepted == places_taken(session, leader.id) == 5
        assert placed_amount(session, leader.id) == money(450)
        states = session.scalars(select(FollowRow.state)).all()
        assert set(states) <= HOLDS_A_PLACE
