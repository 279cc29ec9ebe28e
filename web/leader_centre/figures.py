"""The overview of a leader's centre (T2): each figure with what it means, in words."""

from copyplugin.store.queries.leader_centre import Overview
from web.formatting import whole
from web.i18n import gettext
from web.leaders.explained import Explained, Kind


def overview_figures(overview: Overview) -> tuple[list[Explained], list[Explained]]:
    """Return the figures of money, and those of people."""
    return _money(overview), _people(overview)


def _money(overview: Overview) -> list[Explained]:
    return [
        Explained(
            key="income-today",
            title=gettext("Estimated income today"),
            kind=Kind.MONEY,
            value=overview.income_today,
            meaning=gettext(
                "Of every copied position that closed today with a profit: profit × leader share, "
                "less what goes to whoever referred the follower. What is settled may differ."
            ),
        ),
        Explained(
            key="income-yesterday",
            title=gettext("Settled income yesterday"),
            kind=Kind.MONEY,
            value=overview.income_yesterday,
            meaning=gettext("Your part of every share that was settled yesterday."),
        ),
        Explained(
            key="net-value",
            title=gettext("Net value"),
            kind=Kind.MONEY,
            value=overview.net_value,
            meaning=gettext(
                "What all closed copied positions of your followers came to, after fees and "
                "funding, before your share."
            ),
        ),
        Explained(
            key="yield",
            title=gettext("Accumulated yield"),
            kind=Kind.RATIO,
            value=overview.accumulated_yield,
            meaning=gettext(
                "Of your own closed positions: profit divided by the margin they used."
            ),
        ),
        Explained(
            key="amount-now",
            title=gettext("Copy amount now"),
            kind=Kind.MONEY,
            value=overview.copy_amount_now,
            meaning=gettext("The copy amounts of all follows in process."),
        ),
        Explained(
            key="amount-yesterday",
            title=gettext("Copy amount yesterday"),
            kind=Kind.MONEY,
            value=overview.copy_amount_yesterday,
            meaning=gettext("The copy amounts of the follows that started yesterday."),
        ),
        Explained(
            key="amount-ever",
            title=gettext("Copy amount ever"),
            kind=Kind.MONEY,
            value=overview.copy_amount_ever,
            meaning=gettext("The copy amounts of all follows there ever were, each counted."),
        ),
    ]


def _people(overview: Overview) -> list[Explained]:
    return [
        Explained(
            key="followers-now",
            title=gettext("Followers now"),
            kind=Kind.TEXT,
            value=whole(overview.followers_now),
            meaning=gettext("People with a follow in process, each counted once."),
        ),
        Explained(
            key="follows-now",
            title=gettext("Follows now"),
            kind=Kind.TEXT,
            value=whole(overview.follows_now),
            meaning=gettext("Follows in process."),
        ),
        Explained(
            key="followers-yesterday",
            title=gettext("New followers yesterday"),
            kind=Kind.TEXT,
            value=whole(overview.followers_yesterday),
            meaning=gettext("People who started a follow yesterday, each counted once."),
        ),
        Explained(
            key="followers-ever",
            title=gettext("Followers ever"),
            kind=Kind.TEXT,
            value=whole(overview.followers_ever),
            meaning=gettext("Everybody who ever followed you, each counted once."),
        ),
    ]
