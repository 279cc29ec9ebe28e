"""A position in a sub-account that no lane wants: what is done about it."""

from enum import StrEnum


class OrphanPolicy(StrEnum):
    REPORT = "report"  # shown until somebody closes it, here or at the venue
    CLOSE = "close"  # taken into the books and closed at market
