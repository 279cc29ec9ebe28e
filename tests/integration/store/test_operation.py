"""Commands, jobs, settings, market and statistics."""

from datetime import timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.leader import LeaderStatus
from copyplugin.errors import Refused, UnknownLeader
from copyplugin.store.commands import finish_command, pending_commands, submit_command
from copyplugin.store.followers import find_follower, register_follower
from copyplugin.store.job_runs import job_finished, job_runs, job_started
from copyplugin.store.leaders import (
    add_leader,
    blacklist_of,
    edit_leader,
    find_leader,
    get_leader,
    pin_leader,
    symbols_of,
)
from copyplugin.store.market import (
    instruments,
    marks,
    put_instruments,
    put_marks,
    put_wallets,
    tradable_symbols,
)
from copyplugin.store.rows import WalletSnapshotRow
from copyplugin.store.settings import (
    IS_OPEN_SCALE,
    get_setting,
    is_proportional_allowed,
    put_setting,
    settings_set,
)
from tests.integration.store.store_builders import (
    BTC,
    ETH,
    NOW,
    make_balance,
    make_follower,
    make_instrument,
    make_leader,
    make_terms,
    money,
)


def submit(session, key="k1", **arguments):
    return submit_command(
        session, CommandKind.PIN_LEADER, arguments, actor="op", idempotency_key=key, at=NOW
    )


def test_a_command_sent_twice_is_one_command(database):
    def work(session):
        first, again = submit(session, leader_id=1), submit(session, leader_id=1)
        other = submit(session, "k2", leader_id=1)
        return first.id, again.id, [row.id for row in pending_commands(session, limit=9)], other.id

    first, again, pending, other = database.write_and_wait(work)

    assert first == again
    assert pending == [first, other]


def test_a_key_that_was_used_for_something_else_is_refused(database):
    database.write_and_wait(lambda s: submit(s, leader_id=1))

    with pytest.raises(Refused, match="send a new key"):
        database.write_and_wait(lambda s: submit(s, leader_id=2))


def test_an_answered_command_waits_no_more_and_is_answered_once(database):
    command_id = database.write_and_wait(lambda s: submit(s).id)

    def answer(session):
        finish_command(
            session, command_id, CommandState.DONE, message="Pinned.", result={"id": 1}, at=NOW
        )
        session.flush()
        return pending_commands(session, limit=9)

    assert database.write_and_wait(answer) == []
    with pytest.raises(AssertionError):
        database.write_and_wait(answer)


def test_a_job_remembers_its_latest_run_and_counts_all(database):
    def work(session):
        job_started(session, "settle", at=NOW)
        job_finished(session, "settle", backlog=3, error="venue is silent", at=NOW)
        job_started(session, "settle", at=NOW)
        job_finished(
            session, "settle", backlog=0, error=None, at=NOW + timedelta(milliseconds=1500)
        )
        session.flush()
        return job_runs(session)

    (row,) = database.write_and_wait(work)

    assert (row.runs, row.failures, row.backlog, row.duration_ms) == (2, 1, 0, 1500)
    assert row.last_error == "venue is silent"
    assert row.failing_since is None


def test_a_setting_says_who_changed_it_and_proportional_copying_is_off_until_it_is_one(database):
    def work(session):
        states = [is_proportional_allowed(session)]
        for value in ("1", "0"):
            put_setting(session, IS_OPEN_SCALE, value, changed_by=f"op{value}", at=NOW)
            session.flush()
            states.append(is_proportional_allowed(session))
        return states, settings_set(session), get_setting(session, "unknown")

    states, rows, unknown = database.write_and_wait(work)

    assert states == [False, True, False]
    assert rows[IS_OPEN_SCALE].changed_by == "op0"
    assert unknown is None


