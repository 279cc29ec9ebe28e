"""Defects of shares and marks, of money that waits, of exits that wait, of clocks that are set."""

from tests.mutations.defect import Defect

ENGINE = "copyplugin/engine"
STORE = "copyplugin/store"
SIM = "tests/simulation"
BOOKS = "tests/integration/store"

AUDITED = (
    Defect(
        name="a last share that was short is asked for again",
        file=f"{STORE}/settlements.py",
        old="reckoning = Reckoning(share=payable, mark=result)",
        new="reckoning = Reckoning(share=payable, mark=mark.mark)",
        tests=(
            f"{BOOKS}/test_reckonings.py::test_a_last_share_that_is_short_is_not_asked_for_again",
        ),
    ),
    Defect(
        name="what was lost below where a held share began is shared when it is earned back",
        file=f"{STORE}/settlements.py",
        old=".mark = max(result, floor)",
        new=".mark = result",
        tests=(
            f"{BOOKS}/test_reckonings.py::test_what_is_given_back_is_earned_anew_from_where_it_began_and_no_lower",
        ),
    ),
    Defect(
        name="the sharer loses all of a share of which a part was taken back",
        file=f"{STORE}/escrow.py",
        old="row.share, follow.sharer_ratio or Ratio(ZERO_MONEY)",
        new="row.share, Ratio(ZERO_MONEY)",
        tests=(
            f"{BOOKS}/test_reckonings.py::test_what_is_left_of_a_held_share_is_split_anew_between_leader_and_sharer",
        ),
    ),
    Defect(
        name="the bound of what the leader held is the bound of all his opens",
        file=f"{ENGINE}/planning.py",
        old="if follow.open_held is not None and opening.order_id.startswith(HELD):",
        new="if follow.open_held is not None:",
        tests=(
            f"{SIM}/test_open_held.py::test_what_the_leader_opens_later_keeps_to_the_bound_of_every_open",
        ),
    ),
    Defect(
        name="a follower with too little money is aborted",
        file=f"{ENGINE}/booking.py",
        old="        if not is_poor:\n            follow.refusals_in_a_row += 1",
        new="        follow.refusals_in_a_row += 1",
        tests=(
            f"{SIM}/test_hard_times.py::test_too_little_money_is_no_refusal_and_aborts_nothing",
        ),
    ),
    Defect(
        name="a venue that was silent before is silent still",
        file=f"{ENGINE}/booking.py",
        old="        follow.unreachable_since = None\n",
        new="        follow.unreachable_since = follow.unreachable_since\n",
        tests=(
            f"{SIM}/test_hard_times.py::test_a_venue_that_answers_in_between_has_not_been_silent_for_long",
        ),
    ),
    Defect(
        name="an open is tried as long as its time lasts",
        file=f"{ENGINE}/planning.py",
        old="order.attempts >= settings.open_attempts",
        new="order.attempts < 0",
        tests=(
            f"{SIM}/test_hard_times.py::test_an_open_is_tried_so_often_however_long_it_may_be_tried",
        ),
    ),
    Defect(
        name="every day has 24 hours",
        file="copyplugin/domain/days.py",
        old="ends=day_begins(day + timedelta(days=1), zone)",
        new="ends=day_begins(day, zone) + timedelta(days=1)",
        tests=(
            "tests/laws/domain/test_days.py::test_a_day_on_which_clocks_are_moved_is_as_long_as_it_is",
        ),
    ),
    Defect(
        name="a share that is still in the account is the follower's own",
        file=f"{ENGINE}/follow_limits.py",
        old="own=Money(total(valuation.equity, -due))",
        new="own=valuation.equity",
        tests=(
            f"{SIM}/test_limits.py::test_a_share_that_is_still_in_the_account_is_not_the_followers",
        ),
    ),
    Defect(
        name="a share that is owed is traded with",
        file=f"{ENGINE}/booking.py",
        old="return max(ZERO_MONEY, money_total(money, Money(-owed.money)))",
        new="return max(ZERO_MONEY, money)",
        tests=(
            f"{SIM}/test_owed_money.py::test_a_share_that_has_not_left_the_sub_account_is_not_traded_with",
        ),
    ),
    Defect(
        name="a share that left while the balance was asked for is traded with",
        file=f"{ENGINE}/booking.py",
        old="if owed.gone != outcome.shares_gone:",
        new="if owed.gone < outcome.shares_gone:",
        tests=(
            f"{SIM}/test_owed_money.py::test_the_balance_is_asked_for_again_where_a_share_left_in_between",
        ),
    ),
    Defect(
        name="funding that is told late is money taken out",
        file=f"{STORE}/account_record.py",
        old="            doubted = place\n",
        new="            doubted = 0\n",
        tests=(
            f"{SIM}/test_late_funding.py::test_a_payment_that_is_told_late_is_neither_taken_out_nor_brought_in",
        ),
    ),
    Defect(
        name="funding that is told after another of its instant is never counted",
        file=f"{STORE}/account_record.py",
        old="return told != counted",
        new="return False",
        tests=(
            f"{SIM}/test_late_funding.py::test_a_payment_that_is_told_late_is_neither_taken_out_nor_brought_in",
        ),
    ),
    Defect(
        name="a follow ends when its money bears not every order",
        file=f"{ENGINE}/settling.py",
        old="return min(margins, default=None)",
        new="return max(margins, default=None)",
        tests=(
            f"{SIM}/test_copying.py::test_a_sub_account_that_bears_the_smallest_of_its_orders_goes_on",
        ),
    ),
    Defect(
        name="what a close sold too much of after a loss is bought back",
        file="copyplugin/domain/lost_position.py",
        old="return min(self.target, target, Contracts(self.actual_after + missing))",
        new="return min(self.target, target)",
        tests=(
            f"{SIM}/test_lost_positions.py::test_what_a_close_sold_too_much_of_not_knowing_of_the_loss_is_not_bought_back",
        ),
    ),
    Defect(
        name="a part of a fee is rounded in its payer's favour",
        file=f"{ENGINE}/adopting.py",
        old="fee=Money(-money_floor(Fraction(-fill.fee) * part))",
        new="fee=money_floor(Fraction(fill.fee) * part)",
        tests=(
            "tests/unit/engine/test_parts_of_fills.py::test_the_fee_of_a_part_is_rounded_up_and_its_profit_down",
        ),
    ),
    Defect(
        name="an order that goes on filling counts again as one of its day",
        file=f"{STORE}/follow_rules.py",
        old="CopyDecisionRow.signal_id != signal.id,",
        new="CopyDecisionRow.signal_id != 0,",
        tests=(
            f"{SIM}/test_modes.py::test_an_order_of_the_leader_that_goes_on_filling_counts_once_a_day",
        ),
    ),
    Defect(
        name="the last part of a close is kept for a top-up",
        file=f"{ENGINE}/signals.py",
        old="signal.final = signal.final or is_flipped or transition.effect is Effect.CLOSE",
        new="signal.final = signal.final",
        tests=(
            f"{SIM}/test_exits_first.py::test_the_last_part_of_a_close_is_not_kept_for_a_top_up",
        ),
    ),
    Defect(
        name="what is realised while the venue is asked counts twice",
        file=f"{ENGINE}/settling.py",
        old="return is_same and self.view.is_of_one_moment(self.lanes)",
        new="return is_same",
        tests=(
            f"{SIM}/test_share_bases.py::test_a_profit_that_is_realised_while_the_venue_is_asked_counts_once",
        ),
    ),
    Defect(
        name="a liquidation that is not booked yet is left out of a reckoning",
        file=f"{ENGINE}/settling.py",
        old="held.get(leg, 0) >= lane.actual",
        new="held.get(leg, 0) >= 0",
        tests=(
            f"{SIM}/test_share_bases.py::test_a_loss_that_is_not_booked_yet_is_not_left_out_of_a_reckoning",
        ),
    ),
    Defect(
        name="money that backs an order in doubt counts as spent",
        file=f"{ENGINE}/settling.py",
        old="and case.is_at_rest  # else an order under way has the money",
        new="and case is not None",
        tests=(
            f"{SIM}/test_ending_and_settling.py::test_money_that_backs_an_order_in_doubt_is_not_taken_for_spent",
        ),
    ),
    Defect(
        name="funding that comes while a share waits changes what was booked",
        file=f"{STORE}/settling_book.py",
        old="if profit == 0 or books.has(RESULT, reference):",
        new="if profit == 0:",
        tests=(
            f"{BOOKS}/test_money_paths.py::test_funding_that_comes_while_a_share_waits_is_booked_once_and_lowers_the_share",
        ),
    ),
    Defect(
        name="a share in escrow is a loss of trading",
        file=f"{STORE}/transfers.py",
        old="SHARES = frozenset({TransferKind.SHARE, TransferKind.SHARER, TransferKind.ESCROW})",
        new="SHARES = frozenset({TransferKind.SHARE, TransferKind.SHARER})",
        tests=(
            f"{SIM}/test_limits.py::test_the_trailing_stop_follows_the_peak_and_a_share_paid_is_no_loss",
        ),
    ),
    Defect(
        name="a close waits behind an open that waits",
        file=f"{ENGINE}/planning.py",
        old="return replace(terms, leader_has_closed=True)",
        new="return None",
        tests=(
            f"{SIM}/test_exits_first.py::test_a_close_passes_an_open_that_waits_for_another_lane",
        ),
    ),
    Defect(
        name="what waited for a share that was paid otherwise stays in a closed follow",
        file=f"{STORE}/payables.py",
        old=" or transfers_of(session, follow.id, {TransferKind.RETURN})",
        new="",
        tests=(
            f"{SIM}/test_own_accounts.py::test_what_waited_goes_home_also_when_it_is_marked_as_paid_while_the_rest_leaves",
        ),
    ),
    Defect(
        name="a transfer waits for a time of day that a clock set back has moved away",
        file=f"{STORE}/transfers.py",
        old="TransferRow.retry_at > now + LONGEST_PAUSE,",
        new="TransferRow.retry_at > now + 1_000 * LONGEST_PAUSE,",
        tests=(
            f"{BOOKS}/test_money_paths.py::test_a_transfer_in_doubt_waits_until_it_is_to_be_asked_again",
        ),
    ),
    Defect(
        name="a share that a loss has eaten is tried for ever",
        file=f"{ENGINE}/transfers.py",
        old="if state not in LAST_CALL or not lane_work.is_flat(session, follow_id):",
        new="if state in LAST_CALL or not lane_work.is_flat(session, follow_id):",
        tests=(
            f"{SIM}/test_ending_and_settling.py::test_a_share_that_a_later_loss_has_eaten_keeps_no_follow_from_its_end",
        ),
    ),
    Defect(
        name="an order that a cap refuses in the end leaves its parts to be carried",
        file="copyplugin/domain/steering.py",
        old="        elif wanted == 0:  # refused",
        new="        elif wanted < 0:  # refused",
        tests=(
            "tests/laws/domain/test_steering_laws.py::test_an_open_that_wanted_nothing_yet_is_decided_as_if_it_had_come_at_once",
        ),
    ),
    Defect(
        name="what was forgotten of an order is carried again when it grows",
        file=f"{ENGINE}/planning.py",
        old="            forgotten=row.forgotten or NOTHING,\n",
        new="",
        tests=(
            f"{SIM}/test_modes.py::test_what_was_forgotten_of_an_order_is_not_carried_again_when_it_grows",
        ),
    ),
    Defect(
        name="what an order had left is forgotten only the first time",
        file=f"{STORE}/marking.py",
        old="(row.forgotten or NOTHING) + (row.residue or NOTHING)",
        new="row.forgotten",
        tests=(
            f"{SIM}/test_modes.py::test_what_was_forgotten_twice_of_an_order_is_carried_by_nothing",
        ),
    ),
    Defect(
        name="dry run: what was forgotten of an order is carried by the rest of it",
        file="copyplugin/domain/retaking.py",
        old="            carried, forgotten = NOTHING, before.residue\n",
        new="",
        tests=(
            f"{SIM}/test_modes.py::test_what_was_forgotten_of_an_order_is_not_carried_again_when_it_grows",
        ),
    ),
)
