"""The dry run of changed settings over what was recorded, added up by leader and follower (N12)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from copyplugin.changeable_settings import with_changes
from copyplugin.domain.copy_story import FollowStory
from copyplugin.domain.days import day_begins, day_of
from copyplugin.domain.dry_run import FollowDryRun, Retaken, Trial, dry_run
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.domain.money import ZERO_MONEY, Money, money_ceil, money_floor, money_total
from copyplugin.domain.retaking import OrderSettings, SettingsAt
from copyplugin.domain.setting_change import SettingName
from copyplugin.settings import Settings
from copyplugin.store.copy_stories import copy_stories
from copyplugin.store.database import Session
from copyplugin.store.rows import SettingChangeRow
from copyplugin.store.setting_changes import changes_made
from copyplugin.store.shares_again import ShareAgain, shares_again
from copyplugin.trial_words import Tried

ASSUMPTIONS = (
    "What was made then and would be made again keeps its own fills, prices and fees.",
    "What would be made anew is an estimate, between the leader's price and the bound.",
    "Whether the market would have had it is not known.",
    "Balances are those of then, whatever other copies would have tied up or left free.",
    "What would be open still counts at its mark; funding and leader shares are left out.",
)


@dataclass(kw_only=True, slots=True)
class Sum:
    """Copies of leaders' opens, and the difference of the result in USDT."""

    decisions: int = 0
    unlike: int = 0  # did not come out as recorded: left as they were
    made: int = 0
    would_be_skipped: int = 0
    would_be_smaller: int = 0
    would_be_larger: int = 0
    would_be_made: int = 0
    value_made: Money = ZERO_MONEY
    value_not_made: Money = ZERO_MONEY
    value_estimated: Money = ZERO_MONEY
    result_least: Money = ZERO_MONEY
    result_most: Money = ZERO_MONEY
    share_paid: Money = ZERO_MONEY
    share_would_be: Money = ZERO_MONEY

    def add(self, other: "Sum") -> None:
        for name in self.__dataclass_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            both = mine + theirs if isinstance(mine, int) else money_total(mine, theirs)
            setattr(self, name, both)


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowLine:
    follow_id: FollowId
    follower_id: int
    sum: Sum


@dataclass(kw_only=True, slots=True)
class LeaderLine:
    leader_id: LeaderId
    nickname: str
    sum: Sum = field(default_factory=Sum)
    follows: list[FollowLine] = field(default_factory=list[FollowLine])


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialReport:
    since: datetime
    until: datetime
    tried: dict[str, str]
    sum: Sum
    leaders: Sequence[LeaderLine]

    def as_json(self) -> dict[str, Any]:
        """Return it in what JSON has: money as text, so that nothing of it is lost."""
        return _plain(asdict(self) | {"assumptions": list(ASSUMPTIONS)})


class SettingsOfThen:
    """What was in force at any time, as the changes that were made tell."""

    def __init__(self, configured: Settings, changes: Iterable[SettingChangeRow]) -> None:
        self._configured = configured
        self._changes = [(row.in_force_from, row.name, row.value) for row in changes]
        self._known: dict[tuple[tuple[SettingName, str], ...], Settings] = {}

    def at(self, at: datetime) -> Settings:
        values = {  # in the order of the decisions: the last one stays
            name: value for since, name, value in self._changes if since is not None and since <= at
        }
        changed = {name: value for name, value in values.items() if value is not None}
        key = tuple(sorted(changed.items()))
        if key not in self._known:
            self._known[key] = with_changes(self._configured, changed)
        return self._known[key]


def try_settings(  # noqa: PLR0913 - what is tried, on what, when
    session: Session,
    configured: Settings,
    tried: Tried,
    *,
    hours: int,
    now: datetime,
    leaders: Sequence[tuple[LeaderId, str]],
    follow_id: FollowId | None = None,
) -> TrialReport:
    """Take the decisions of the last hours again for these leaders' follows; nothing is changed."""
    since = now - timedelta(hours=hours)
    zone = configured.zone
    then = SettingsOfThen(configured, changes_made(session))
    trial = Trial(
        since=since,
        in_force=order_settings(then.at),
        tried=order_settings(lambda at: tried.settings_of(then.at(at))),
        rule=tried.rule_of,
    )
    day = day_begins(day_of(since, zone), zone)
    total, lines = Sum(), list[LeaderLine]()
    for leader_id, nickname in leaders:
        line = LeaderLine(leader_id=leader_id, nickname=nickname)
        for story in copy_stories(session, leader_id, since=day, zone=zone, follow_id=follow_id):
            _add(line, story, sum_of(dry_run(story, trial)))
        if tried.share_ratio is not None:
            again = shares_again(session, leader_id, tried.share_ratio, since=since)
            _add_shares(line, again, follow_id)
        if line.follows:
            total.add(line.sum)
            lines.append(line)
    return TrialReport(
        since=since, until=now, tried=dict(tried.words), sum=total, leaders=tuple(lines)
    )


def sum_of(run: FollowDryRun) -> Sum:
    """Add one follow's opens up; the result is rounded to the follower's disadvantage."""
    unlike = {*run.unlike, *run.unlike_orders}
    found = Sum(decisions=run.decisions, unlike=len(unlike))
    for each in run.opens:
        found.made += each.made > 0
        found.would_be_skipped += each.made > 0 and each.would_make == 0
        found.would_be_made += each.made == 0 and each.would_make > 0
        found.would_be_smaller += 0 < each.would_make < each.made
        found.would_be_larger += each.would_make > each.made > 0
    found.value_made = _floor(each.made_value for each in run.opens)
    found.value_not_made = _floor(each.made_value - each.kept_value for each in run.opens)
    found.value_estimated = _floor(_estimated(each) for each in run.opens)
    found.result_least = money_floor(run.least)
    found.result_most = money_ceil(run.most) if run.most < 0 else money_floor(run.most)
    return found


def _estimated(each: Retaken) -> Fraction:
    return each.estimate.at_leader


def _floor(values: Iterable[Fraction]) -> Money:
    return money_floor(sum(values, Fraction(0)))


def _add(line: LeaderLine, story: FollowStory, found: Sum) -> None:
    if found.decisions:
        line.sum.add(found)
        line.follows.append(
            FollowLine(follow_id=story.follow_id, follower_id=story.follower_id, sum=found)
        )


def _add_shares(line: LeaderLine, again: Sequence[ShareAgain], wanted: FollowId | None) -> None:
    known = {each.follow_id: each for each in line.follows}
    for share in again:
        if wanted is not None and share.follow_id != wanted:
            continue
        if share.follow_id not in known:
            known[share.follow_id] = FollowLine(
                follow_id=share.follow_id, follower_id=share.follower_id, sum=Sum()
            )
            line.follows.append(known[share.follow_id])
        found = Sum(share_paid=share.paid, share_would_be=share.would_be)
        known[share.follow_id].sum.add(found)
        line.sum.add(found)


def order_settings(settings_at: Callable[[datetime], Settings]) -> SettingsAt:
    """Return those of the settings that decide on an open, by time."""

    def at(moment: datetime) -> OrderSettings:
        settings = settings_at(moment)
        return OrderSettings(
            bound=settings.price_bound,
            late_after=timedelta(seconds=settings.signal_late_seconds),
            tried_for=timedelta(seconds=settings.open_expiry_seconds),
        )

    return at


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        named = cast("dict[object, Any]", value)
        return {str(key): _plain(each) for key, each in named.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("Sequence[Any]", value)]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | str) else f"{value:f}"
