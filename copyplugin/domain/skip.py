"""Why the plugin chose not to copy something: a value that is stored, shown and counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class SkipReason(StrEnum):
    LEADER_BALANCE_UNKNOWN = "leader_balance_unknown"
    BELOW_MINIMUM = "below_minimum"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    INSTRUMENT_NOT_FOLLOWED = "instrument_not_followed"
    LEADER_NOT_CONFIGURED_INSTRUMENT = "leader_not_configured_instrument"
    PRICE_MOVED = "price_moved"
    NO_LIQUIDITY = "no_liquidity"
    ORDER_REJECTED = "order_rejected"
    EXPIRED = "expired"
    FOLLOW_NOT_ACTIVE = "follow_not_active"
    COPYING_HALTED = "copying_halted"
    BASELINE_POSITION = "baseline_position"
    NOTHING_TO_CLOSE = "nothing_to_close"
    INSTRUMENT_UNKNOWN = "instrument_unknown"
    LEVERAGE_NOT_ALLOWED = "leverage_not_allowed"
    POSITIONS_CAPPED = "positions_capped"
    ORDERS_CAPPED = "orders_capped"
    MARGIN_CAPPED = "margin_capped"
    INSTRUMENT_CAPPED = "instrument_capped"
    EXPOSURE_CAPPED = "exposure_capped"
    POSITION_LOST = "position_lost"
    POSITION_CLOSED = "position_closed"
    LEADER_HAS_CLOSED = "leader_has_closed"

    @property
    def sentence(self) -> str:
        """Return what a follower reads."""
        return _SENTENCES[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """A refusal of ours. `detail` holds the numbers it rests on, as text, by name."""

    reason: SkipReason
    detail: Mapping[str, str] = field(default_factory=dict[str, str])


def numbers(**named: Decimal | int) -> dict[str, str]:
    """Return numbers as a skip keeps them: text, by name."""
    return {
        name: f"{number:f}" if isinstance(number, Decimal) else str(number)
        for name, number in named.items()
    }


_SENTENCES = {
    SkipReason.LEADER_BALANCE_UNKNOWN: (
        "The leader's balance before the trade is not known, so his proportion cannot be computed."
    ),
    SkipReason.BELOW_MINIMUM: "The order would be smaller than the venue accepts.",
    SkipReason.INSUFFICIENT_BALANCE: "The sub-account has too little money for this order.",
    SkipReason.INSTRUMENT_NOT_FOLLOWED: "You did not choose this instrument.",
    SkipReason.LEADER_NOT_CONFIGURED_INSTRUMENT: (
        "This instrument is not among those the leader is followed in."
    ),
    SkipReason.PRICE_MOVED: "The price had moved further from the leader's than you allow.",
    SkipReason.NO_LIQUIDITY: "Nobody offered to trade within the price you allow.",
    SkipReason.ORDER_REJECTED: "The venue refused the order.",
    SkipReason.EXPIRED: "The order would have come too late.",
    SkipReason.FOLLOW_NOT_ACTIVE: "The follow was ending or had ended, so nothing new was opened.",
    SkipReason.COPYING_HALTED: "Copying was paused, so nothing new was opened.",
    SkipReason.BASELINE_POSITION: "The leader held this position before you followed him.",
    SkipReason.NOTHING_TO_CLOSE: "The sub-account held nothing that this close could take from.",
    SkipReason.INSTRUMENT_UNKNOWN: "The venue does not trade this instrument now.",
    SkipReason.LEVERAGE_NOT_ALLOWED: "The leader's leverage is more than the instrument allows.",
    SkipReason.POSITIONS_CAPPED: "As many positions are open as you allow at once.",
    SkipReason.ORDERS_CAPPED: "As many orders were opened today as you allow.",
    SkipReason.MARGIN_CAPPED: "The margin you allow for one order is less than the venue asks.",
    SkipReason.INSTRUMENT_CAPPED: "You hold as much of this instrument as you allow.",
    SkipReason.EXPOSURE_CAPPED: "Your positions are worth as much as you allow in all.",
    SkipReason.POSITION_LOST: (
        "The position was closed at the venue before this part of it could be opened."
    ),
    SkipReason.POSITION_CLOSED: "You closed the position before this part of it could be opened.",
    SkipReason.LEADER_HAS_CLOSED: "The leader had closed again before this could be opened.",
}
