"""The journal's file: what survives, what is cut, and what is refused with its place."""

import os
import resource
from decimal import Decimal
from itertools import pairwise

import pytest

from simexchange.core.commands import AdvanceTime, Deposit, ListInstrument, OpenAccount
from simexchange.core.config import ExchangeConfig
from simexchange.core.instrument import Instrument
from simexchange.core.types import PositionMode, Wallet
from simexchange.journal.records import JournalError, read, scan
from simexchange.journal.writer import Durability, JournalWriter

CONFIG = ExchangeConfig()
COMMANDS = (
    ListInstrument(
        Instrument(symbol="X", base="X", tick_size=Decimal("0.1"), contract_size=Decimal("0.001"))
    ),
    OpenAccount(label="später ✓"),
    Deposit(1, Wallet.SPOT, 2**70),  # beyond what MessagePack holds
    AdvanceTime(),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exchange.journal"


@pytest.fixture
def written(path):
    """A journal of four commands, and where each record ends."""
    with JournalWriter(path, CONFIG) as journal:
        ends = [journal.bytes_written]
        for at, command in enumerate(COMMANDS):
            journal.append(at, command)
            ends.append(journal.bytes_written)
    return ends


def commands_in(path):
    return tuple(entry.command for _, entry in read(path))


@pytest.mark.parametrize("durability", Durability)
def test_commands_come_back_as_they_were_written(path, durability):
    with JournalWriter(path, CONFIG, durability=durability, interval_ms=0) as journal:
        for at, command in enumerate(COMMANDS):
            assert journal.append(at, command) == at + 1

    assert commands_in(path) == COMMANDS
    assert [entry.at for _, entry in read(path)] == [0, 1, 2, 3]
    assert scan(path).torn_bytes == 0


def test_an_appended_command_is_in_the_file_before_the_writer_closes(path):
    with JournalWriter(path, CONFIG, durability=Durability.SYSTEM) as journal:
        journal.append(0, AdvanceTime())

        assert commands_in(path) == (AdvanceTime(),)


def test_a_tail_torn_at_any_byte_is_cut_and_written_over(path, written):
    content = path.read_bytes()
    for size in range(written[0], len(content)):
        path.write_bytes(content[:size])
        whole = sum(end <= size for end in written[1:])

        assert scan(path).records == whole
        assert scan(path).torn_bytes == size - written[whole]
        with JournalWriter(path, CONFIG) as journal:
            assert journal.append(9, COMMANDS[whole]) == whole + 1
        assert commands_in(path) == COMMANDS[: whole + 1]


def test_a_journal_killed_at_its_birth_begins_anew(path, written):
    header = path.read_bytes()[: written[0]]
    for size in range(len(header)):
        path.write_bytes(header[:size])

        with JournalWriter(path, CONFIG) as journal:
            journal.append(0, AdvanceTime())
        assert commands_in(path) == (AdvanceTime(),)


def test_any_flipped_bit_before_the_last_record_is_refused_with_its_place(path, written):
    content = path.read_bytes()
    for place, (start, end) in enumerate(pairwise(written[:4]), start=1):
        for position in range(start, end):
            damaged = bytearray(content)
            damaged[position] ^= 0x10
            path.write_bytes(damaged)

            with pytest.raises(JournalError, match=f"record {place} at byte {start} does not read"):
                JournalWriter(path, CONFIG)
            assert path.read_bytes() == damaged  # nothing was changed


def test_a_flipped_bit_in_the_last_record_makes_it_a_torn_tail(path, written):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert scan(path).records == len(COMMANDS) - 1


@pytest.mark.parametrize("change", ["taken out", "doubled", "swapped"])
def test_a_record_taken_out_doubled_or_swapped_is_refused(path, written, change):
    content = path.read_bytes()
    head, *records = [content[: written[0]]] + [
        content[start:end] for start, end in pairwise(written)
    ]
    records = {
        "taken out": [records[0], *records[2:]],
        "doubled": [records[0], records[0], *records[1:]],
        "swapped": [records[1], records[0], *records[2:]],
    }[change]
    path.write_bytes(head + b"".join(records))

    with pytest.raises(JournalError, match=r"record \d at byte \d+ does not read"):
        scan(path)


def test_a_long_tail_of_zeros_is_cut(path, written):
    path.write_bytes(path.read_bytes() + bytes(10_000))

    assert (scan(path).records, scan(path).torn_bytes) == (4, 10_000)


def test_a_second_writer_is_kept_out(path):
    with JournalWriter(path, CONFIG), pytest.raises(JournalError, match="in use by another"):
        JournalWriter(path, CONFIG)
    JournalWriter(path, CONFIG).close()


def test_another_config_than_the_one_it_was_begun_with_is_refused(path, written):
    with pytest.raises(JournalError, match=r"was begun with .*use the same settings"):
        JournalWriter(path, ExchangeConfig(position_mode=PositionMode.HEDGE))


@pytest.mark.parametrize(
    "content", [b"Port_ID,list_index\n", b"\0" * 100, b"SIMEXCHANGE JOURNAL 9\n"]
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(path, content):
    path.write_bytes(content)

    with pytest.raises(JournalError, match="is not a journal"):
        JournalWriter(path, CONFIG)
    assert path.read_bytes() == content


def test_a_damaged_header_is_refused(path, written):
    content = bytearray(path.read_bytes())
    content[written[0] - 1] ^= 1
    path.write_bytes(content)

    with pytest.raises(JournalError, match="its header does not read"):
        scan(path)


def test_a_missing_journal_and_a_directory_are_refused(tmp_path):
    with pytest.raises(JournalError, match="cannot read"):
        scan(tmp_path / "none")
    with pytest.raises(JournalError, match="cannot open"):
        JournalWriter(tmp_path, CONFIG)


def test_a_retracted_command_is_gone(path, written):
    with JournalWriter(path, CONFIG) as journal:
        journal.append(9, AdvanceTime())
        journal.retract()

        assert journal.sequence == 4
    assert commands_in(path) == COMMANDS


def test_a_full_disk_is_an_error_and_leaves_no_half_record(path, written):
    with JournalWriter(path, CONFIG) as journal:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (written[-1] + 7, most))  # half a head fits
        try:
            with pytest.raises(JournalError, match="File too large"):
                journal.append(9, AdvanceTime())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert path.stat().st_size == written[-1]
        journal.append(9, AdvanceTime())

    assert commands_in(path) == (*COMMANDS, AdvanceTime())


def test_a_system_that_takes_a_few_bytes_at_a_time_gets_them_all(path, monkeypatch):
    take = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: take(descriptor, content[:7]))

    with JournalWriter(path, ExchangeConfig()) as journal:
        journal.append(1, OpenAccount())
        journal.append(2, Deposit(1, Wallet.SPOT, 5))

    assert [entry.at for _, entry in read(path)] == [1, 2]
    assert scan(path).torn_bytes == 0
