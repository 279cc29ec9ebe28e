"""Laws of recovery: what comes back is the run that was there, to the last event."""

import shutil
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.core.commands import AdvanceTime, PlaceOrder
from simexchange.core.exchange import Exchange
from simexchange.core.types import OrderKind, Side
from simexchange.journal import snapshots
from simexchange.journal.crash_stream import crash_command
from simexchange.journal.graph import GraphError, read_graph, write_graph
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.records import JournalError
from simexchange.journal.replay import replay_journal
from simexchange.journal.writer import Durability

COMMANDS = 600


def run(exchange, seed, first, last):
    """Apply commands `first` to `last` of the stream and return their events."""
    events = []
    for number in range(first, last + 1):
        at, command = crash_command(seed, number)
        events.append(exchange.apply(command, at))
    return events


@pytest.fixture(scope="module")
def straight():
    """The event hash after each command of an undisturbed run."""
    exchange = Exchange()
    hashes = [exchange.event_hash]
    for number in range(1, COMMANDS + 1):
        run(exchange, 1, number, number)
        hashes.append(exchange.event_hash)
    return hashes, exchange.state_hash()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A journal of the whole run with two snapshots beside it."""
    directory = tmp_path_factory.mktemp("kept")
    with JournaledExchange(
        directory / "j", durability=Durability.SYSTEM, snapshot_every=250
    ) as exchange:
        run(exchange, 1, 1, COMMANDS)
    return directory


@pytest.fixture
def journal(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "copy")
    return tmp_path / "copy" / "j"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(0, 400), st.integers(1, 150))
def test_a_state_that_was_written_and_read_goes_on_as_if_nothing_had_been(seed, before, after):
    first = Exchange()
    run(first, seed, 1, before)
    second = Exchange.__new__(Exchange)
    read_graph(write_graph(first), second)

    assert second.state_hash() == first.state_hash()
    assert run(second, seed, before + 1, before + after) == run(
        first, seed, before + 1, before + after
    )
    assert second.event_hash == first.event_hash
    assert second.state_hash() == first.state_hash()
    second.check()


def test_writing_a_state_twice_gives_the_same_bytes_and_changes_nothing():
    exchange = Exchange()
    run(exchange, 1, 1, 300)
    before = exchange.state_hash()

    assert write_graph(exchange) == write_graph(exchange)
    assert exchange.state_hash() == before


def test_a_deep_queue_is_written_without_recursion():
    exchange = Exchange()
    run(exchange, 1, 1, 40)
    for _ in range(5_000):  # one queue, far longer than Python's stack is deep
        exchange.apply(PlaceOrder(5, "AUSDT", Side.BUY, 1, OrderKind.LIMIT, 1), exchange.now)
    assert len(exchange.open_orders(5)) >= 5_000
    other = Exchange.__new__(Exchange)
    read_graph(write_graph(exchange), other)

    assert other.state_hash() == exchange.state_hash()


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_journal_cut_anywhere_comes_back_as_the_run_was_at_its_last_whole_command(
    data, kept, straight, tmp_path_factory
):
    hashes, state_hash = straight
    path = tmp_path_factory.mktemp("cut") / "j"
    shutil.copytree(kept, path.parent, dirs_exist_ok=True)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    with JournaledExchange(path) as exchange:
        assert exchange.event_hash == hashes[exchange.sequence]
        run(exchange, 1, exchange.sequence + 1, COMMANDS)
        exchange.check()

        assert exchange.event_hash == hashes[COMMANDS]
        assert exchange.state_hash() == state_hash


def test_recovery_starts_from_the_newest_snapshot(journal, straight):
    with JournaledExchange(journal) as exchange:
        recovery = exchange.recovery

        assert (recovery.records, recovery.snapshot_sequence, recovery.replayed) == (600, 500, 100)
        assert recovery.passed_over == ()
        assert exchange.event_hash == straight[0][COMMANDS]


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "another class", "another state"])
def test_a_snapshot_that_cannot_be_used_is_passed_over_and_named(journal, straight, damage):
    newest, older = snapshots.paths_of(journal)
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[-10:]
    elif damage == "emptied":
        content.clear()
    newest.write_bytes(content)
    if damage.startswith("another"):
        snapshot = snapshots.load(newest)
        rewrite(newest, snapshot, damage)

    with JournaledExchange(journal) as exchange:
        assert exchange.recovery.snapshot_sequence == 250
        assert len(exchange.recovery.passed_over) == 1
        assert exchange.event_hash == straight[0][COMMANDS]
        assert exchange.state_hash() == straight[1]
    assert older.exists()


def rewrite(path, snapshot, damage):
    """Write a snapshot that is whole as a file but not what the exchange of today would read."""
    graph = snapshots.zlib.decompress(snapshot.graph)
    event_hash = snapshot.event_hash
    if damage == "another class":
        graph = graph.replace(b"simexchange.core.orders.Order", b"simexchange.core.orders.Odder")
    else:
        event_hash = "0" * 64
    body = snapshots.msgspec.msgpack.encode(
        snapshots.Snapshot(
            snapshot.sequence,
            snapshot.offset,
            event_hash,
            snapshot.state_hash,
            snapshots.zlib.compress(graph),
        )
    )
    checksum = snapshots.zlib.crc32(body).to_bytes(4, "little")
    path.write_bytes(snapshots.MAGIC + checksum + body)


def test_only_the_latest_two_snapshots_are_kept(tmp_path):
    with JournaledExchange(
        tmp_path / "j", durability=Durability.SYSTEM, snapshot_every=50
    ) as exchange:
        run(exchange, 1, 1, 240)

    assert [path.name for path in snapshots.paths_of(tmp_path / "j")] == [
        "j.snapshot-000000000200",
        "j.snapshot-000000000150",
    ]


def test_a_command_that_fails_half_way_is_forgotten_and_the_exchange_says_so(tmp_path):
    path = tmp_path / "j"
    with JournaledExchange(path) as exchange:
        run(exchange, 1, 1, 50)
        before = exchange.event_hash
        exchange._handlers[AdvanceTime] = lambda _: 1 // 0
        with pytest.raises(ZeroDivisionError):
            exchange.apply(AdvanceTime(), exchange.now)
        with pytest.raises(JournalError, match="failed half-way; open the journal again"):
            exchange.apply(AdvanceTime(), exchange.now)

    with JournaledExchange(path) as again:
        assert again.sequence == 50
        assert again.event_hash == before


def test_a_replay_repeats_the_run_and_confirms_its_snapshots(journal, straight):
    report = replay_journal(journal)

    assert report.is_sound
    assert report.event_hash == straight[0][COMMANDS]
    assert report.state_hash == straight[1]
    assert [(check.sequence, check.agrees) for check in report.snapshots] == [
        (250, True),
        (500, True),
    ]
    partial = replay_journal(journal, until=300)
    assert partial.event_hash == straight[0][300]
    assert [check.agrees for check in partial.snapshots] == [True, None]


def test_every_prefix_of_a_run_has_its_own_hash(straight):
    hashes, _ = straight

    assert all(before != after for before, after in pairwise(hashes))


def test_a_state_with_something_foreign_in_it_is_refused():
    class Foreign:
        pass

    exchange = Exchange()
    exchange.foreign = Foreign()

    with pytest.raises(GraphError, match="is no part of an exchange's state"):
        write_graph(exchange)


def test_a_snapshot_that_cannot_be_written_costs_no_command(tmp_path, straight):
    path = tmp_path / "j"
    with JournaledExchange(path, durability=Durability.SYSTEM, snapshot_every=50) as exchange:
        run(exchange, 1, 1, 60)
        assert exchange.snapshot_problem is None
        exchange.foreign = object()
        run(exchange, 1, 61, 120)
        assert "no snapshot after command 100: builtins.object" in exchange.snapshot_problem

    with JournaledExchange(path) as again:
        assert (again.recovery.snapshot_sequence, again.recovery.replayed) == (50, 70)
        assert again.event_hash == straight[0][120]
