"""Venues with one mistake each, as adapters make them; the suite must find every one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from copyplugin.domain.account import TransferOutcome
from copyplugin.domain.fill import FillCause, PositionSide
from copyplugin.domain.identifiers import TransferId
from copyplugin.errors import OrderRejected, OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.ports import Venue

Call = Callable[..., Any]


@dataclass(frozen=True)
class Defect:
    """Method of the port, how it goes wrong, and the tests that must notice."""

    method: str
    wrong: Callable[[Call], Call]
    noticed_by: tuple[str, ...]


class DefectiveVenue:
    """A venue of which one method is wrong."""

    def __init__(self, venue: Venue, defect: Defect) -> None:
        self._venue = venue
        self._method = defect.method
        self._called = defect.wrong(getattr(venue, defect.method))

    def __getattr__(self, name: str):
        return self._called if name == self._method else getattr(self._venue, name)


def changed(change: Callable[[Any], Any]) -> Callable[[Call], Call]:
    """Return a defect that changes answers."""

    def wrong(call: Call) -> Call:
        async def called(*given: Any, **named: Any) -> Any:
            return change(await call(*given, **named))

        return called

    return wrong


def raising_instead(raised: type[Exception], instead: Exception) -> Callable[[Call], Call]:
    """Return a defect that calls one error another."""

    def wrong(call: Call) -> Call:
        async def called(*given: Any, **named: Any) -> Any:
            try:
                return await call(*given, **named)
            except raised as error:
                raise instead from error

        return called

    return wrong


def each(**fields: Callable[[Any], Any]) -> Callable[[Call], Call]:
    """Return a defect in some fields of every row of an answer."""
    return changed(lambda rows: [with_(row, **fields) for row in rows])


def with_(row: Any, **fields: Callable[[Any], Any]) -> Any:
    return row and replace(row, **{name: new(getattr(row, name)) for name, new in fields.items()})


def a_new_transfer_each_time(call: Call) -> Call:
    count = iter(range(10**6))

    async def called(request: Any) -> None:
        name = TransferId(f"{request.transfer_id}-{next(count)}")
        await call(replace(request, transfer_id=name))

    return called


def a_new_label_each_time(call: Call) -> Call:
    count = iter(range(10**6))

    async def called(owner: Any, label: str) -> Any:
        return await call(owner, f"{label}-{next(count)}")

    return called


def one_left_out_after_a_cursor(call: Call) -> Call:
    async def called(account: Any, after: Any) -> Any:
        fills = await call(account, after)
        return fills if after is None else fills[1:]

    return called


def the_last_one_again(call: Call) -> Call:
    """Ask from the time of the cursor, as venues do, and forget to leave out what is known."""

    async def called(account: Any, after: Any) -> Any:
        fills = list(await call(account, after))
        known = await call(account, None)
        at = [fill.venue_fill_id for fill in known].index(after) if after else 0
        return [known[at], *fills] if after and fills else fills

    return called


def ignoring(*names: int) -> Callable[[Call], Call]:
    """Return a defect that does not pass some of what it was given on."""

    def wrong(call: Call) -> Call:
        async def called(*given: Any) -> Any:
            return await call(*(None if at in names else each for at, each in enumerate(given)))

        return called

    return wrong


def deaf_to_the_end(call: Call) -> Call:
    class Endless:
        async def close(self) -> None: ...

    async def called(accounts: Any, on_fill: Any) -> Any:
        await call(accounts, on_fill)
        return Endless()

    return called


def sent_twice(call: Call) -> Call:
    """Send again without asking when the answer does not come."""

    async def called(request: Any) -> Any:
        try:
            return await call(request)
        except OutcomeUnknown:
            return await call(replace(request, client_order_id=request.client_order_id + "R"))

    return called


def silent_where_refused(call: Call) -> Call:
    async def called(*given: Any) -> None:
        try:
            await call(*given)
        except RequestRejected:
            return

    return called


def to_cents(money: Decimal) -> Decimal:
    return money.quantize(Decimal("0.01"))


def minus(money: Decimal) -> Decimal:
    return -money


DEFECTS = {
    "duplicates are rejections": Defect(
        "place_order",
        raising_instead(OutcomeUnknown, OrderRejected("invalid", "duplicate id")),
        ("test_an_id_used_again_executes_nothing_and_is_never_a_rejection",),
    ),
    "refusals are doubts": Defect(
        "place_order",
        raising_instead(OrderRejected, OutcomeUnknown("a code not known")),
        ("test_a_reducing_order_without_a_position_is_rejected",),
    ),
    "doubts are outages": Defect(
        "place_order",
        raising_instead(OutcomeUnknown, VenueUnavailable("time-out")),
        ("test_an_order_whose_answer_was_lost_is_in_doubt_and_found",),
    ),
    "outages are refusals": Defect(
        "place_order",
        raising_instead(VenueUnavailable, OrderRejected("maintenance", "closed")),
        ("test_orders_in_a_storm_are_executed_exactly_once",),
    ),
    "in doubt sends again": Defect(
        "place_order", sent_twice, ("test_an_order_whose_answer_was_lost_is_in_doubt_and_found",)
    ),
    "fees in whole cents": Defect(
        "place_order",
        changed(lambda report: with_(report, fee=to_cents)),
        ("test_a_market_order_fills_at_what_is_offered",),
    ),
    "ended orders are forgotten": Defect(
        "find_order",
        changed(lambda _: None),
        ("test_an_order_is_found_by_its_id_after_it_has_ended",),
    ),
    "found orders have no fills": Defect(
        "find_order",
        changed(lambda report: with_(report, fills=lambda _: ())),
        ("test_an_order_is_found_by_its_id_after_it_has_ended",),
    ),
    "entry cost from a rounded average": Defect(
        "positions",
        each(entry_cost=to_cents),
        ("test_a_position_is_what_was_filled",),
    ),
    "sides mixed up": Defect(
        "positions",
        each(position_side=lambda side: side.opposite),
        ("test_long_and_short_are_held_apart",),
    ),
    "leverage not told": Defect(
        "positions",
        each(leverage=lambda _: Decimal(1)),
        ("test_a_position_has_the_leverage_and_margin_mode_it_was_given",),
    ),
    "wallet without what positions hold": Defect(
        "balance",
        changed(lambda b: replace(b, contract_wallet=b.contract_available)),
        ("test_a_position_ties_up_money_and_the_mark_moves_equity",),
    ),
    "money in whole cents": Defect(
        "balance",
        changed(lambda b: with_(b, spot_available=to_cents, contract_available=to_cents)),
        ("test_a_transfer_moves_money_exactly", "test_the_smallest_unit_can_be_moved"),
    ),
    "transfers without our id": Defect(
        "transfer",
        a_new_transfer_each_time,
        (
            "test_a_transfer_repeated_under_its_id_moves_money_once",
            "test_the_outcome_of_a_transfer_is_known_to_whoever_asks",
        ),
    ),
    "refused transfers pass": Defect(
        "transfer", silent_where_refused, ("test_money_that_is_not_there_is_not_moved",)
    ),
    "every transfer is done": Defect(
        "transfer_outcome",
        changed(lambda _: TransferOutcome.DONE),
        ("test_the_outcome_of_a_transfer_is_known_to_whoever_asks",),
    ),
    "a sub-account at every call": Defect(
        "open_sub_account",
        a_new_label_each_time,
        ("test_a_sub_account_is_its_owners_and_has_one_label",),
    ),
    "a fill left out between pages": Defect(
        "leader_fills",
        one_left_out_after_a_cursor,
        ("test_whoever_resumes_after_any_fill_gets_exactly_the_rest",),
    ),
    "a fill repeated between pages": Defect(
        "leader_fills",
        the_last_one_again,
        ("test_whoever_resumes_after_any_fill_gets_exactly_the_rest",),
    ),
    "newest fills first": Defect(
        "leader_fills",
        changed(lambda fills: fills[::-1]),
        ("test_a_fill_says_what_the_leader_did",),
    ),
    "one-way fills with a side": Defect(
        "leader_fills",
        each(position_side=lambda side: side or PositionSide.LONG),
        ("test_a_leader_in_one_way_mode_turns_his_position_round",),
    ),
    "everything is a liquidation": Defect(
        "leader_fills",
        each(cause=lambda _: FillCause.LIQUIDATION),
        ("test_a_fill_says_what_the_leader_did",),
    ),
    "a stream without an end": Defect(
        "subscribe", deaf_to_the_end, ("test_nothing_is_told_after_the_end",)
    ),
    "received funding is paid": Defect(
        "funding",
        each(payment=minus),
        ("test_funding_is_told_once_and_from_when_it_was_asked_for",),
    ),
    "funding of all times": Defect(
        "funding",
        ignoring(1),
        ("test_funding_is_told_once_and_from_when_it_was_asked_for",),
    ),
    "leverage is never set": Defect(
        "configure",
        lambda _: changed(lambda _: None)(lambda *_: _nothing()),
        ("test_a_position_has_the_leverage_and_margin_mode_it_was_given",),
    ),
    "refused settings pass": Defect(
        "configure", silent_where_refused, ("test_an_impossible_leverage_is_refused",)
    ),
    "plans that are too late have no reason": Defect(
        "place_plan",
        raising_instead(OrderRejected, OrderRejected("invalid", "not allowed")),
        ("test_a_plan_whose_price_has_been_passed_is_refused_with_its_reason",),
    ),
    "cancelled plans stay": Defect(
        "cancel_plan",
        lambda _: lambda *_: _nothing(),
        ("test_a_cancelled_plan_never_fires_and_is_cancelled_again_in_silence",),
    ),
    "ended plans are forgotten": Defect(
        "find_plan",
        changed(lambda _: None),
        ("test_a_plan_fires_once_when_the_mark_comes_to_its_price",),
    ),
    "everybody is known": Defect(
        "knows_account", changed(lambda _: True), ("test_an_account_is_known_by_its_uid",)
    ),
    "margin is always granted": Defect(
        "adjust_margin",
        silent_where_refused,
        ("test_margin_that_is_not_there_or_not_free_is_refused",),
    ),
}


async def _nothing() -> None:
    return None
