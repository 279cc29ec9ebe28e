"""Play money on the pages: chosen on the form, kept apart in My copies, turned into real money."""

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.store import rows
from copyplugin.store.queries import Queries
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT
from tests.web.builders import NOW, money, ratio

GOOD = {"instruments": ["BTCUSDT"], "mode": "fixed", "amount": "900", "idempotency_key": "k1"}


@pytest.fixture
def queries(database, clock):
    return Queries(database, clock, has_paper=True)


@pytest.fixture
def form(ben, small):
    return f"/koltrade/{small.bob}/copy"


@pytest.fixture
def twin(world, small):
    """Return who stands for Ben in his paper follows."""
    return world.add(
        rows.FollowerRow(account="paper-main-F", name="Ben", paper_of=small.ben, created_at=NOW)
    ).id


@pytest.fixture
def paper(world, small, twin):
    """Return a paper follow of Bob with a position that is open."""
    follow_id = world.follow(
        small.bob, twin, paper=True, sub_account="paper-cp-follow-9", copy_amount=money("777")
    )
    lane_id = world.lane(follow_id, target=10, actual=10)
    world.open_position(follow_id, lane_id)
    return follow_id


def text_of(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_the_form_offers_play_money_and_says_what_it_is(ben, form):
    text = text_of(ben, form)

    assert "With play money first" in text
    assert "no order goes to the venue" in text


def test_what_is_chosen_with_play_money_starts_a_paper_follow(ben, form, commands, small):
    answer = ben.post(form, data=GOOD | {"money": "play"})  # more than his spot wallet has

    assert answer.status_code == 302
    assert answer.location.endswith("?money=play")
    [(kind, given, actor, _)] = commands.given
    assert kind is CommandKind.START_PAPER_FOLLOW
    assert (given["follower_id"], given["copy_amount"]) == (small.ben, "900")
    assert actor == f"follower:{small.ben}"


def test_without_a_word_it_is_real_money(ben, form, commands):
    ben.post(form, data=GOOD | {"amount": "100"})

    assert commands.given[0][0] is CommandKind.START_FOLLOW


def test_an_amount_beyond_the_spot_wallet_is_refused_with_real_money_only(ben, form, commands):
    refused = ben.post(form, data=GOOD | {"money": "real"})

    assert refused.status_code == 422
    assert "Your spot wallet has 500.00 USDT" in refused.get_data(as_text=True)
    assert commands.given == []


def test_a_full_leader_can_be_followed_with_play_money(ben, form, world, small, commands):
    for name in ("Gil", "Hal"):
        world.follow(small.bob, world.follower(name))

    text = text_of(ben, form)
    sent = ben.post(form, data=GOOD | {"money": "play"})

    assert "Every place with this leader is taken." in text
    assert sent.status_code == 302
    assert commands.given[0][0] is CommandKind.START_PAPER_FOLLOW
    real = ben.post(form, data=GOOD | {"money": "real", "amount": "100"})
    assert real.status_code == 422


def test_where_there_is_no_play_money_the_form_does_not_speak_of_it(database, clock, small):
    terms = Queries(database, clock).follow_terms(small.bob, small.ben)

    assert terms.paper is None


def test_play_money_is_on_pages_of_its_own(ben, paper):
    real = text_of(ben, "/my/copies/follows")
    play = text_of(ben, "/my/copies/follows?money=play")

    assert "777.00" not in real
    assert "777.00" in play
    assert "Nothing on this page is real" in play
    assert "Nothing on this page is real" not in real
    assert "/my/copies/follows?money=play" in play  # links keep it


def test_all_that_can_be_done_with_a_real_follow_can_be_done_with_play_money(ben, paper, commands):
    for path in (
        f"/my/follows/{paper}/end",
        f"/my/follows/{paper}/pause",
        f"/my/follows/{paper}/settings",
        f"/my/follows/{paper}/receipts",
        f"/my/follows/{paper}/statement.csv",
    ):
        assert ben.get(path).status_code == 404, path
        assert ben.get(f"{path}?money=play").status_code == 200, path

    question = text_of(ben, f"/my/follows/{paper}/end?money=play")
    assert f'action="/my/follows/{paper}/end?money=play"' in question
    ended = ben.post(f"/my/follows/{paper}/end?money=play", data={"how": "close_now"})
    assert ended.location.endswith("?money=play")
    assert commands.given[0][:2] == (
        CommandKind.END_FOLLOW,
        {"follow_id": paper, "how": "close_now"},
    )


def test_the_totals_of_real_money_have_no_play_money_in_them(ben, paper, queries, small, twin):
    real, play = queries.copies(small.ben), queries.copies(twin)

    assert paper not in {line.follow_id for line in real.follows}
    assert [line.follow_id for line in play.follows] == [paper]
    assert play.totals.amount == money("777")


def test_nobody_signs_in_as_who_stands_for_somebody(ben, twin, queries):
    assert twin not in {person.follower_id for person in queries.followers()}
    assert queries.follower(twin) is None


def test_another_persons_play_money_is_not_shown(ben, client, small, paper):
    client.post("/whoami", data={"follower_id": small.eve})

    assert "777.00" not in text_of(client, "/my/copies/follows?money=play")
    assert client.get(f"/my/follows/{paper}/statement.csv?money=play").status_code == 404


def test_play_money_becomes_real_money_with_the_same_settings(ben, paper, commands, world, small):
    world.add(
        rows.FollowRuleRow(
            follow_id=paper,
            symbol=EVERY_INSTRUMENT,
            mode="multiple",
            factor=ratio("0.5"),
            total_value_max=money("5000"),
        )
    )
    world.add(rows.FollowProtectionRow(follow_id=paper, trigger_by="mark", stop_loss=ratio("0.2")))

    question = text_of(ben, f"/my/follows/{paper}/for-real?money=play")
    answer = ben.post(f"/my/follows/{paper}/for-real?money=play", data={"idempotency_key": "k"})

    assert "777.00 USDT of real money move from your spot wallet" in question
    assert "money=" not in answer.location
    [(kind, given, _, _)] = commands.given
    assert kind is CommandKind.START_FOLLOW
    assert given == {
        "leader_id": small.bob,
        "follower_id": small.ben,
        "copy_amount": "777",
        "instruments": ["BTCUSDT"],
        "mode": "multiple",
        "factor": "0.5",
        "below_minimum": "skip",
        "total_value_max": "5000",
        "stop_loss": "0.2",
        "trigger_by": "mark",
    }


def test_only_play_money_becomes_real_money(ben, small, world):
    real = world.follow(small.bob, small.ben, state=FollowState.PENDING)

    assert ben.get(f"/my/follows/{real}/for-real").status_code == 404


def test_a_refusal_leads_back_to_the_play_money(ben, paper, commands):
    commands.state, commands.message = CommandState.REFUSED, "Your spot wallet holds 1 USDT."

    answer = ben.post(
        f"/my/follows/{paper}/for-real?money=play",
        data={"idempotency_key": "k"},
        follow_redirects=True,
    )

    assert "Your spot wallet holds 1 USDT." in answer.get_data(as_text=True)
