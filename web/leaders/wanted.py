"""Which leaders the address asks for, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from copyplugin.domain.money import Money, Ratio
from copyplugin.store.queries.leaders import LeaderFilter, LeaderOrder
from web.i18n import gettext

_HUNDRED = Decimal(100)
_LARGEST = Decimal(10) ** 15
_LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Wanted:
    """A faulty bound is left out of the filter and has its sentence in `errors` by field."""

    filter: LeaderFilter
    errors: Mapping[str, str]
    page: int

    @property
    def is_narrowed(self) -> bool:
        return self.filter != LeaderFilter(order=self.filter.order)


def wanted_from(arguments: Mapping[str, str]) -> Wanted:
    errors: dict[str, str] = {}

    def bound(name: str) -> Decimal | None:
        text = arguments.get(name, "").strip()
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value) > _LARGEST:
            errors[name] = gettext("“%(text)s” is not a number: write for example 12.5", text=text)
            return None
        return value

    income, gain, wins = bound("income"), bound("yield"), bound("wins")
    order = arguments.get("sort", "")
    page = arguments.get("page", "1")
    return Wanted(
        filter=LeaderFilter(
            order=LeaderOrder(order) if order in set(LeaderOrder) else LeaderOrder.RECOMMENDED,
            search=arguments.get("q", "").strip(),
            income_min=None if income is None else Money(income),
            yield_min=None if gain is None else Ratio(gain / _HUNDRED),
            win_rate_min=None if wins is None else Ratio(wins / _HUNDRED),
            hide_full=arguments.get("room") == "1",
        ),
        errors=errors,
        page=int(page) if page.isascii() and page.isdigit() and len(page) <= _LONGEST_NUMBER else 1,
    )
