"""What a follower sees before he changes the settings of a follow, and its history (L12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.follow import COPIES_OPENS, FOLLOWS_CLOSES, FollowState
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.store.follow_changes import symbols_open
from copyplugin.store.follow_settings import CHANGED, history_of, settings_of
from copyplugin.store.follows import symbols_chosen
from copyplugin.store.queries.follow_terms import (
    LiquidationDistance,
    liquidation_distances,
    modes_on_offer,
)
from copyplugin.store.queries.receipts import follow_of
from copyplugin.store.rows import LeaderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One setting, from what to what; None where it was not set, or is not any more."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryLine:
    """One thing that happened to a follow; a change of its settings moves no state."""

    at: datetime
    from_state: FollowState | None
    to_state: FollowState
    actor: str
    reason: str

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what was changed of the settings, where that is what happened."""
        if not self.reason.startswith(CHANGED):
            return ()
        return tuple(_change(words) for words in self.reason.removeprefix(CHANGED).split("; "))


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsOfFollow:
    """`arguments` are all settings by the names under which the command takes them."""

    follow_id: FollowId
    leader_id: LeaderId
    leader_nickname: str
    state: FollowState
    copy_amount: Money
    instruments: tuple[Symbol, ...]
    instruments_open: tuple[Symbol, ...]
    modes: tuple[CopyMode, ...]  # those on offer, and the one that counts now
    distances: tuple[LiquidationDistance, ...]
    arguments: dict[str, Any]
    open_held: Ratio | None
    sharer_account: AccountId | None
    is_paper: bool
    history: tuple[HistoryLine, ...]  # the latest first

    @property
    def start_arguments(self) -> dict[str, Any]:
        """Return what starts a follow like this one, but for whose it is to be."""
        given = {
            "leader_id": self.leader_id,
            "copy_amount": f"{self.copy_amount.normalize():f}",
            "instruments": [str(symbol) for symbol in self.instruments],
            **self.arguments,
        }
        if self.open_held is not None:
            given["open_held"] = f"{self.open_held:f}"
        if self.sharer_account is not None:
            given["sharer_account"] = self.sharer_account
        return given

    @property
    def changes_seen(self) -> int:
        return sum(bool(line.changes) for line in self.history)

    @property
    def can_change(self) -> bool:
        """Tell whether anything of it can be changed."""
        return self.state in FOLLOWS_CLOSES or self.state is FollowState.HANDED_OVER

    @property
    def copies_opens(self) -> bool:
        """Tell whether its rules can be changed, not its protection alone."""
        return self.state in COPIES_OPENS


def settings_of_follow(
    session: Session, follower_id: FollowerId, follow_id: FollowId
) -> SettingsOfFollow | None:
    """Return them; None where the follow is not this follower's."""
    follow = follow_of(session, follower_id, follow_id)
    if follow is None:
        return None
    leader = session.get_one(LeaderRow, follow.leader_id)
    found = settings_of(session, follow)
    chosen = symbols_chosen(session, follow_id)
    offered = modes_on_offer(session)
    return SettingsOfFollow(
        follow_id=follow.id,
        leader_id=leader.id,
        leader_nickname=leader.nickname,
        state=follow.state,
        copy_amount=follow.copy_amount,
        instruments=tuple(sorted(chosen)),
        instruments_open=tuple(symbols_open(session, follow_id)),
        modes=tuple(mode for mode in CopyMode if mode in offered or mode is found.rule.mode),
        distances=tuple(
            each for each in liquidation_distances(session, leader.id) if each.symbol in chosen
        ),
        arguments=found.arguments(),
        open_held=follow.open_held,
        sharer_account=follow.sharer_account,
        is_paper=follow.paper,
        history=tuple(
            HistoryLine(
                at=row.at,
                from_state=row.from_state,
                to_state=row.to_state,
                actor=row.actor,
                reason=row.reason,
            )
            for row in history_of(session, follow_id)
        ),
    )


def _change(words: str) -> Change:
    """Return a change out of the words that `differences` made of it."""
    rest, _, after = words.rpartition(" → ")
    name, _, before = rest.rpartition(" ")
    return Change(name=name, before=_or_nothing(before), after=_or_nothing(after))


def _or_nothing(word: str) -> str | None:
    return None if word == "none" else word
