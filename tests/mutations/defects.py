"""The defects: each is one small wrong change, and the tests of the suite that must fail for it."""

from tests.mutations.defect import Defect
from tests.mutations.dialect_defects import DIALECTS
from tests.mutations.doubt_defects import DOUBTS
from tests.mutations.lease_defects import LEASES
from tests.mutations.money_defects import AUDITED
from tests.mutations.order_of_work_defects import ORDER_OF_WORK
from tests.mutations.settings_defects import SETTINGS

DOMAIN = "copyplugin/domain"
ENGINE = "copyplugin/engine"
STORE = "copyplugin/store"
LAWS = "tests/laws/domain"
SIM = "tests/simulation"
WORLDS = f"{SIM}/test_worlds.py::test_every_world_keeps_its_laws"

STEERING = (
    Defect(
        name="a close leaves the follower more than the leader's part",
        file=f"{DOMAIN}/sizing.py",
        old="closed = max(held - held * leader_after // leader_before, smallest)",
        new="closed = max(held * (leader_before - leader_after) // leader_before, smallest)",
        tests=(
            f"{LAWS}/test_sizing_laws.py::test_a_close_leaves_no_more_than_the_leaders_proportion",
        ),
    ),
    Defect(
        name="what remains below the venue's minimum stays open",
        file=f"{DOMAIN}/sizing.py",
        old="return Contracts(remainder) if remainder >= smallest else NO_CONTRACTS",
        new="return Contracts(remainder)",
        tests=(
            f"{LAWS}/test_sizing_laws.py::test_a_close_leaves_no_more_than_the_leaders_proportion",
        ),
    ),
    Defect(
        name="a proportion may exceed the whole",
        file=f"{DOMAIN}/sizing.py",
        old="part = min(Fraction(margin) / Fraction(balance), Fraction(1))",
        new="part = Fraction(margin) / Fraction(balance)",
        tests=(
            f"{LAWS}/test_sizing_laws.py::test_proportional_mode_never_opens_more_than_the_rule_and_one_more_would_be_too_many",
        ),
    ),
    Defect(
        name="the fee of an open is not counted in what the balance bears",
        file=f"{DOMAIN}/sizing.py",
        old="* (1 / Fraction(opening.leverage) + fee_rate)",
        new="* (1 / Fraction(opening.leverage))",
        tests=(
            f"{LAWS}/test_sizing_laws.py::test_what_is_opened_is_paid_for_and_within_what_the_venue_takes",
        ),
    ),
    Defect(
        name="what was not filled stays in the target and is bought later",
        file=f"{DOMAIN}/steering.py",
        old="target=Contracts(max(0, before.target - contracts)),",
        new="target=before.target,",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_what_found_no_taker_is_not_made_up_for_when_the_leaders_order_grows",
        ),
    ),
    Defect(
        name="a close may raise the target",
        file=f"{DOMAIN}/steering.py",
        old="target=min(target, aim),",
        new="target=aim,",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_a_close_decided_again_opens_nothing_that_was_closed_meanwhile",
        ),
    ),
    Defect(
        name="opens are copied while copying is halted",
        file=f"{DOMAIN}/steering.py",
        old="if not terms.copies_opens or terms.is_halted:",
        new="if not terms.copies_opens:",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_an_open_that_may_not_be_copied_leaves_the_target_alone",
        ),
    ),
    Defect(
        name="an open is copied however late it is known",
        file=f"{DOMAIN}/steering.py",
        old="if now - move.last_fill_at > terms.late_after:",
        new="if now - move.last_fill_at > 1000 * terms.late_after:",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_an_open_that_may_not_be_copied_leaves_the_target_alone",
        ),
    ),
    Defect(
        name="a close below the venue's minimum is not raised to it",
        file=f"{DOMAIN}/steering.py",
        old="contracts = min(max(actual - target, instrument.contracts_min), actual)",
        new="contracts = actual - target",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_a_reducing_order_is_at_market_and_takes_no_more_than_is_held",
        ),
    ),
    Defect(
        name="the bound of a price is rounded away from the leader's",
        file=f"{DOMAIN}/price_protection.py",
        old="ticks = leader_price * (1 + Fraction(bound)) // tick",
        new="ticks = -(-leader_price * (1 + Fraction(bound)) // tick)",
        tests=(
            f"{LAWS}/test_steering_laws.py::test_a_bound_is_on_the_grid_never_exceeded_and_the_next_price_would_exceed_it",
        ),
    ),
)

