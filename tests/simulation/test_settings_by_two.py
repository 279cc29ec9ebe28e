"""Settings changed while copying goes on: at once to the safe side, else by two persons (N12)."""

from datetime import timedelta

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.setting_change import CHANGEABLE, Safer, SettingChangeState
from copyplugin.engine.surroundings import Work
from copyplugin.store import commands, setting_changes
from copyplugin.store.rows import CopyOrderRow, SettingChangeRow
from tests.simulation.copy_world import Plugin

PROPOSE, APPROVE = CommandKind.PROPOSE_SETTING, CommandKind.APPROVE_SETTING
REJECT = CommandKind.REJECT_SETTING
ANN, BOB, ANN_TOO = "operator:ann", "administrator:bob", "administrator: Ann"
BOUND = "price_bound_other"


@pytest.fixture
def change(plugin):
    async def change(name, value, *, actor=ANN, reason="thin books", **more):
        return await plugin.command(
            PROPOSE, actor=actor, name=name, value=value, reason=reason, **more
        )

    return change


def in_force(plugin, name=BOUND):
    with plugin.database.read() as session:
        around = plugin.engine.around
        return getattr(around.settings_at(session, plugin.clock.now()), name)


async def test_what_lowers_the_risk_holds_at_once_and_waits_for_nobody(plugin, change):
    answer = await change(BOUND, "0.01")

    assert answer.message == "price_bound_other is 0.01 from now on; it was 0.015."
    assert str(in_force(plugin)) == "0.01"


async def test_what_raises_it_holds_once_somebody_else_has_approved(pair, plugin, change):
    asked = await change(BOUND, "0.02")
    assert str(in_force(plugin)) == "0.015"
    own = await plugin.command(APPROVE, actor=ANN, proposal=1)
    same = await plugin.command(APPROVE, actor=ANN_TOO, proposal=1)
    done = await plugin.command(APPROVE, actor=BOB, proposal=1, reason="seen the dry run")

    assert "Somebody else has to approve it" in asked.message
    assert (
        own.message
        == same.message
        == ("You proposed this yourself: somebody else has to approve it.")
    )
    assert done.state is CommandState.DONE
    assert str(in_force(plugin)) == "0.02"
    [row] = pair.rows(SettingChangeRow)
    assert (row.proposed_by, row.decided_by, row.decision, row.reason) == (
        ANN,
        BOB,
        "seen the dry run",
        "thin books",
    )
    assert (row.value_before, row.value) == ("0.015", "0.02")


async def test_the_next_order_is_bounded_by_what_was_changed(pair, plugin, change):
    await pair.buy(1)
    await change(BOUND, "0.002")
    await pair.buy(1)

    [before, after] = pair.rows(CopyOrderRow)
    assert (str(before.limit_price), str(after.limit_price)) == ("152.25", "150.30")


async def test_two_approvals_at_once_take_effect_once(pair, plugin, change):
    await change(BOUND, "0.02")

    def ask(session, actor):
        return commands.submit_command(
            session,
            APPROVE,
            {"proposal": 1},
            actor=actor,
            idempotency_key=actor,
            at=plugin.clock.now(),
        ).id

    asked = [
        plugin.database.write_and_wait(lambda s, who=who: ask(s, who))
        for who in (BOB, "operator:cy")
    ]
    plugin.dispatcher.announce(Work.COMMANDS)
    await plugin.settle()

    states = [plugin.answer(number).state for number in asked]
    assert sorted(states) == [CommandState.DONE, CommandState.REFUSED]
    [row] = pair.rows(SettingChangeRow)
    assert row.state is SettingChangeState.APPROVED


async def test_a_proposal_whose_setting_was_changed_meanwhile_is_not_approved(plugin, change):
    await change(BOUND, "0.02")
    await change(BOUND, "0.01", actor=BOB)

    late = await plugin.command(APPROVE, actor=BOB, proposal=1)

    assert late.message == (
        "price_bound_other was 0.015 when this was proposed and is 0.01 now: "
        "reject this proposal and make another."
    )
    assert str(in_force(plugin)) == "0.01"


async def test_a_proposal_is_rejected_taken_back_or_expires(plugin, market, change):
    await change(BOUND, "0.02")
    rejected = await plugin.command(REJECT, actor=BOB, proposal=1, reason="too wide")
    again = await plugin.command(APPROVE, actor=BOB, proposal=1)
    await change(BOUND, "0.02")
    taken_back = await plugin.command(REJECT, actor=ANN, proposal=2, reason="a slip")
    await change(BOUND, "0.02")
    market.clock.advance(seconds=73 * 3600)
    late = await plugin.command(APPROVE, actor=BOB, proposal=3)
    anew = await change(BOUND, "0.02")

    assert rejected.message == "Proposal 1 is rejected: price_bound_other stays 0.015."
    assert "was rejected by administrator:bob already" in again.message
    assert taken_back.state is CommandState.DONE
    assert "expired on" in late.message
    assert anew.message.startswith("Proposal 4:")


