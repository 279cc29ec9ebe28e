"""What rows and accounts are called, so that the type checker keeps them apart."""

from typing import NewType

AccountId = NewType("AccountId", str)
"""The venue's own name (UID) of an account or a sub-account."""

Symbol = NewType("Symbol", str)
"""The venue's name of an instrument."""

LeaderId = NewType("LeaderId", int)
FollowerId = NewType("FollowerId", int)
FollowId = NewType("FollowId", int)
LaneId = NewType("LaneId", int)
SignalId = NewType("SignalId", int)
CopyOrderId = NewType("CopyOrderId", int)
PlanOrderId = NewType("PlanOrderId", int)
CopiedPositionId = NewType("CopiedPositionId", int)
CommandId = NewType("CommandId", int)
LedgerEntryId = NewType("LedgerEntryId", int)

ClientOrderId = NewType("ClientOrderId", str)
"""Our name of an order at the venue; derived from what the order is for."""

VenueOrderId = NewType("VenueOrderId", str)
VenuePlanId = NewType("VenuePlanId", str)
"""The venue's name of a plan order; opaque, and another one than that of the order it fires."""

VenueFillId = NewType("VenueFillId", str)
"""The venue's name of one execution; in order of time within one account."""

TransferId = NewType("TransferId", str)
"""Our name of a movement of money; the venue carries each out at most once."""

NUMBER_MAX = 2**63 - 1
"""The largest number that a row, or a whole number in one, can have on either database."""


def whole_number(text: str) -> int:
    """Read a number that a row could have; raises `ValueError` for anything else."""
    number = int(text)
    if abs(number) > NUMBER_MAX:
        raise ValueError(f"no row has the number {number}")
    return number