MONEY = (
    Defect(
        name="a short earns when its price rises",
        file=f"{DOMAIN}/round_trip.py",
        old="if self.position_side is PositionSide.SHORT:",
        new="if self.position_side is PositionSide.LONG:",
        tests=(
            f"{LAWS}/test_round_trip_laws.py::test_once_flat_the_result_is_exactly_what_came_in_less_what_went_out",
        ),
    ),
    Defect(
        name="a share is taken before funding",
        file=f"{DOMAIN}/share.py",
        old="total(realized_pnl, -fees, -funding)",
        new="total(realized_pnl, -fees)",
        tests=(
            f"{LAWS}/test_share_laws.py::test_fees_and_funding_that_were_paid_lower_the_profit_by_what_they_are",
        ),
    ),
    Defect(
        name="a losing position owes a negative share",
        file=f"{DOMAIN}/share.py",
        old="if profit <= 0:",
        new="if profit == 0:",
        tests=(
            f"{LAWS}/test_share_laws.py::test_a_share_is_never_negative_and_never_more_than_its_part_of_the_profit",
        ),
    ),
    Defect(
        name="the sharer's part is paid on top of the share",
        file=f"{DOMAIN}/share.py",
        old="return Money(total(share, -sharer_part)), sharer_part",
        new="return share, sharer_part",
        tests=(
            f"{LAWS}/test_share_laws.py::test_the_leaders_and_the_sharers_part_sum_to_the_share_to_the_last_unit",
        ),
    ),
    Defect(
        name="the same profit is shared again: the mark stays",
        file=f"{DOMAIN}/high_water_mark.py",
        old="return Reckoning(share=share, mark=result)",
        new="return Reckoning(share=share, mark=mark)",
        tests=(
            f"{LAWS}/test_high_water_mark_laws.py::test_a_follower_never_pays_twice_for_the_same_profit",
        ),
    ),
    Defect(
        name="a share above the mark is taken of the whole result",
        file=f"{DOMAIN}/high_water_mark.py",
        old="gained = max(Money(total(result, -mark)), ZERO_MONEY)",
        new="gained = max(result, ZERO_MONEY)",
        tests=(
            f"{LAWS}/test_high_water_mark_laws.py::test_a_follower_never_pays_twice_for_the_same_profit",
        ),
    ),
    Defect(
        name="the oldest held share is taken back first",
        file=f"{DOMAIN}/high_water_mark.py",
        old="for share in reversed(held):",
        new="for share in held:",
        tests=(
            f"{LAWS}/test_high_water_mark_laws.py::test_what_is_taken_back_is_what_is_held_too_much_the_newest_first",
        ),
    ),
    Defect(
        name="two orders may have one name",
        file=f"{DOMAIN}/client_order_id.py",
        old='L{_base_36(lane_id)}S{_base_36(sequence)}"',
        new='L{_base_36(lane_id)}{_base_36(sequence)}"',
        tests=(
            f"{LAWS}/test_client_order_id_laws.py::test_a_name_says_what_it_was_derived_from_so_that_no_two_causes_share_one",
        ),
    ),
    Defect(
        name="a share that is on its way is counted as money to take",
        file=f"{ENGINE}/settling.py",
        old="total(self.book.held_in_place(self.follow.id), *gone.values())",
        new="self.book.held_in_place(self.follow.id)",
        tests=(
            f"{SIM}/test_ending_and_settling.py::test_a_share_that_is_on_its_way_is_not_there_to_pay_another",
        ),
    ),
    Defect(
        name="what is held in the sub-account is a difference to the venue",
        file=f"{ENGINE}/reconcile.py",
        old="-booked, -owed, -held)",
        new="-booked, -owed)",
        tests=(
            f"{SIM}/test_held_in_place.py::test_a_held_share_waits_in_the_sub_account_and_is_owed_when_its_time_is_over",
        ),
    ),
    Defect(
        name="the money goes home before the share is paid",
        file=f"{ENGINE}/following.py",
        old="if _case(session, case.follow_id).shares_under_way:",
        new="if not case.is_flat:",
        tests=(
            f"{SIM}/test_ending_and_settling.py::test_a_share_waits_while_the_money_is_at_work_and_is_paid_before_the_rest_goes_home",
            f"{WORLDS}[shares]",
        ),
    ),
    Defect(
        name="a transfer whose answer was lost is made again",
        file=f"{ENGINE}/transfers.py",
        old="if attempt.number > 1 and (",
        new="if attempt.number < 0 and (",
        tests=(
            f"{SIM}/test_ending_and_settling.py::test_a_transfer_whose_answer_was_lost_is_asked_for_and_not_made_again",
        ),
    ),
    Defect(
        name="a changed entry of the ledger is not noticed",
        file=f"{STORE}/ledger.py",
        old="if row.hash != entry.hash_after(head.hash):",
        new="if row.hash == head.hash:",
        tests=(
            "tests/integration/store/test_ledger.py::test_verify_names_the_first_entry_that_was_changed",
        ),
    ),
    Defect(
        name="what was liquidated is booked at the cost of what was opened later",
        file=f"{ENGINE}/losses.py",
        old="then = _round_trip_then(session, position, fill)",
        new="then = trip",
        tests=(
            f"{SIM}/test_hard_times.py::test_what_was_liquidated_before_more_was_opened_is_booked_at_its_own_cost",
        ),
    ),
    Defect(
        name="what is left of a liquidation is booked at the average cost of both",
        file=f"{ENGINE}/losses.py",
        old="elif order.purpose is OrderPurpose.REPAIR:",
        new="elif False:",
        tests=(
            f"{SIM}/test_hard_times.py::test_what_is_left_of_a_liquidation_keeps_its_own_cost_when_it_is_liquidated_too",
        ),
    ),
)

