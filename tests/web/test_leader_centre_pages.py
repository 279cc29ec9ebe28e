"""A leader's centre on pages (T2 to T5): figures, shares with what is in escrow, followers."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.store.rows import SettlementRow
from tests.web.builders import NOW, money, ratio

PAGES = ("/leader-centre", "/leader-centre/shares", "/leader-centre/followers")


@pytest.fixture
def ada(client, small):
    client.post("/whoami/leader", data={"leader_id": small.ada})
    return client


@pytest.fixture
def escrow(ada, world, small):
    """Hold one share of Ada's, of which a part went back to Ben already."""
    world.add(
        SettlementRow(
            copied_position_id=None,
            follow_id=small.follow,
            leader_id=small.ada,
            profit=money("70"),
            share_ratio=ratio("0.10"),
            share=money("5"),
            leader_part=money("4"),
            sharer_part=money("1"),
            held=money("5"),
            taken_back=money("2"),
            release_at=NOW + timedelta(days=3),
            at=NOW - timedelta(hours=1),
        )
    )
    return ada


def test_the_overview_shows_money_and_people_with_what_they_mean(ada):
    text = ada.get("/leader-centre").text

    assert "Ada: share 10.00% of the profit of each closed position" in text
    assert "Estimated income today" in text
    assert "0.90" in text  # a tenth of 9 closed today
    assert "each counted once" in text
    assert "Today is 2026-11-22" in text


def test_a_share_in_escrow_is_told_with_its_time_and_what_was_taken_back(escrow):
    text = escrow.get("/leader-centre/shares").text

    assert "In escrow" in text
    assert "Nov 25, 2026" in text
    assert "2.0000 USDT taken back" in text
    assert "the follow as a whole" in text
    assert "Settled" in text


def test_totals_say_what_of_them_is_in_escrow(escrow, queries, small):
    found = queries.share_list(small.ada, page=1, page_size=20)

    assert (found.total, found.held, found.taken_back) == (money("4.9"), money("4"), money("2"))


def test_the_file_has_every_share_in_full(escrow):
    lines = list(csv.DictReader(io.StringIO(escrow.get("/leader-centre/shares.csv").text)))

    assert [Decimal(line["leader_part_usdt"]) for line in lines] == [Decimal("0.9"), Decimal(4)]
    assert lines[1]["in_escrow_until"] == "2026-11-25T12:00:00+00:00"
    assert lines[0]["in_escrow_until"] == ""


def test_followers_are_listed_with_their_amounts(ada):
    text = ada.get("/leader-centre/followers").text

    assert "Ben" in text
    assert "100.00" in text
    assert "Estimated share" in text


def test_a_leader_whom_nobody_follows_sees_so(client, small):
    client.post("/whoami/leader", data={"leader_id": small.bob})

    assert "Nobody follows you now." in client.get("/leader-centre/followers").text
    assert "No share has been settled yet." in client.get("/leader-centre/shares").text


@pytest.mark.parametrize("path", [*PAGES, "/leader-centre/shares.csv"])
def test_the_centre_is_the_leaders_alone(ben, path):
    answer = ben.get(path)

    assert answer.status_code == 302
    assert answer.location == "/whoami"


def test_a_leader_is_no_follower_and_has_his_own_link(ada):
    text = ada.get("/koltrade").text

    assert "Leader centre" in text
    assert "My copies" not in text
    assert ada.get("/my/copies").status_code == 302


def test_nobody_becomes_a_leader_that_is_not_there(client, small):
    answer = client.post("/whoami/leader", data={"leader_id": 99}, follow_redirects=True)

    assert "No leader has this number." in answer.text


def test_choosing_a_leader_works_on_this_machine_only(client, small):
    answer = client.post(
        "/whoami/leader",
        data={"leader_id": small.ada},
        environ_base={"REMOTE_ADDR": "203.0.113.9"},
    )

    assert answer.status_code == 403
    assert client.get("/leader-centre").status_code == 302


def test_the_command_line_tells_the_same(escrow, database_url, small):
    def run(*words):
        return CliRunner().invoke(main, ["leader-centre", "--database", database_url, *words])

    table = run("--leader", str(small.ada)).output
    found = json.loads(run("--leader", str(small.ada), "--json").output)

    assert "shares in all 4.90000000, of that in escrow 4.00000000 USDT" in table
    assert found["shares"]["held"] == "4.00000000"
    assert found["overview"]["copy_amount_now"] == "100.00000000"
    assert [line["follower_name"] for line in found["followers"]["follows"]] == ["Ben"]
    assert run("--leader", "99").exit_code == 2
