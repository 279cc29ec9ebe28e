"""Who may halt what, and whose follow is whose: refused with a sentence, kept with the name."""

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.store import follows
from copyplugin.store.followers import paper_twin
from copyplugin.store.rows import CommandRow, HaltRow
from tests.simulation.copy_world import START
from tests.simulation.pair import Pair

HALT, RESUME = CommandKind.HALT_COPYING, CommandKind.RESUME_COPYING
OWNER, STRANGER, LEADER = "follower:1", "follower:22", "leader:1"
OPERATOR, ADMINISTRATOR, AUDITOR = "operator:ann", "administrator:bob", "auditor:cy"
EVERYBODY = {"scope": "global"}
OF_LEADER = {"scope": "leader", "leader_id": 1}


def of_follow(pair):
    return {"scope": "follow", "follow_id": pair.follow_id}


@pytest.mark.parametrize("whose", [EVERYBODY, OF_LEADER])
@pytest.mark.parametrize("actor", [OWNER, LEADER, AUDITOR, "web", "operator", "operator:"])
async def test_only_staff_halts_more_than_a_follow(pair, plugin, actor, whose):
    answer = await plugin.command(HALT, actor=actor, **whose)

    assert answer.state is CommandState.REFUSED
    assert "operators and administrators" in answer.message or "reads only" in answer.message
    assert pair.rows(HaltRow) == []
    [kept] = pair.rows(CommandRow, CommandRow.kind == HALT)
    assert kept.actor == actor


@pytest.mark.parametrize("whose", [EVERYBODY, OF_LEADER])
@pytest.mark.parametrize("actor", [OPERATOR, ADMINISTRATOR])
async def test_staff_halts_and_the_row_says_who(pair, plugin, actor, whose):
    answer = await plugin.command(HALT, actor=actor, reason="odd fills", **whose)

    assert answer.state is CommandState.DONE
    [row] = pair.rows(HaltRow)
    assert (row.actor, row.reason) == (actor, "odd fills")


async def test_an_operator_halts_everybody_and_an_administrator_resumes(pair, plugin):
    await plugin.command(HALT, actor=OPERATOR, **EVERYBODY)
    refused = await plugin.command(RESUME, actor=OPERATOR, **EVERYBODY)
    done = await plugin.command(RESUME, actor=ADMINISTRATOR, reason="fills are right", **EVERYBODY)

    assert refused.message == (
        "Only administrators may resume copying for everybody: 'operator:ann' may not."
    )
    assert done.state is CommandState.DONE
    [row] = pair.rows(HaltRow)
    assert (row.actor, row.lifted_by) == (OPERATOR, ADMINISTRATOR)
    assert row.lift_reason == "fills are right"


async def test_a_follower_pauses_his_own_follow_and_no_other(pair, plugin):
    refused = await plugin.command(HALT, actor=STRANGER, **of_follow(pair))
    done = await plugin.command(HALT, actor=OWNER, **of_follow(pair))
    cannot = await plugin.command(RESUME, actor=STRANGER, **of_follow(pair))
    resumed = await plugin.command(RESUME, actor=OWNER, **of_follow(pair))

    assert (refused.message, cannot.message) == ("This is not a follow of yours.",) * 2
    assert (done.state, resumed.state) == (CommandState.DONE, CommandState.DONE)


@pytest.mark.parametrize("was_paused", [False, True])
async def test_what_an_operator_halted_its_follower_cannot_resume(pair, plugin, was_paused):
    if was_paused:
        await plugin.command(HALT, actor=OWNER, **of_follow(pair))
    halted = await plugin.command(HALT, actor=OPERATOR, reason="odd orders", **of_follow(pair))
    refused = await plugin.command(RESUME, actor=OWNER, **of_follow(pair))
    resumed = await plugin.command(RESUME, actor=OPERATOR, **of_follow(pair))

    assert halted.state is CommandState.DONE
    assert refused.message == (
        "An operator halted this follow (odd orders): only one can resume it."
    )
    assert resumed.state is CommandState.DONE


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (CommandKind.END_FOLLOW, {"how": "close_now"}),
        (CommandKind.SET_PROTECTION, {"stop_loss": "0.1"}),
    ],
)
async def test_nobody_touches_the_follow_of_another(pair, plugin, kind, given):
    answer = await plugin.command(kind, actor=STRANGER, follow_id=pair.follow_id, **given)

    assert answer.message == "This is not a follow of yours."


async def test_play_money_is_its_persons_own(pair, plugin):
    def play(session):
        follows.get_follow(session, pair.follow_id).follower_id = paper_twin(
            session, 1, at=START
        ).id

    plugin.database.write_and_wait(play)

    refused = await plugin.command(HALT, actor=STRANGER, **of_follow(pair))
    done = await plugin.command(HALT, actor=OWNER, **of_follow(pair))

    assert (refused.state, done.state) == (CommandState.REFUSED, CommandState.DONE)


async def test_a_follower_closes_his_own_positions_only(pair, plugin):
    await pair.buy(5)
    [position] = pair.positions

    refused = await plugin.command(
        CommandKind.CLOSE_POSITION, actor=STRANGER, copied_position_id=position.id
    )
    assert refused.message == "This is not a follow of yours."
    assert pair.held() == 5

    await plugin.command(CommandKind.CLOSE_POSITION, actor=OWNER, copied_position_id=position.id)
    assert pair.held() == 0


@pytest.mark.parametrize("actor", [OWNER, LEADER])
async def test_only_staff_looks_after_leaders(pair, plugin, actor):
    answer = await plugin.command(
        CommandKind.PROHIBIT_LEADER, actor=actor, leader_id=1, reason="none"
    )

    assert answer.message == "Only operators and administrators look after leaders."


async def test_nobody_starts_a_follow_in_the_name_of_another(plugin, market):
    pair = await Pair(plugin, market).start()

    answer = await plugin.command(
        CommandKind.START_FOLLOW,
        actor=STRANGER,
        leader_id=1,
        follower_id=1,
        mode="fixed",
        copy_amount="100",
        instruments=["SOLUSDT"],
    )

    assert answer.message == "This is not a follow of yours."
    assert pair.follow_id == 1
