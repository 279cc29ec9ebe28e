"""Mistakes that show when answers are late, orders fill in part, clocks differ, streams break."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from copyplugin.domain.account import TransferOutcome
from copyplugin.domain.order import OrderStatus, TimeInForce
from copyplugin.errors import OrderRejected, TransferRejected, VenueUnavailable
from tests.venues.defects import Call, Defect, changed, raising_instead, with_


def answers_in_the_order_of_asking(call: Call) -> Call:
    """Take the first answer that comes for the one to the first question."""
    waiting: deque[asyncio.Future[Any]] = deque()

    async def called(*given: Any) -> Any:
        slot: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiting.append(slot)
        answer = await call(*given)
        waiting.popleft().set_result(answer)
        return await slot

    return called


def not_certain_is(answer: object) -> Callable[[Call], Call]:
    """Return a defect that gives an answer where there is none yet."""

    def wrong(call: Call) -> Call:
        async def called(*given: Any) -> Any:
            try:
                return await call(*given)
            except VenueUnavailable:
                return answer

        return called

    return wrong


def whole_where_part(call: Call) -> Call:
    async def called(request: Any) -> Any:
        report = await call(request)
        return replace(report, filled=request.contracts) if report.filled else report

    return called


def resting(call: Call) -> Call:
    async def called(request: Any) -> Any:
        return await call(replace(request, time_in_force=TimeInForce.GTC))

    return called


def never_opened_anew(call: Call) -> Call:
    async def called(*given: Any) -> Any:
        stream = await call(*given)
        stream.stop_guarding()
        return stream

    return called


def telling(change: Callable[[list[Any], Any], Any]) -> Callable[[Call], Call]:
    """Return a defect in what is told; ``change`` gets what was told before, and the next."""

    def wrong(call: Call) -> Call:
        async def called(accounts: Any, on_fill: Callable[[Any], None]) -> Any:
            before: list[Any] = []

            def tell(fill: Any) -> None:
                told = change(before, fill)
                before.append(fill)
                if told is not None:
                    on_fill(told)

            return await call(accounts, tell)

        return called

    return wrong


def priced_as_the_one_before(before: list[Any], fill: Any) -> Any:
    return replace(fill, price=before[-1].price) if before else fill


def under_a_name_of_its_own(before: list[Any], fill: Any) -> Any:
    return replace(fill, venue_fill_id=f"{fill.venue_fill_id}-{len(before)}")


def only_the_first_few(before: list[Any], fill: Any) -> Any:
    return fill if len(before) < 5 else None


DEFECTS_IN_TIME = {
    "answers to orders mixed up": Defect(
        "place_order",
        answers_in_the_order_of_asking,
        ("test_answers_out_of_turn_are_each_their_own_orders",),
    ),
    "answers to questions mixed up": Defect(
        "positions",
        answers_in_the_order_of_asking,
        ("test_a_slow_answer_to_a_question_is_the_right_one",),
    ),
    "an order on its way is called lost": Defect(
        "find_order",
        not_certain_is(None),
        ("test_an_order_that_may_still_arrive_is_not_called_lost",),
    ),
    "a transfer on its way is called not done": Defect(
        "transfer_outcome",
        not_certain_is(TransferOutcome.UNKNOWN_TO_VENUE),
        ("test_a_transfer_that_arrives_late_moves_money_once",),
    ),
    "a clock that is off refuses orders": Defect(
        "place_order",
        raising_instead(VenueUnavailable, OrderRejected("invalid", "time")),
        ("test_a_clock_that_is_off_costs_no_order",),
    ),
    "a clock that is off refuses plans": Defect(
        "place_plan",
        raising_instead(VenueUnavailable, OrderRejected("invalid", "time")),
        ("test_a_clock_that_is_off_costs_no_plan",),
    ),
    "a clock that is off refuses transfers": Defect(
        "transfer",
        raising_instead(VenueUnavailable, TransferRejected("invalid", "time")),
        ("test_a_clock_that_is_off_moves_no_money_twice",),
    ),
    "fills of each page newest first": Defect(
        "leader_fills",
        changed(lambda fills: fills[::-1]),
        ("test_a_clock_that_is_off_hides_no_fill",),
    ),
    "a part is told as the whole": Defect(
        "place_order",
        whole_where_part,
        (
            "test_a_close_in_parts_leaves_the_rest_and_never_turns_round",
            "test_in_a_storm_every_order_gets_what_there_was",
        ),
    ),
    "what is not filled rests": Defect(
        "place_order", resting, ("test_a_part_whose_answer_was_lost_is_found_as_a_part",)
    ),
    "a resting order is done": Defect(
        "find_order",
        changed(lambda report: with_(report, status=lambda _: OrderStatus.DONE)),
        ("test_an_order_that_rests_tells_each_part_as_it_fills",),
    ),
    "the first fill of an order only": Defect(
        "find_order",
        changed(lambda report: with_(report, fills=lambda fills: fills[:1])),
        ("test_an_order_that_rests_tells_each_part_as_it_fills",),
    ),
    "a stream that stays dead": Defect(
        "subscribe",
        never_opened_anew,
        ("test_a_stream_that_has_died_comes_back_and_tells_what_it_missed",),
    ),
    "a fill told with the price of another": Defect(
        "subscribe",
        telling(priced_as_the_one_before),
        (
            "test_what_is_told_late_or_twice_is_told_as_it_was",
            "test_a_fill_is_told_as_it_is_listed",
        ),
    ),
    "fills told under other names": Defect(
        "subscribe",
        telling(under_a_name_of_its_own),
        ("test_a_storm_on_the_stream_hides_and_repeats_nothing_of_the_list",),
    ),
    "a stream that grows tired": Defect(
        "subscribe",
        telling(only_the_first_few),
        ("test_a_storm_on_the_stream_hides_and_repeats_nothing_of_the_list",),
    ),
}
