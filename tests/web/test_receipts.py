"""Receipts on a follower's pages and at the command line: each leader order, told once (N1)."""

import csv
import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.copy_quality import Standing
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.transition import Effect
from tests.web.builders import NOW, money

FIRST, LANE, FOLLOW = 1, 1, 1  # what `small_world` has made


@pytest.fixture
def receipts(ben, world, small, database):
    """Return Ben's client; of five leader orders each went another way."""
    world.decision(FIRST, LANE)
    skipped = world.signal(small.ada, price="61000", contracts=20)
    world.skip(skipped, LANE, SkipReason.PRICE_MOVED, {"bound": "60900"})
    part = world.signal(small.ada, effect=Effect.ADD, price="60000", contracts=40)
    world.decision(
        part,
        LANE,
        wanted=40,
        target_after=10,
        skip_reason=SkipReason.INSUFFICIENT_BALANCE,
        skip_detail={"affordable": "10"},
    )
    world.copy_order(LANE, part, small.position, filled=10, filled_value=money("599.9"))
    pending = world.signal(small.ada, effect=Effect.REDUCE, contracts=5)
    world.decision(pending, LANE, pending=True, wanted=0, target_after=0)
    another = world.signal(small.ada, effect=Effect.ADD, contracts=7)
    world.decision(another, LANE, wanted=7, target_after=7)
    return ben


def test_each_order_of_the_leader_says_what_became_of_it(receipts, queries, small):
    found = queries.follow_receipts(small.ben, FOLLOW, page=1, page_size=20)

    assert [each.standing for each in found.receipts] == [
        Standing.WITH_ANOTHER,
        Standing.UNDER_WAY,
        Standing.IN_PART,
        Standing.SKIPPED,
        Standing.COPIED,
    ]


def test_the_page_shows_price_delay_slippage_and_why_something_was_left_out(receipts):
    text = receipts.get("/my/follows/1/receipts").get_data(as_text=True)

    assert "59,960.0" in text  # 2998 for 0.05 BTC
    assert "+0.100%" in text
    assert "30 ms" in text
    assert "The price had moved further from the leader&#39;s than you allow." in text
    assert "Copied in part" in text
    assert "On its way" in text


def test_one_receipt_tells_its_story_in_order(receipts):
    text = receipts.get("/my/follows/1/receipts/1").get_data(as_text=True)

    told = [
        "The leader opened 50 contracts long in BTCUSDT at 59,900.0 on average.",
        "Your settings make that 50 contracts.",
        "Your order was sent to the venue.",
        "30 ms after the leader&#39;s last fill",
        "50 of 50 contracts were filled at 59,960.0 on average.",
        "your price was worse by 3.00000000 USDT (0.100%)",
        "All that your settings make of this order was filled.",
    ]
    places = [text.index(sentence) for sentence in told]
    assert places == sorted(places)


def test_a_better_price_is_told_as_one(receipts):
    text = receipts.get("/my/follows/1/receipts/3").get_data(as_text=True)

    assert "your price was better by 0.10000000 USDT (0.017%)" in text
    assert "A part was filled; the rest was left out." in text
    assert "there was money for 10" in text


def test_a_list_that_is_long_is_shown_page_by_page(receipts, queries, small):
    second = queries.follow_receipts(small.ben, FOLLOW, page=2, page_size=2)

    assert [each.signal_id for each in second.receipts] == [3, 2]
    assert second.page.pages == 3


def test_receipts_of_others_are_not_shown(receipts, client, small):
    client.post("/whoami", data={"follower_id": small.eve})

    for path in ("receipts", "receipts.csv", "receipts/1"):
        assert client.get(f"/my/follows/1/{path}").status_code == 404
    assert client.get("/my/follows/99/receipts").status_code == 404


def test_a_receipt_that_is_not_there_gets_a_sentence(receipts):
    answer = receipts.get("/my/follows/1/receipts/99")

    assert answer.status_code == 404
    assert "This follow has no receipt of this number." in answer.get_data(as_text=True)


def test_a_follow_without_receipts_says_so(ben, world, small):
    follow = world.follow(small.bob, small.ben)

    text = ben.get(f"/my/follows/{follow}/receipts").get_data(as_text=True)

    assert "The leader has traded nothing that concerns this follow yet." in text


def test_the_file_has_a_line_for_each_receipt_with_numbers_in_full(receipts):
    text = receipts.get("/my/follows/1/receipts.csv").get_data(as_text=True)

    lines = list(csv.DictReader(io.StringIO(text)))
    first = lines[-1]
    assert len(lines) == 5
    assert first["average_price"] == "59960.000000000000"
    assert first["slippage_usdt"] == "3.00000000"
    assert first["delay_ms"] == "30.000"
    assert first["became"] == "copied"
    assert first["leader_filled_at"] == (NOW - timedelta(minutes=30)).isoformat()
    assert lines[3]["reason"] == "price_moved"


def test_the_command_line_prints_the_same_receipts(receipts, database_url):
    def run(*more):
        return CliRunner().invoke(
            main, ["receipts", "--follow", "1", "--database", database_url, *more]
        )

    table, found = run().output, json.loads(run("--json").output)
    assert len(found) == len(table.splitlines()) - 1 == 5
    assert (
        run("--csv").output.splitlines()
        == receipts.get("/my/follows/1/receipts.csv").text.splitlines()
    )
    assert found[-1]["slippage"] == "0.001001669449"
    assert "skipped: The price had moved further" in table
    assert run("--csv", "--json").exit_code == 2


def test_a_follow_that_is_not_there_is_refused_with_a_sentence(small, database_url):
    answer = CliRunner().invoke(main, ["receipts", "--follow", "99", "--database", database_url])

    assert answer.exit_code == 2
    assert "99" in answer.output
