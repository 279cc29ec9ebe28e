"""Escrow on the follower's pages (M9), and where he and his leader are liquidated (C14)."""

from datetime import timedelta

import pytest

from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import CopiedPositionId
from copyplugin.domain.money import Contracts, Price
from copyplugin.store.rows import LeaderMarginRow, SettlementRow
from tests.web.builders import NOW, money, ratio

CLOSED = 2  # the position that `small_world` has closed


@pytest.fixture
def held(ben, database):
    """Let the share of Ben's closed position wait in escrow; a part of it came back."""

    def hold(session):
        row = session.get_one(SettlementRow, 1)
        row.share, row.leader_part, row.held = money("0.6"), money("0.6"), money("0.6")
        row.taken_back, row.release_at = money("0.3"), NOW + timedelta(days=3)

    database.write_and_wait(hold)
    return ben


def test_what_waits_in_escrow_and_what_came_back_stand_beside_the_share(held):
    for page in ("/my/copies/closed", "/my/copies/follows"):
        text = held.get(page).text
        assert "0.6000 in escrow until Nov 25, 2026" in text
        assert "0.3000 came back to you" in text
    text = held.get(f"/my/positions/{CLOSED}").text
    assert "Of that in escrow, until Nov 25, 2026, 12:00:00" in text
    assert "Came back to you out of escrow" in text


def test_a_follow_sums_its_shares_and_names_the_next_release(held, world, queries, small):
    world.add(
        SettlementRow(
            copied_position_id=None,
            follow_id=small.follow,
            leader_id=small.ada,
            profit=money("20"),
            share_ratio=ratio("0.10"),
            share=money("2"),
            leader_part=money("2"),
            held=money("2"),
            release_at=NOW + timedelta(days=1),
            at=NOW,
        )
    )

    found = queries.escrow(small.ben)

    whole = found.follows[small.follow]
    assert (whole.held, whole.taken_back) == (money("2.6"), money("0.3"))
    assert whole.release_at == NOW + timedelta(days=1)
    assert list(found.positions) == [CopiedPositionId(CLOSED)]
    assert queries.escrow(small.eve).follows == {}


def test_what_was_paid_out_is_not_in_escrow_any_more(held, database):
    database.write_and_wait(lambda s: setattr(s.get_one(SettlementRow, 1), "held", money(0)))

    text = held.get("/my/copies/closed").text

    assert "in escrow" not in text
    assert "0.3000 came back to you" in text


def test_where_nothing_was_ever_held_nothing_is_said_of_escrow(ben):
    assert "escrow" not in ben.get("/my/copies/closed").text


def test_the_leaders_liquidation_price_stands_below_ones_own(ben, world, queries, small):
    world.add(
        LeaderMarginRow(
            leader_id=small.ada,
            symbol="BTCUSDT",
            position_side=PositionSide.LONG,
            contracts=Contracts(50),
            entry_cost=money(3000),
            margin=money(900),
            leverage=ratio("10"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=Price(ratio("42000.0")),
            at=NOW,
        )
    )

    assert "leader 42,000.0" in ben.get("/my/copies").text
    assert not queries.leader_backings(small.ben)[small.position].is_mirrored
    assert queries.leader_backings(small.eve) == {}
