"""Worlds of rules, shares, liquidations and commands: what may be said, and what comes of it."""

from functools import partial
from random import Random

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
from tests.simulation.worlds import Tally, bad_day, end, good_day, lived, steps_of

RULES: tuple[tuple[str, dict[str, object]], ...] = (
    ("multiple", {"factor": "0.37", "below_minimum": "carry"}),
    ("fixed", {"total_value_max": "400", "open_positions_max": 2}),
    ("fixed_margin", {"order_margin": "9", "leverage": "7", "below_minimum": "raise"}),
    ("multiple", {"factor": "0.4", "instrument_value_max": "200", "below_minimum": "carry"}),
    ("fixed", {"orders_per_day_max": 6, "order_margin_max": "8"}),
)


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


async def rules(number: int) -> Tally:
    """Every rule ends where nothing failed, with the same carried to the last part of one."""
    chosen = Random(number).sample(RULES, 3)
    terms = {
        "modes": tuple(mode for mode, _ in chosen),
        "each": tuple(settings for _, settings in chosen),
    }
    bad = await lived(number, bad_day(number), **terms)
    good = await lived(number, good_day(number), **terms)
    bad.check_alive()
    assert bad.holdings() == good.holdings()
    assert residues(bad) == residues(good)
    return await end(bad, good)


async def shares(number: int) -> Tally:
    """Shares are exact whatever fails: held, handed over, settled at the end."""
    basis = ("per_position", "high_water_mark")[number % 2]
    crowd = Crowd(
        number,
        bad_day(number),
        modes=("fixed", "multiple", "equity_ratio"),
        each=({}, {"factor": "2"}, {}),
        prices_move=True,
        leader_terms={"share_basis": basis},
        holds_shares=True,
    )
    steps = steps_of(number)
    await crowd.start()
    for step in range(steps):
        await crowd.step()
        crowd.market.clock.advance(seconds=30)
        if step == steps // 2:
            await _hand_over(crowd)
    await crowd.recover()
    crowd.check_alive()
    return await end(crowd, then=partial(_check_shares, basis=basis))


async def _hand_over(crowd: Crowd) -> None:
    """Hand the first follow over: a start that was refused has left a void one before it."""
    follow_id = crowd.live_follows()[0]
    state = await crowd.submit(CommandKind.END_FOLLOW, follow_id=follow_id, how="hand_over")
    assert state is CommandState.DONE


def _check_shares(crowd: Crowd, *, basis: str) -> None:
    with crowd.plugin.database.read() as session:
        balances = ledger.balances(session)
        settled = session.scalars(select(SettlementRow)).all()
        marks = session.scalars(select(HighWaterMarkRow)).all()
        handed = session.scalars(
            select(FollowHistoryRow).where(FollowHistoryRow.to_state == FollowState.HANDED_OVER)
        ).all()
    assert len(handed) == 1
    assert all(row.held == 0 for row in settled)
    held = {name: money for name, money in balances.items() if name.startswith("escrow:")}
    assert not any(held.values())
    assert crowd.market.spot(crowd.escrow) == 0
    paid = sum(row.leader_part for row in settled)
    assert paid == sum(balances.get(f"leader:{account}", 0) for account in crowd.leaders)
    assert bool(marks) == (basis == "high_water_mark")


class Liquidated(Crowd):
    """Prices jump and followers trade at high leverage: the venue takes positions away."""

    def check_safety(self) -> None:
        """What the venue took is known when it was looked for; the books hold at every step."""
        self.check_books()


async def liquidations(number: int) -> Tally:
    """What the venue takes away is found, booked, and not opened again."""
    crowd = Liquidated(
        number, bad_day(number), modes=("fixed", "fixed"), terms={"leverage": "50"},
        prices_move=True, jump=60,
    )  # fmt: skip
    await crowd.start()
    for _ in range(steps_of(number)):
        await crowd.step()
    await crowd.recover()
    crowd.check_alive()
    crowd.check_held()
    return await end(crowd)


COMMANDS = ("halt", "resume", "close", "end", "follow closes", "hand over")


async def commands(number: int) -> Tally:
    """Whatever their users ask for on a bad day, nothing is lost and everybody gets home."""
    faults, random = bad_day(number, rejected=50), Random(number + 4000)
    crowd = Crowd(number, faults, modes=("fixed", "fixed", "fixed"), prices_move=number % 2 == 0)
    await crowd.start()
    for _ in range(steps_of(number)):
        await crowd.step()
        await _ask(crowd, random)
    return await resumed(crowd)


async def resumed(crowd: Crowd) -> Tally:
    """Let whoever was halted be copied again, and the world come to its end."""
    for follow_id in crowd.live_follows():
        await crowd.submit(CommandKind.RESUME_COPYING, scope="follow", follow_id=follow_id)
    await crowd.recover()
    crowd.check_alive()
    crowd.check_feed()
    return await end(crowd)


async def _ask(crowd: Crowd, random: Random) -> None:
    """Let a user ask for something; he may be refused, but he is answered."""
    live = crowd.live_follows()
    if not live:
        return
    follow_id = random.choice(live)
    asked = random.choice(COMMANDS)
    if asked == "halt":
        closes = random.random() < 0.5
        await crowd.submit(
            CommandKind.HALT_COPYING, scope="follow", follow_id=follow_id, close=closes
        )
    elif asked == "resume":
        await crowd.submit(CommandKind.RESUME_COPYING, scope="follow", follow_id=follow_id)
    elif asked == "close":
        position = crowd.open_position(follow_id)
        if position is not None:
            await crowd.submit(CommandKind.CLOSE_POSITION, copied_position_id=position)
    elif random.random() < 0.3:
        how = {"end": "close_now", "follow closes": "follow_closes"}.get(asked, "hand_over")
        await crowd.submit(CommandKind.END_FOLLOW, follow_id=follow_id, how=how)
