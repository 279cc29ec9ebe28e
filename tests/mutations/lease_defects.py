"""Defects of an engine that was frozen for longer than its lease, and replaced meanwhile."""

from tests.mutations.defect import Defect

ENGINE = "copyplugin/engine"
IN_TURN = "tests/simulation/test_engines_in_turn.py"

LEASES = (
    Defect(
        name="an engine that was replaced sends the orders it had at hand",
        file="copyplugin/processes.py",
        old="held is not None and held.epoch == epoch and self.outlasts_a_request()",
        new="held is not None and held.epoch == epoch",
        tests=(f"{IN_TURN}::test_an_engine_that_wakes_up_replaced_sends_nothing_it_had_at_hand",),
    ),
    Defect(
        name="an engine that was replaced claims lanes",
        file="copyplugin/processes.py",
        old="if held is None or not held.lasts(self._settings, now=self._steady()):",
        new="if held is None:",
        tests=(f"{IN_TURN}::test_an_engines_own_shards_are_its_own_while_its_lease_lasts",),
    ),
    Defect(
        name="an engine sends what it claimed under an earlier lease",
        file="copyplugin/processes.py",
        old="held is not None and held.epoch == epoch and",
        new="held is not None and",
        tests=(f"{IN_TURN}::test_an_engines_own_shards_are_its_own_while_its_lease_lasts",),
    ),
    Defect(
        name="orders are written down as sent that may not be sent",
        file=f"{ENGINE}/executor.py",
        old="going_on = self._sendable(claims)",
        new="going_on = claims.keys()",
        tests=(f"{IN_TURN}::test_what_cannot_be_sent_in_time_is_not_even_planned",),
    ),
    Defect(
        name="an engine that was replaced moves stops",
        file=f"{ENGINE}/protection.py",
        old="if not self._around.is_at_work():",
        new="if not self._around.settings:",
        tests=(f"{IN_TURN}::test_a_stop_is_moved_by_the_engine_that_is_at_work",),
    ),
    Defect(
        name="an engine that was replaced changes leverage",
        file=f"{ENGINE}/margin_mirrors.py",
        old=(
            "            if not self._around.is_at_work():\n                return\n"
            "            await venue"
        ),
        new="            await venue",
        tests=(f"{IN_TURN}::test_margin_and_leverage_are_mirrored_by_the_engine_that_is_at_work",),
    ),
)
