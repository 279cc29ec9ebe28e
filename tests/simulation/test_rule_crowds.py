"""Seeded worlds with further modes, caps, what is carried, marks, escrow and hand-overs."""

import os

import pytest
from sqlalchemy import select

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.store import ledger
from copyplugin.store.rows import (
    FollowHistoryRow,
    FollowRow,
    HighWaterMarkRow,
    LaneRow,
    SettlementRow,
)
from tests.simulation.crowd import Crowd
from tests.simulation.test_crowds import STEPS, bad_day, good_day, lived_through

SEEDS = range(int(os.environ.get("COPY_WORLDS", "1")))

RULES: tuple[dict[str, object], ...] = (
    {"factor": "0.37", "below_minimum": "carry"},
    {"total_value_max": "400", "open_positions_max": 2},
    {"order_margin": "9", "leverage": "7", "below_minimum": "raise"},
    {"factor": "0.4", "instrument_value_max": "200", "below_minimum": "carry"},
    {"orders_per_day_max": 6, "order_margin_max": "8"},
)
MODES = ("multiple", "fixed", "fixed_margin", "multiple", "fixed")


def residues(crowd: Crowd) -> dict[tuple[int, str, str], object]:
    with crowd.plugin.database.read() as session:
        rows = session.execute(
            select(LaneRow, FollowRow.follower_id).join(
                FollowRow, FollowRow.id == LaneRow.follow_id
            )
        )
        return {
            (follower_id, lane.symbol, lane.position_side.value): lane.residue
            for lane, follower_id in rows
            if lane.residue is not None
        }


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_rule_ends_where_nothing_failed(tmp_path, seed):
    """... contract for contract, and with the same carried to the last part of one."""
    worlds = []
    for name, faults in (("bad", bad_day(seed)), ("good", good_day(seed))):
        (tmp_path / name).mkdir()
        worlds.append(await lived_through(tmp_path / name, seed, faults, modes=MODES, each=RULES))
    bad, good = worlds

    bad.check_alive()
    assert bad.faults.happened > 0
    assert bad.holdings() == good.holdings()
    assert residues(bad) == residues(good)
    for crowd in worlds:
        await crowd.end_all()
        crowd.check_alive()
        crowd.check_money_home()
        assert residues(crowd) == {}
        crowd.plugin.close()


async def hand_over(crowd: Crowd, follow_id: int) -> None:
    state = await crowd.submit(CommandKind.END_FOLLOW, follow_id=follow_id, how="hand_over")
    assert state is CommandState.DONE


async def close_what_was_handed_over(crowd: Crowd) -> None:
    with crowd.plugin.database.read() as session:
        own = session.scalars(
            select(FollowRow.id).where(FollowRow.state == FollowState.HANDED_OVER)
        ).all()
    for follow_id in own:
        await crowd.submit(CommandKind.END_FOLLOW, follow_id=follow_id, how="close_now")
    await crowd.recover()


@pytest.mark.parametrize("basis", ["per_position", "high_water_mark"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_shares_are_exact_whatever_fails(tmp_path, seed, basis):
    crowd = Crowd(
        tmp_path,
        seed,
        bad_day(seed),
        modes=("fixed", "multiple", "fixed", "equity_ratio"),
        each=({}, {"factor": "2"}, {}, {}),
        prices_move=True,
        leader_terms={"share_basis": basis},
        holds_shares=True,
    )
    await crowd.start()
    for number in range(STEPS):
        await crowd.step()
        crowd.market.clock.advance(seconds=30)
        if number == STEPS // 2:
            await hand_over(crowd, 1)
    await crowd.recover()
    crowd.check_alive()
    await close_what_was_handed_over(crowd)
    await crowd.end_all()

    crowd.check_alive()
    crowd.check_money_home()
    with crowd.plugin.database.read() as session:
        balances = ledger.balances(session)
        settled = session.scalars(select(SettlementRow)).all()
        marks = session.scalars(select(HighWaterMarkRow)).all()
        handed = session.scalars(
            select(FollowHistoryRow).where(FollowHistoryRow.to_state == FollowState.HANDED_OVER)
        ).all()
    assert len(handed) == 1
    assert any(row.release_at is not None for row in settled)  # something was held
    assert all(row.held == 0 for row in settled)
    held = {name: money for name, money in balances.items() if name.startswith("escrow:")}
    assert not any(held.values())
    assert crowd.market.spot(crowd.escrow) == 0
    paid = sum(row.leader_part for row in settled)
    assert paid == sum(balances.get(f"leader:{account}", 0) for account in crowd.leaders)
    assert bool(marks) == (basis == "high_water_mark")
    crowd.plugin.close()