async def test_one_proposal_a_setting_waits_at_a_time(change):
    await change(BOUND, "0.02")
    second = await change(BOUND, "0.03", actor=BOB)
    other = await change("open_attempts", "4", actor=BOB)

    assert second.message == (
        "A change of price_bound_other is proposed already (number 1, by operator:ann): "
        "approve or reject that one first."
    )
    assert other.message.startswith("Proposal 2:")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("price_bound", "0.01", "price_bound is not known and cannot be changed while"),
        ("lease_seconds", "5", "lease_seconds is set in the environment and cannot be changed"),
        (BOUND, "0.5", "price_bound_other is '0.5': input should be less than or equal to 0.03."),
        (BOUND, "much", "price_bound_other is 'much': input should be a valid decimal."),
        (BOUND, "0.015", "price_bound_other is 0.015 already."),
        ("isOpenScale", "2", "isOpenScale must be 0 or 1, not '2'."),
    ],
)
async def test_what_cannot_be_changed_gets_a_sentence(change, name, value, sentence):
    answer = await change(name, value)

    assert answer.state is CommandState.REFUSED
    assert answer.message.startswith(sentence)


@pytest.mark.parametrize("actor", ["follower:1", "leader:1", "auditor:cy", "web"])
@pytest.mark.parametrize("kind", [PROPOSE, APPROVE, REJECT])
async def test_only_staff_changes_settings(plugin, kind, actor):
    answer = await plugin.command(
        kind, actor=actor, name=BOUND, value="0.002", reason="why not", proposal=1
    )

    assert answer.state is CommandState.REFUSED
    assert "nly operators and administrators" in answer.message or "reads only" in answer.message
    assert str(in_force(plugin)) == "0.015"


async def test_back_to_what_is_configured_is_a_change_like_any_other(plugin, change):
    await change(BOUND, "0.01")
    asked = await change(BOUND, None)
    done = await plugin.command(APPROVE, actor=BOB, proposal=2)

    assert asked.message.startswith("Proposal 2: price_bound_other from 0.01 to 0.015.")
    assert done.message == ("price_bound_other is 0.015, as configured from now on; it was 0.01.")
    assert str(in_force(plugin)) == "0.015"


async def test_where_the_second_person_is_switched_off_one_is_enough(tmp_path, market):
    plugin = Plugin(tmp_path, market, second_person=False)
    await plugin.start()

    answer = await plugin.command(PROPOSE, actor=ANN, name=BOUND, value="0.03", reason="alone")

    assert answer.state is CommandState.DONE
    assert str(in_force(plugin)) == "0.03"
    with plugin.database.read() as session:
        [row] = setting_changes.changes_made(session)
    assert (row.decided_by, row.decision) == (ANN, "the second person is switched off")
    plugin.close()


async def test_proportional_copying_is_switched_off_by_one_and_on_by_two(plugin, change):
    off = await change("isopenscale", "0")
    on = await change("isOpenScale", "1")
    await plugin.command(APPROVE, actor=BOB, proposal=2)

    assert off.message == "isOpenScale is 0 from now on; it was 1."
    assert on.message.startswith("Proposal 2:")
    refused = await change("isOpenScale", "1")
    assert refused.message == "isOpenScale is 1 already."


async def test_a_clock_set_back_leaves_the_latest_decision_in_force(plugin):
    at = plugin.clock.now()

    def store(session, value, when):
        setting_changes.change_at_once(
            session,
            BOUND_NAME,
            value,
            value_before="0.015",
            reason="r",
            actor=ANN,
            decision="d",
            at=when,
        )

    plugin.database.write_and_wait(lambda s: store(s, "0.01", at))
    plugin.database.write_and_wait(lambda s: store(s, "0.005", at - timedelta(seconds=9)))

    with plugin.database.read() as session:
        found = setting_changes.values_in_force(session, at=at)
    assert found == {BOUND_NAME: "0.005"}


BOUND_NAME = next(name for name in CHANGEABLE if name == BOUND)


def test_every_setting_about_money_says_which_way_is_safe_or_needs_two_always():
    assert all(each.why for each in CHANGEABLE.values())
    assert {each.safer for each in CHANGEABLE.values()} == set(Safer)
