"""Defects of settings that are changed by two, and of dry runs."""

from tests.mutations.defect import Defect

BY_TWO = "tests/simulation/test_settings_by_two.py"
DRY_RUN = "tests/simulation/test_dry_run.py"
EXITS_FIRST = "tests/simulation/test_exits_first.py"
WORLDS = "tests/simulation/test_worlds.py::test_every_world_keeps_its_laws"

SETTINGS = (
    Defect(
        name="settings: a proposer approves what he proposed",
        file="copyplugin/engine/setting_commands.py",
        old="    if is_same_person(actor, row.proposed_by):\n",
        new="    if actor == 'nobody':\n",
        tests=(f"{BY_TWO}::test_what_raises_it_holds_once_somebody_else_has_approved",),
    ),
    Defect(
        name="settings: another role makes another person",
        file="copyplugin/domain/setting_change.py",
        old="    return _name(one) == _name(other)\n",
        new="    return one == other\n",
        tests=(f"{BY_TWO}::test_what_raises_it_holds_once_somebody_else_has_approved",),
    ),
    Defect(
        name="settings: what raises the risk holds at once",
        file="copyplugin/domain/setting_change.py",
        old="(safer is Safer.LOWER and after < before)",
        new="(safer is Safer.LOWER and after != before)",
        tests=(f"{BY_TWO}::test_what_raises_it_holds_once_somebody_else_has_approved",),
    ),
    Defect(
        name="settings: a proposal is approved on another value than its proposer saw",
        file="copyplugin/engine/setting_commands.py",
        old="    if current != row.value_before:\n",
        new="    if current == 'nothing':\n",
        tests=(f"{BY_TWO}::test_a_proposal_whose_setting_was_changed_meanwhile_is_not_approved",),
    ),
    Defect(
        name="settings: a turn goes by what is configured",
        file="copyplugin/engine/surroundings.py",
        old="return with_changes(self.settings, values_in_force(session, at=at))",
        new="return self.settings",
        tests=(f"{BY_TWO}::test_the_next_order_is_bounded_by_what_was_changed",),
    ),
    Defect(
        name="settings: of two changes the one with the later clock counts",
        file="copyplugin/store/setting_changes.py",
        old="later.in_force_from <= :now AND later.sequence > c.sequence)",
        new="later.in_force_from <= :now AND later.in_force_from > c.in_force_from)",
        tests=(f"{BY_TWO}::test_a_clock_set_back_leaves_the_latest_decision_in_force",),
    ),
    Defect(
        name="dry run: what a narrower bound forbids is kept",
        file="copyplugin/domain/dry_run.py",
        old="        if tried < then:\n",
        new="        if tried > then:\n",
        tests=(f"{DRY_RUN}::test_a_narrower_bound_would_have_skipped_what_was_dearer",),
    ),
    Defect(
        name="dry run: what would be held is never closed",
        file="copyplugin/domain/dry_run.py",
        old="self._tried.close(step, closed, tried.held - would.target)",
        new="self._tried.close(step, closed, 0)",
        tests=(f"{DRY_RUN}::test_what_would_have_been_made_anew_is_closed_with_the_leader",),
    ),
    Defect(
        name="dry run: a decision that does not come out as recorded is tried",
        file="copyplugin/domain/retaking.py",
        old="    if again.wanted != recorded.wanted or recorded.residue",
        new="    if recorded.residue",
        tests=(f"{DRY_RUN}::test_a_decision_that_does_not_come_out_as_recorded_is_told_and_left",),
    ),
    Defect(
        name="dry run: a leader order that grew is taken as if it had come whole",
        file="copyplugin/store/leader_moves.py",
        old="        found[part.id] = (*steps, last)\n",
        new="        found[part.id] = (*steps[:0], last)\n",
        tests=(f"{DRY_RUN}::test_a_leader_order_that_fills_in_parts_is_taken_again_part_by_part",),
    ),
    Defect(
        name="dry run: settings of now stand for those of then",
        file="copyplugin/setting_trial.py",
        old=" if since is not None and since <= at\n",
        new="\n",
        tests=(
            f"{DRY_RUN}::test_a_decision_under_a_setting_that_was_changed_meanwhile_is_taken_under_it",
        ),
    ),
    Defect(
        name="dry run: what is carried is forgotten",
        file="copyplugin/domain/dry_run_lanes.py",
        old="        lane.carried += decision.residue\n",
        new="",
        tests=(f"{DRY_RUN}::test_what_was_too_small_would_have_been_carried_until_it_is_enough",),
    ),
    Defect(
        name="dry run: what a lane carried when it was decided is not recorded",
        file="copyplugin/engine/planning.py",
        old="            row.carried_before = terms.carried or None\n",
        new="            row.carried_before = None\n",
        tests=(f"{DRY_RUN}::test_unchanged_settings_give_every_recorded_decision_again",),
    ),
    Defect(
        name="dry run: a halt of then is forgotten",
        file="copyplugin/domain/retaking.py",
        old="            is_halted=refused is SkipReason.COPYING_HALTED,\n",
        new="            is_halted=False,\n",
        tests=(f"{WORLDS}[commands]",),
    ),
    Defect(
        name="dry run: every open gives way to a close behind it",
        file="copyplugin/domain/retaking.py",
        old="timedelta.min if is_last and reading.gives_way else settings(at).late_after",
        new="settings(at).tried_for",
        tests=(
            f"{EXITS_FIRST}::test_an_open_that_need_not_wait_is_copied_though_a_reduction_is_known_already",
        ),
    ),
    Defect(
        name="dry run: what was not had is why it was refused",
        file="copyplugin/domain/retaking.py",
        old="    return (None, skip.reason) if not_filled(skip) else (skip.reason,)",
        new="    return (None,) if not_filled(skip) else (skip.reason,)",
        tests=(
            f"{DRY_RUN}::test_an_open_that_was_not_had_and_whose_rest_was_halted_is_taken_again_so",
        ),
    ),
)
