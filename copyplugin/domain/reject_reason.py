"""Why a venue said no, where what we do next depends on it; the rest keep the venue's own words."""

from enum import StrEnum


class RejectReason(StrEnum):
    """The reasons an adapter translates, whatever its venue calls them."""

    ALREADY_THROUGH = "already_through"  # the price has passed the trigger: nothing rests
    NOT_FOUND = "not_found"  # what should be changed rests no more, or never did
    NO_POSITION = "no_position"  # there is nothing to close or to protect
