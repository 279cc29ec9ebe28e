"""Defects of what is done where the venue has not answered, or knows an instrument no more."""

from tests.mutations.defect import Defect

ENGINE = "copyplugin/engine"
DOUBT = "tests/simulation/test_margin_in_doubt.py"
UNLISTED = "tests/simulation/test_unlisted_instruments.py"

DOUBTS = (
    Defect(
        name="margin that was asked for and not answered is asked for again at once",
        file=f"{ENGINE}/margin_mirrors.py",
        old="if outcome is not AttemptOutcome.MADE and await self._may_arrive(mirror, attempt):",
        new="if outcome is AttemptOutcome.UNCLEAR and await self._may_arrive(mirror, attempt):",
        tests=(f"{DOUBT}::test_a_request_that_arrives_late_is_not_made_a_second_time",),
    ),
    Defect(
        name="margin is asked for before it is written down",
        file=f"{ENGINE}/margin_mirrors.py",
        old="lambda session: leader_margins.begin_attempt(session, mirror.position_id, attempt)",
        new="lambda _: True",
        tests=(f"{DOUBT}::test_a_process_that_dies_between_call_and_booking_adds_it_once",),
    ),
    Defect(
        name="where a position changed beside a doubt, margin is guessed at",
        file=f"{ENGINE}/margin_mirrors.py",
        old="if outcome is AttemptOutcome.UNCLEAR:",
        new="if outcome is None:",
        tests=(
            f"{DOUBT}::test_where_the_position_has_changed_since_nothing_is_added_and_it_is_told",
        ),
    ),
    Defect(
        name="a process that died is believed to have sent nothing after it wrote so",
        file=f"{ENGINE}/margin_mirrors.py",
        old="if sent_at is None or sent_at > now:  # the clock was set back since",
        new="sent_at = sent_at or attempt.decided_at\n        if sent_at > now:",
        tests=(f"{DOUBT}::test_a_process_that_dies_between_call_and_booking_adds_it_once",),
    ),
    Defect(
        name="contracts that left take nothing of the margin that was to be added along",
        file="copyplugin/domain/margin_parity.py",
        old="return wanted if now >= before else money_ceil(Fraction(wanted) * now / before)",
        new="return wanted",
        tests=(
            f"{DOUBT}::test_contracts_that_left_before_it_was_made_take_their_part_of_it_along",
        ),
    ),
    Defect(
        name="a venue is not told what was traded before it was started",
        file=f"{ENGINE}/surroundings.py",
        old="            self.venue.remember(self.instruments)\n",
        new="            pass\n",
        tests=(f"{UNLISTED}::test_what_vanished_from_the_list_is_closed_by_its_last_terms",),
    ),
    Defect(
        name="what the venue lists no more is opened all the same",
        file=f"{ENGINE}/market_data.py",
        old="self._around.unlisted = self._around.instruments.keys() - listed.keys()",
        new="self._around.unlisted = frozenset()",
        tests=(f"{UNLISTED}::test_nothing_is_opened_in_it_and_the_reason_has_a_name",),
    ),
    Defect(
        name="what the venue lists no more cannot be closed either",
        file=f"{ENGINE}/planning.py",
        old="instrument = self._instrument(lane.symbol, opens=lane.target > lane.actual)",
        new="instrument = self._instrument(lane.symbol, opens=True)",
        tests=(f"{UNLISTED}::test_what_vanished_from_the_list_is_closed_by_its_last_terms",),
    ),
    Defect(
        name="a close that is refused again and again is told to nobody",
        file=f"{ENGINE}/booking.py",
        old="            self._alarm_of_refusal(outcome, order, lane)\n",
        new="",
        tests=(
            f"{UNLISTED}::test_a_close_that_the_venue_refuses_is_tried_on_and_told_until_it_is_made",
        ),
    ),
)
