"""A leader's risk and how well he is copied (S11, N1), with what each figure means, in words."""

from decimal import Decimal
from fractions import Fraction

from copyplugin.store.queries.leader_risk import CopyQualityFigures, LeaderRisk
from web.formatting import duration, milliseconds, number, signed_percent, whole
from web.i18n import gettext
from web.leaders.explained import Explained, Kind

SLIPPAGE_PLACES = 3


def explained_risk(risk: LeaderRisk | None) -> list[Explained]:
    return [*_of_the_account(risk), *_of_the_trades(risk)]


def _of_the_account(risk: LeaderRisk | None) -> list[Explained]:
    return [
        Explained(
            key="unit-return",
            title=gettext("Return"),
            kind=Kind.RATIO,
            value=risk and risk.unit_return,
            meaning=gettext(
                "What one unit of his account has gained since he began to lead. Money he brought "
                "or took does not change it; open losses do."
            ),
        ),
        Explained(
            key="followers-return",
            title=gettext("Followers' return"),
            kind=Kind.RATIO,
            value=risk and risk.followers_return,
            meaning=gettext(
                "What all his followers have realised, after the leader share, divided by the sum "
                "of their copy amounts. Open profits are not in it."
            ),
        ),
        Explained(
            key="drawdown",
            title=gettext("Maximum drawdown"),
            kind=Kind.SHARE,
            value=risk and risk.drawdown_max,
            meaning=gettext("The deepest fall of the value of a unit from its highest so far."),
        ),
        Explained(
            key="volatility",
            title=gettext("Daily volatility"),
            kind=Kind.SHARE,
            value=risk and risk.daily_volatility,
            meaning=gettext(
                "The standard deviation of his daily returns in the last 365 days that are over."
            ),
        ),
        Explained(
            key="sharpe",
            title=gettext("Sharpe ratio"),
            kind=Kind.TEXT,
            value=_plain(risk.sharpe_ratio) if risk else None,
            meaning=gettext(
                "Average daily return divided by daily volatility, times the square root of 365."
            ),
        ),
    ]


def _of_the_trades(risk: LeaderRisk | None) -> list[Explained]:
    return [
        Explained(
            key="average-leverage",
            title=gettext("Average leverage"),
            kind=Kind.TEXT,
            value=_times(risk.average_leverage) if risk else None,
            meaning=gettext("Value of all closed positions divided by the margin they used."),
        ),
        Explained(
            key="average-holding",
            title=gettext("Average holding time"),
            kind=Kind.TEXT,
            value=duration(risk.average_holding) if risk and risk.average_holding else None,
            meaning=gettext("From the first open of a position to its last close."),
        ),
        Explained(
            key="losing-run",
            title=gettext("Longest losing run"),
            kind=Kind.TEXT,
            value=whole(risk.losing_run_max) if risk else None,
            meaning=gettext("Positions closed with a loss, one after another."),
        ),
        Explained(
            key="liquidations",
            title=gettext("Liquidations"),
            kind=Kind.TEXT,
            value=whole(risk.liquidations) if risk else None,
            meaning=gettext("Positions of his that the exchange closed or cut for lack of margin."),
        ),
    ]


def explained_quality(quality: CopyQualityFigures | None) -> list[Explained]:
    count = whole(quality.receipts) if quality else "0"
    latest = gettext("Over the latest %(count)s orders copied or skipped.", count=count)
    return [
        Explained(
            key="copied",
            title=gettext("Copied whole"),
            kind=Kind.SHARE,
            value=quality and quality.success_rate,
            meaning=gettext("Orders of followers of which nothing was left out.") + " " + latest,
        ),
        Explained(
            key="exits-copied",
            title=gettext("Exits copied"),
            kind=Kind.SHARE,
            value=quality and quality.exit_success_rate,
            meaning=gettext("The same, of orders that reduce or close alone.") + " " + latest,
        ),
        Explained(
            key="delay",
            title=gettext("Delay, p50 / p95 / p99"),
            kind=Kind.TEXT,
            value=_delays(quality) if quality else None,
            meaning=gettext(
                "From the leader's fill to the exchange's acknowledgement of the follower's order: "
                "half, 95 and 99 of 100 were not slower."
            ),
        ),
        Explained(
            key="slippage",
            title=gettext("Slippage, p50 / p95"),
            kind=Kind.TEXT,
            value=_slippages(quality) if quality else None,
            meaning=gettext(
                "How much worse the follower's price was than the leader's; negative is better."
            ),
        ),
        Explained(
            key="return-gap",
            title=gettext("Gap to the leader"),
            kind=Kind.RATIO,
            value=quality and quality.return_gap,
            meaning=gettext(
                "Profit over margin of his followers' latest closed positions, less his own over "
                "the same time. Fees and funding are in it, the leader share is not."
            ),
        ),
        Explained(
            key="drifting",
            title=gettext("Off target now"),
            kind=Kind.TEXT,
            value=whole(quality.lanes_drifting) if quality else None,
            meaning=gettext(
                "Followers' positions that do not hold, at this moment, what they should."
            ),
        ),
    ]


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else number(value)


def _times(value: Fraction | None) -> str | None:
    return None if value is None else f"{number(value, 1)}×"


def _delays(quality: CopyQualityFigures) -> str | None:
    if quality.delay_p50 is None:
        return None
    spans = (quality.delay_p50, quality.delay_p95, quality.delay_p99)
    return " / ".join(milliseconds(span) for span in spans)


def _slippages(quality: CopyQualityFigures) -> str | None:
    if quality.slippage_p50 is None:
        return None
    values = (quality.slippage_p50, quality.slippage_p95)
    return " / ".join(signed_percent(value, SLIPPAGE_PLACES) for value in values)