EXECUTION = (
    Defect(
        name="an order in doubt is sent again without asking",
        file=f"{ENGINE}/planning.py",
        old="if work.in_doubt is not None and work.in_doubt.id not in self._resend:",
        new="if work.in_doubt is not None and work.in_doubt.id in self._resend:",
        tests=(
            f"{SIM}/test_hard_times.py::test_a_close_that_reaches_nobody_is_tried_until_it_does",
            f"{SIM}/test_late_arrivals.py::test_an_order_that_arrives_late_is_not_sent_again",
        ),
    ),
    Defect(
        name="an order that never arrived is forgotten",
        file=f"{ENGINE}/booking.py",
        old="self.booked.resend.add(outcome.order_id)",
        new="lane.marked = False",
        tests=(
            f"{SIM}/test_late_arrivals.py::test_an_order_that_cannot_arrive_any_more_is_sent_again_once",
        ),
    ),
    Defect(
        name="an acknowledged order counts as lost when the venue's lists are behind",
        file=f"{ENGINE}/booking.py",
        old="if order.acknowledged_at is not None:\n            seconds",
        new="if order.filled:\n            seconds",
        tests=(
            f"{SIM}/test_late_arrivals.py::test_an_order_that_was_acknowledged_is_never_lost_whoever_asks",
        ),
    ),
    Defect(
        name="an order that the venue has forgotten is asked for for ever",
        file=f"{ENGINE}/booking.py",
        old="if seconds and order.acknowledged_at + timedelta(seconds=seconds) <= self._now:",
        new="if seconds and order.acknowledged_at > self._now:",
        tests=(f"{SIM}/test_late_arrivals.py",),
    ),
    Defect(
        name="an open whose leader has closed meanwhile is sent again",
        file=f"{ENGINE}/planning.py",
        old="not each.increases and each.contracts_after == 0 for _, each in work.undecided",
        new="not each.increases and each.contracts_after < 0 for _, each in work.undecided",
        tests=(
            f"{SIM}/test_left_out.py::test_an_open_that_never_arrived_before_the_leader_closed_is_skipped_with_its_reason",
        ),
    ),
    Defect(
        name="opens go before closes",
        file=f"{ENGINE}/runners.py",
        old="(not errand.is_urgent, self._queued, errand)",
        new="(errand.is_urgent, self._queued, errand)",
        tests=(
            "tests/unit/engine/test_runners.py::test_what_reduces_goes_before_what_has_waited_longer",
        ),
    ),
    Defect(
        name="an order is sent although the lease may run out before its answer",
        file=f"{ENGINE}/held_lease.py",
        old="return now - self.since + settings.request_timeout_seconds < settings.lease_seconds",
        new="return now - self.since < settings.lease_seconds",
        tests=(
            f"{SIM}/test_engines_in_turn.py::test_an_engines_lease_outlasts_a_request_only_while_it_is_kept",
            "tests/unit/engine/test_lane_worker.py::test_a_lease_outlasts_the_answer_to_what_is_sent_under_it",
        ),
    ),
    Defect(
        name="an order is sent under a lease that was another's in between",
        file=f"{ENGINE}/lane_worker.py",
        old="if lease is None or lease.epoch != epoch:",
        new="if lease is None:",
        tests=(
            "tests/unit/engine/test_lane_worker.py::test_nothing_is_sent_under_a_lease_that_was_lost_nor_after_it_was_anothers",
        ),
    ),
    Defect(
        name="a lease counts from when its answer came",
        file=f"{ENGINE}/lane_worker.py",
        old="self._held[shard] = HeldLease(epoch, before)",
        new="self._held[shard] = HeldLease(epoch, time.monotonic())",
        tests=(
            "tests/unit/engine/test_lane_worker.py::test_a_lease_counts_from_before_it_was_asked_for_however_long_the_answer_took",
        ),
    ),
    Defect(
        name="a lease is taken from a worker that still holds it",
        file=f"{STORE}/leases.py",
        old='" AND (owner IS NULL OR owner = :owner OR until < NOW_US) RETURNING number, epoch"',
        new='" AND (owner IS NULL OR owner = :owner OR until > 0) RETURNING number, epoch"',
        tests=(
            "tests/integration/store/test_leases.py::test_a_lease_has_one_owner_until_it_runs_out",
        ),
    ),
    Defect(
        name="a refusal does not end what it refuses: too many in a row abort nobody",
        file=f"{ENGINE}/booking.py",
        old="follow.refusals_in_a_row += 1",
        new="follow.refusals_in_a_row += 0",
        tests=(
            f"{SIM}/test_hard_times.py::test_refusals_in_a_row_abort_the_follow_and_bring_the_money_home",
        ),
    ),
    Defect(
        name="a venue that is silent for long aborts nobody",
        file=f"{ENGINE}/booking.py",
        old="if silence >= timedelta(seconds=self._settings.unreachable_abort_seconds):",
        new="if silence < timedelta(0):",
        tests=(
            f"{SIM}/test_hard_times.py::test_a_venue_that_is_silent_for_too_long_aborts_the_follow",
        ),
    ),
    Defect(
        name="a leader order that grows is copied once",
        file=f"{ENGINE}/signals.py",
        old="shards |= marking.revise_decisions(session, signal.id)",
        new="pass",
        tests=(
            f"{SIM}/test_copying.py::test_an_order_that_goes_on_filling_is_topped_up_after_a_while",
        ),
    ),
    Defect(
        name="what a wake-up announced while work runs is lost",
        file="copyplugin/dispatch/in_process.py",
        old="await self._guarded(name, served.handler(keys))\n",
        new="await self._guarded(name, served.handler(keys))\n            served.woken.clear()\n",
        tests=(
            "tests/unit/engine/test_in_process_dispatcher.py::test_announcements_during_a_run_are_one_run_with_all_their_keys",
        ),
    ),
)

