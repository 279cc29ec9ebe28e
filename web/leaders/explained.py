"""A leader's figures (S1 to S9) with what each means, in words."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from copyplugin.store.queries.leader_figures import LeaderFigures, Places
from web.formatting import NOTHING, number, whole
from web.i18n import gettext


class Kind(StrEnum):
    """How a figure is written."""

    RATIO = "ratio"  # with a sign
    SHARE = "share"  # without
    MONEY = "money"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Explained:
    key: str
    title: str
    kind: Kind
    value: Decimal | Fraction | str | None
    meaning: str
    counted_now: bool = False  # else as of the last run of the statistics


def explained(figures: LeaderFigures | None, places: Places) -> list[Explained]:
    return [*_results(figures), *_activity(figures), *_room(figures, places)]


def _results(figures: LeaderFigures | None) -> list[Explained]:
    return [
        Explained(
            key="accumulated-yield",
            title=gettext("Accumulated yield"),
            kind=Kind.RATIO,
            value=figures and figures.accumulated_yield,
            meaning=gettext(
                "Realised profit of all closed positions divided by the margin they used, since "
                "the leader began to lead. Net of fees and funding; open positions are not in it."
            ),
        ),
        Explained(
            key="total-profit",
            title=gettext("Total profit"),
            kind=Kind.MONEY,
            value=figures and figures.total_profit,
            meaning=gettext(
                "Realised profit of all closed positions in USDT, net of fees and funding, since "
                "the leader began to lead."
            ),
        ),
        Explained(
            key="win-rate-14-days",
            title=gettext("Win rate, 2 weeks"),
            kind=Kind.SHARE,
            value=figures and figures.win_rate_14_days,
            meaning=gettext(
                "Of the positions closed in the last 14 days, the part that closed with a profit. "
                "A high rate with rare large losses can still lose money."
            ),
        ),
        Explained(
            key="win-rate",
            title=gettext("Trade win rate"),
            kind=Kind.SHARE,
            value=figures and figures.win_rate,
            meaning=gettext("Of all positions closed so far, the part that closed with a profit."),
        ),
    ]


def _activity(figures: LeaderFigures | None) -> list[Explained]:
    return [
        Explained(
            key="transactions",
            title=gettext("Transactions"),
            kind=Kind.TEXT,
            value=whole(figures.transactions) if figures else None,
            meaning=gettext(
                "Positions the leader's own accounts have opened, those still open included. "
                "Positions copied from him are not in it: they were %(count)s.",
                count=whole(figures.positions_copied) if figures else NOTHING,
            ),
        ),
        Explained(
            key="trade-frequency",
            title=gettext("Trade frequency"),
            kind=Kind.TEXT,
            value=whole(figures.trade_frequency) if figures else None,
            meaning=gettext("Positions opened plus positions closed in the last 7 days."),
        ),
    ]


def _room(figures: LeaderFigures | None, places: Places) -> list[Explained]:
    most = gettext("no limit") if places.copiers_max is None else whole(places.copiers_max)
    limits, room = places.limitation, places.room
    return [
        Explained(
            key="copiers",
            title=gettext("Copiers"),
            kind=Kind.TEXT,
            value=f"{whole(places.copiers)} / {most}",
            meaning=gettext("Users following now, and how many may follow at the same time."),
            counted_now=True,
        ),
        Explained(
            key="cumulative-copiers",
            title=gettext("Cumulative copiers"),
            kind=Kind.TEXT,
            value=whole(figures.follows_ever) if figures else None,
            meaning=gettext(
                "Follows ever started; one user may count many times. Different people: %(count)s.",
                count=whole(figures.followers_ever) if figures else NOTHING,
            ),
        ),
        Explained(
            key="limitation",
            title=gettext("Limitation"),
            kind=Kind.TEXT,
            value=f"{number(limits.minimum, 0)} ~ {number(limits.maximum, 0)}" if limits else None,
            meaning=gettext(
                "The smallest and the largest copy amount of one follow in USDT: the larger is the "
                "smaller of the leader's maximum and what is left of his total."
            ),
            counted_now=True,
        ),
        Explained(
            key="room",
            title=gettext("Room in the market"),
            kind=Kind.TEXT,
            value=f"{number(room.copy_amount, 0)} ({room.symbol})" if room else None,
            meaning=gettext(
                "How much copy amount more the market bears, in USDT, and where it bears the "
                "least: beyond it, an order of the leader and all copies of it would ask for "
                "more than usually rests near the price."
            ),
        ),
    ]
