"""Defects of what is done first, and of what is done once for many."""

from tests.mutations.defect import Defect

ALIKE = "tests/integration/engine/test_lanes_that_are_alike.py"
SWEEPS = "tests/integration/store/test_what_sweeps_read.py"
WRITER = "tests/integration/store/test_writer_thread.py"

ORDER_OF_WORK = (
    Defect(
        name="a leader's fill waits for whatever was asked for before it",
        file="copyplugin/store/writer_thread.py",
        old="due = self._now() + (0 if urgent else PATIENCE_SECONDS)",
        new="due = self._now()",
        tests=(f"{WRITER}::test_what_is_urgent_goes_before_what_was_asked_for_earlier",),
    ),
    Defect(
        name="work that can wait never has its turn while leaders trade",
        file="copyplugin/store/writer_thread.py",
        old="waiting = _Waiting(due, next(self._numbers), urgent, result, work)",
        new="waiting = _Waiting(0.0 if urgent else due, next(self._numbers), urgent, result, work)",
        tests=(
            f"{WRITER}::test_what_has_waited_long_enough_goes_before_urgent_work_that_came_after",
        ),
    ),
    Defect(
        name="followers with another price bound count as alike",
        file="copyplugin/engine/alike.py",
        old='"state", "mode", "price_protection", "open_held"',
        new='"state", "mode", "open_held"',
        tests=(f"{ALIKE}::test_a_plan_after_an_example_is_the_plan_itself",),
    ),
    Defect(
        name="every follower of a crowd is worked out anew",
        file="copyplugin/engine/planning.py",
        old="self._planned[like] = example.planned(work)",
        new="example.planned(work)",
        tests=(f"{ALIKE}::test_a_crowd_that_does_the_same_is_planned_once",),
    ),
    Defect(
        name="the sweep reads every lane there is",
        file="copyplugin/store/marking.py",
        old='_IS_MARKED = text("lane.marked")',
        new='_IS_MARKED = text("lane.marked = true")',
        tests=(SWEEPS,),
    ),
)