LIFE = (
    Defect(
        name="a closed follow may be pending again",
        file=f"{DOMAIN}/follow.py",
        old="_S.CLOSED: frozenset(),",
        new="_S.CLOSED: frozenset({_S.PENDING}),",
        tests=(f"{LAWS}/test_follow_laws.py::test_an_ended_relationship_never_copies_again",),
    ),
    Defect(
        name="one follower more than the leader has places for",
        file=f"{STORE}/places.py",
        old="and places_taken(session, leader.id) >= leader.max_followers",
        new="and places_taken(session, leader.id) > leader.max_followers",
        tests=(
            "tests/integration/store/test_places.py::test_of_a_thousand_who_press_copy_at_once_a_hundred_get_the_hundred_places",
        ),
    ),
    Defect(
        name="a loss limit that is just reached is not reached",
        file=f"{DOMAIN}/follow_limits.py",
        old="if loss >= limits.max_loss:",
        new="if loss > limits.max_loss:",
        tests=(
            f"{LAWS}/test_follow_limits_laws.py::test_the_largest_loss_is_hit_at_the_last_unit_and_not_one_before",
        ),
    ),
    Defect(
        name="the trailing stop trails the copy amount, not the peak",
        file=f"{DOMAIN}/follow_limits.py",
        old="floor = Fraction(values.peak) *",
        new="floor = Fraction(values.copy_amount) *",
        tests=(f"{LAWS}/test_follow_limits_laws.py::test_a_trailing_stop_is_a_part_of_the_peak",),
    ),
    Defect(
        name="a trade without profit counts as won",
        file=f"{DOMAIN}/statistics.py",
        old="trades_won=sum(trade.profit > 0 for trade in closed),",
        new="trades_won=sum(trade.profit >= 0 for trade in closed),",
        tests=(f"{LAWS}/test_statistics_laws.py::test_a_trade_without_profit_or_loss_is_not_won",),
    ),
    Defect(
        name="a short's profit ratio has the wrong sign",
        file=f"{DOMAIN}/statistics.py",
        old="if position_side is PositionSide.LONG else entry - leave",
        new="if position_side is PositionSide.LONG else leave - entry",
        tests=(f"{LAWS}/test_statistics_laws.py::test_what_a_long_gains_a_short_loses",),
    ),
)

