"""Shares that no venue moves, on the pages of both and at the command line (V6)."""

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.store.rows import TransferRow
from tests.web.builders import NOW, money


@pytest.fixture
def owing(world, small):
    world.add(
        TransferRow(
            id="cp-share-1",
            follow_id=small.follow,
            kind=TransferKind.SHARE,
            from_account="s1",
            from_wallet=Wallet.CONTRACT,
            to_account="20001",
            to_wallet=Wallet.SPOT,
            money=money("4.8375"),
            state=TransferState.OWED,
            created_at=NOW,
        )
    )
    return small


def test_a_follower_reads_what_he_owes_and_what_to_do(ben, owing):
    page = ben.get("/my/copies/follows").text

    assert "You owe a leader share" in page
    assert "4.8375 USDT to account 20001" in page
    assert "moves money between your own accounts only" in page
    assert "You owe" not in ben.get("/my/copies/follows?money=play").text


def test_a_leader_reads_what_he_was_not_paid_yet(client, owing, queries):
    client.post("/whoami/leader", data={"leader_id": owing.ada})

    assert "4.8375 USDT are owed to you and not paid yet" in client.get("/leader-centre").text
    assert queries.owed_to_leader(owing.ada) == money("4.8375")
    assert queries.owed_to_leader(owing.bob) == 0


def test_the_command_line_lists_and_marks_it(owing, database, database_url):
    def run(*arguments):
        return CliRunner().invoke(main, ["payables", *arguments, "--database", database_url])

    listed = run("list").output
    assert "cp-share-1" in listed
    assert "Owed in all: 4.8375 USDT." in listed
    told = run("paid", "cp-share-1", "--reference", "slip", "--by", "ann")
    assert "Written down as command" in told.output
    unknown = run("paid", "cp-share-9", "--reference", "slip")
    assert unknown.exit_code == 2
    assert "Nothing is owed under the name cp-share-9" in unknown.output

    def pay(session):
        row = session.get(TransferRow, "cp-share-1")
        row.state, row.done_at = TransferState.PAID, NOW
        row.paid_by, row.paid_reference = "operator:ann", "slip"

    database.write_and_wait(pay)
    assert run("list").output == "Nothing is owed.\n"
    assert "by operator:ann (slip)" in run("list", "--all").output
    again = run("paid", "cp-share-1", "--reference", "other")
    assert again.exit_code == 2
    assert "nothing was booked again" in again.output