def test_an_instrument_that_is_listed_no_more_stays_and_is_not_tradable(database):
    btc, eth = make_instrument(BTC), make_instrument(ETH)
    finer = make_instrument(BTC, tick_size=Decimal("0.01"))

    def work(session):
        put_instruments(session, [btc, eth], at=NOW)
        put_instruments(session, [finer], at=NOW)
        return instruments(session), tradable_symbols(session)

    known, tradable = database.write_and_wait(work)

    assert known == {BTC: finer, ETH: eth}
    assert tradable == {BTC}


def test_marks_and_wallets_are_replaced_by_what_was_seen_last(database):
    def work(session):
        put_marks(session, {BTC: money("20000.5"), ETH: money(1)}, at=NOW)
        put_marks(session, {BTC: money("20001.5")}, at=NOW)
        put_marks(session, {}, at=NOW)
        put_wallets(session, {AccountId("s1"): make_balance(5)}, at=NOW)
        put_wallets(session, {AccountId("s1"): make_balance(7)}, at=NOW)
        return marks(session), session.get(WalletSnapshotRow, "s1").contract_available

    assert database.write_and_wait(work) == (
        {BTC: Decimal("20001.5"), ETH: Decimal(1)},
        money(7),
    )


def test_a_leader_is_added_once_and_edited_as_a_whole(database):
    def work(session):
        leader = make_leader(session, blacklist=frozenset({AccountId("5"), AccountId("6")}))
        with pytest.raises(Refused, match="is a leader already"):
            add_leader(session, leader.account, make_terms(), at=NOW)
        edit_leader(
            session,
            leader.id,
            make_terms(
                nickname="Eve", symbols=frozenset({ETH}), blacklist=frozenset({AccountId("6")})
            ),
        )
        pin_leader(session, leader.id, pinned_at=NOW)
        return leader, symbols_of(session, leader.id), blacklist_of(session, leader.id)

    leader, symbols, blacklist = database.write_and_wait(work)

    assert (leader.nickname, leader.status, leader.pinned_at) == ("Eve", LeaderStatus.ACTIVE, NOW)
    assert (symbols, blacklist) == ({ETH}, {"6"})
    with database.read() as session:
        assert find_leader(session, AccountId("10001")).id == leader.id
        with pytest.raises(UnknownLeader, match="number 9"):
            get_leader(session, 9)


def test_an_instrument_that_is_listed_no_more_may_stay_with_the_leader_who_has_it(database):
    def work(session):
        leader = make_leader(session, symbols=frozenset({BTC, ETH}))
        put_instruments(session, [make_instrument(BTC)], at=NOW)
        edit_leader(session, leader.id, make_terms(symbols=frozenset({BTC, ETH})))
        with pytest.raises(Refused, match="does not trade ETHUSDT"):
            add_leader(session, AccountId("2"), make_terms(symbols=frozenset({ETH})), at=NOW)
        return symbols_of(session, leader.id)

    assert database.write_and_wait(work) == {BTC, ETH}


def test_a_follower_is_registered_once_and_needs_an_account(database):
    def work(session):
        first = make_follower(session)
        assert register_follower(session, first.account, name="other", at=NOW) is first
        with pytest.raises(Refused, match="is missing"):
            register_follower(session, AccountId(" "), name="nobody", at=NOW)
        return find_follower(session, first.account).name

    assert database.write_and_wait(work) == "user 20001"


def test_a_job_fails_from_its_first_failure_until_a_run_goes_well(database):
    def runs(error, seconds):
        def work(session):
            at = NOW + timedelta(seconds=seconds)
            job_started(session, "settle", at=at)
            job_finished(session, "settle", backlog=None, error=error, at=at)
            session.flush()
            return [row.failing_since for row in job_runs(session)]

        return database.write_and_wait(work)

    assert runs("silent", 0) == [NOW]
    assert runs("silent", 5) == [NOW]
    assert runs(None, 10) == [None]
    assert runs("silent", 15) == [NOW + timedelta(seconds=15)]
