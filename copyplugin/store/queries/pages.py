"""One page of a long list."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which part of a list is shown. Numbers start at 1; there is always a first page."""

    found: int
    number: int
    pages: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def page_of(found: int, *, wanted: int, size: int) -> Page:
    """Return the page that was asked for; beyond the last the last, before the first the first."""
    pages = max(1, -(-found // size))
    return Page(found=found, number=min(max(1, wanted), pages), pages=pages, size=size)