PROTECTION = (
    Defect(
        name="a stop just at the liquidation price counts as before it",
        file=f"{DOMAIN}/protection.py",
        old="return Fraction(trigger) <= Fraction(liquidation)",
        new="return Fraction(trigger) < Fraction(liquidation)",
        tests=(
            f"{LAWS}/test_protection_laws.py::test_a_stop_just_where_the_position_is_liquidated_comes_too_late",
        ),
    ),
    Defect(
        name="a stop that vanished at the venue is believed to rest",
        file=f"{ENGINE}/protection_book.py",
        old='self._end_plan(plan, PlanState.WITHDRAWN, "the venue knows it no more")',
        new="self._held.add(plan.id)",
        tests=(
            f"{SIM}/test_plans_of_other_venues.py::test_a_plan_that_the_venue_knows_no_more_rests_again_with_the_next_job",
        ),
    ),
    Defect(
        name="a stop in doubt is sent again without asking",
        file=f"{ENGINE}/protection_book.py",
        old="if plan.state is PlanState.SENT and plan.id not in self._unknown:",
        new="if plan.state is PlanState.SENT and plan.id in self._unknown:",
        tests=(
            f"{SIM}/test_protection.py::test_a_plan_in_doubt_is_asked_for_and_never_rests_twice",
        ),
    ),
    Defect(
        name="the old stop goes before the new one rests",
        file=f"{ENGINE}/protection_book.py",
        old="        else:\n            self._add_plan(lane, position, current.kind, wanted)\n",
        new="        else:\n            self._let_go(lane, current)\n",
        tests=(
            f"{SIM}/test_protection.py::test_where_the_venue_cannot_amend_the_new_plan_rests_before_the_old_is_withdrawn",
        ),
    ),
    Defect(
        name="a position that grew keeps the size of its stop",
        file=f"{ENGINE}/protection_book.py",
        old="            and plan.contracts == lane.lane.actual\n",
        new="",
        tests=(
            f"{SIM}/test_plans_of_other_venues.py::test_a_plan_grows_with_its_position_where_its_price_stays",
        ),
    ),
    Defect(
        name="a follow goes on after its stop has fired",
        file=f"{ENGINE}/protection_book.py",
        old='self._ending = f"{what} fired"\n',
        new="pass\n",
        tests=(
            f"{SIM}/test_protection.py::test_a_stop_that_fires_closes_the_position_and_ends_the_follow",
        ),
    ),
)

DEFECTS = (
    *STEERING,
    *MONEY,
    *EXECUTION,
    *LIFE,
    *PROTECTION,
    *DIALECTS,
    *LEASES,
    *AUDITED,
    *ORDER_OF_WORK,
    *SETTINGS,
    *DOUBTS,
)
