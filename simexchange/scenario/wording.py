"""Events as lines of a transcript: one sentence each, in names and human units."""

from collections.abc import Callable
from typing import Any

import msgspec

from simexchange.core.events import (
    AccountOpened,
    BankruptcyTakeover,
    Deleveraged,
    Event,
    Filled,
    FundingPaid,
    LiquidationStarted,
    MarkPriceSet,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    PositionLiquidated,
    Transferred,
)
from simexchange.core.types import OrderKind, PositionSide
from simexchange.scenario.names import Names
from simexchange.scenario.units import (
    REJECTION_TYPES,
    account_text,
    field_text,
    refusal_text,
    word_of,
)


class Wording:
    """Says events in the names of one run."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._sentences: dict[type, Callable[[Any], str]] = {
            AccountOpened: self._opened,
            OrderAccepted: self._accepted,
            OrderAmended: self._amended,
            OrderCancelled: self._cancelled,
            Filled: self._filled,
            Transferred: self._transferred,
            MarkPriceSet: self._marked,
            LiquidationStarted: self._liquidation_started,
            PositionLiquidated: self._liquidated,
            BankruptcyTakeover: self._taken_over,
            Deleveraged: self._deleveraged,
            FundingPaid: self._funding_paid,
        }

    def sentence(self, event: Event) -> str:
        """Return one line for one event."""
        known = self._sentences.get(type(event))
        if known is not None:
            return known(event)
        if type(event).__name__ in REJECTION_TYPES:
            return self._refused(event)
        return self.facts(event)

    def facts(self, event: Event) -> str:
        """Return the event's name and every field that is set."""
        fields = [
            f"{field}={self._field(event, field)}"
            for field in msgspec.structs.asdict(event)
            if field != "at" and getattr(event, field) is not None
        ]
        return f"{type(event).__name__} {' '.join(fields)}"

    def _field(self, event: Any, field: str) -> str:
        return field_text(self.names, event, field)

    def _who(self, event: Any) -> str:
        return account_text(self.names, event.account)

    def _leg(self, event: Any) -> str:
        leg = PositionSide(event.position_side)
        return "" if leg is PositionSide.NET else f" ({leg.name.lower()} leg)"

    def _order(self, event: Any) -> str:
        return event.client_order_id or f"order {event.order_id}"

    def _opened(self, event: AccountOpened) -> str:
        owner = f", a sub-account of {self._field(event, 'owner')}" if event.owner else ""
        return f"account {self._who(event)} opened{owner}"

    def _accepted(self, event: OrderAccepted) -> str:
        price = (
            "at market" if event.kind is OrderKind.MARKET else f"at {self._field(event, 'price')}"
        )
        extra = ", reduce only" if event.reduce_only else ""
        return (
            f"{self._order(event)} accepted: {self._who(event)} {word_of(event.side)}s "
            f"{event.contracts} {event.symbol} {price}{self._leg(event)}, "
            f"{word_of(event.time_in_force).replace('_', ' ')}{extra}"
        )

    def _amended(self, event: OrderAmended) -> str:
        place = "keeps its place" if event.kept_place else "goes to the back of the queue"
        return (
            f"{self._order(event)} of {self._who(event)} is now {event.contracts} "
            f"{event.symbol} at {self._field(event, 'price')}, {place}"
        )

    def _cancelled(self, event: OrderCancelled) -> str:
        return (
            f"{self._order(event)} of {self._who(event)} cancelled ({word_of(event.reason)}), "
            f"{event.filled} filled, {event.remaining} not"
        )

    def _filled(self, event: Filled) -> str:
        verb = "bought" if event.side > 0 else "sold"
        result = (
            f", realized {self._field(event, 'realized_pnl')}" if event.closed_contracts else ""
        )
        return (
            f"{self._who(event)} {verb} {event.contracts} {event.symbol} at "
            f"{self._field(event, 'price')} as {word_of(event.liquidity)}{self._leg(event)}, "
            f"fee {self._field(event, 'fee')}{result}, position {event.position_contracts} "
            f"[{self._order(event)}: {event.order_filled} of {event.order_contracts}]"
        )

    def _transferred(self, event: Transferred) -> str:
        if event.repeated:
            return f"transfer {event.transfer_id} was known: nothing moved"
        return (
            f"{self._field(event, 'money')} moved from {self._field(event, 'from_account')} "
            f"({word_of(event.from_wallet)}) to {self._field(event, 'to_account')} "
            f"({word_of(event.to_wallet)})"
        )

    def _marked(self, event: MarkPriceSet) -> str:
        return f"{event.symbol} mark {self._field(event, 'mark')}, index " + self._field(
            event, "index"
        )

    def _liquidation_started(self, event: LiquidationStarted) -> str:
        return (
            f"{self._who(event)} reaches liquidation: {event.contracts} {event.symbol}"
            f"{self._leg(event)} at mark {self._field(event, 'mark')}, liquidation price "
            f"{self._field(event, 'liquidation_price')}, maintenance margin "
            f"{self._field(event, 'maintenance_margin')}"
        )

    def _liquidated(self, event: PositionLiquidated) -> str:
        return (
            f"{self._who(event)} lost {event.contracts} {event.symbol}{self._leg(event)} to "
            f"liquidation: {event.through_book} through the book, {event.taken_over} taken over, "
            f"{event.deleveraged} deleveraged; realized {self._field(event, 'realized_pnl')}, "
            f"liquidation fee {self._field(event, 'liquidation_fee')}, "
            f"balance {self._field(event, 'balance')}"
        )

    def _taken_over(self, event: BankruptcyTakeover) -> str:
        return (
            f"the insurance fund took over {event.contracts} {event.symbol} of "
            f"{self._who(event)} for {self._field(event, 'value')}"
        )

    def _deleveraged(self, event: Deleveraged) -> str:
        return (
            f"{self._who(event)} was deleveraged by {event.contracts} {event.symbol} for "
            f"{self._field(event, 'value')}, realized {self._field(event, 'realized_pnl')}"
        )

    def _funding_paid(self, event: FundingPaid) -> str:
        verb = "paid" if event.payment >= 0 else "received"
        return (
            f"{self._who(event)} {verb} funding of "
            f"{self._field(event, 'payment').removeprefix('-')} on {event.contracts} "
            f"{event.symbol} at {self._field(event, 'rate')}"
        )

    def _refused(self, event: Any) -> str:
        return refusal_text((event.reason, event.message))
