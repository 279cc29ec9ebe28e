"""The beginning of the demonstration: leaders, followers and first follows, all by commands."""

from collections.abc import Mapping

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.plugin import CopyPlugin
from copyplugin.store.settings import IS_OPEN_SCALE, put_setting
from web.demo.cast import (
    MAX_COPY_AMOUNT,
    MIN_COPY_AMOUNT,
    OPERATOR,
    TERMS,
    TOTAL_COPY_AMOUNT,
    FollowerPlan,
    FollowPlan,
)
from web.demo.stage import Stage


class OpeningFailed(Exception):
    """A command of the opening was refused or took too long; the sentence says which."""


def _do(
    plugin: CopyPlugin, kind: CommandKind, arguments: Mapping[str, object], name: str
) -> Mapping[str, object]:
    outcome = plugin.commands.submit(
        kind, arguments, actor=OPERATOR, idempotency_key=f"opening:{kind}:{name}"
    )
    if outcome.state is not CommandState.DONE:
        raise OpeningFailed(f"{kind} for {name} is {outcome.state}: {outcome.message}")
    return outcome.result


def offer_both_modes(plugin: CopyPlugin) -> None:
    """Set what an operator sets to have proportional copying on the form (C5)."""
    at = plugin.queries.now()
    plugin.database.write_and_wait(
        lambda session: put_setting(session, IS_OPEN_SCALE, "1", changed_by=OPERATOR, at=at)
    )


def add_leaders(plugin: CopyPlugin, stage: Stage) -> dict[str, int]:
    """Make the market's leaders leaders of the plugin; return their ids by name."""
    ids: dict[str, int] = {}
    for name, account in stage.world.leaders.items():
        terms = TERMS[name]
        added = _do(
            plugin,
            CommandKind.ADD_LEADER,
            {
                "account": str(account),
                "nickname": name,
                "signature": terms.signature,
                "share_ratio": str(terms.share_ratio),
                "min_copy_amount": str(MIN_COPY_AMOUNT),
                "max_copy_amount": str(MAX_COPY_AMOUNT),
                "total_copy_amount": str(TOTAL_COPY_AMOUNT),
                "max_followers": terms.max_followers,
                "instruments": _instruments(stage),
            },
            name,
        )
        ids[name] = _number(added, "leader_id")
        if terms.pinned:
            pin = {"leader_id": ids[name]}
            _do(plugin, CommandKind.PIN_LEADER, pin, name)
    return ids


def add_followers(
    plugin: CopyPlugin, stage: Stage, followers: list[FollowerPlan]
) -> dict[str, int]:
    """Open an account with money for each and register him; return their ids by name."""
    ids: dict[str, int] = {}
    for plan in followers:
        account = stage.open_account(plan.name, plan.spot)
        registered = _do(
            plugin,
            CommandKind.REGISTER_FOLLOWER,
            {"account": account, "name": plan.name},
            plan.name,
        )
        ids[plan.name] = _number(registered, "follower_id")
    return ids


def start_follows(
    plugin: CopyPlugin,
    stage: Stage,
    followers: list[FollowerPlan],
    ids: tuple[Mapping[str, int], Mapping[str, int]],
) -> int:
    """Start every planned follow; `ids` are those of the leaders and of the followers."""
    leader_ids, follower_ids = ids
    started = 0
    for plan in followers:
        for follow in plan.follows:
            arguments = _follow(stage, follow, (leader_ids[follow.leader], follower_ids[plan.name]))
            _do(plugin, CommandKind.START_FOLLOW, arguments, f"{plan.name} after {follow.leader}")
            started += 1
    return started


def start_paper_follow(
    plugin: CopyPlugin,
    stage: Stage,
    plan: FollowerPlan,
    ids: tuple[Mapping[str, int], Mapping[str, int]],
) -> None:
    """Let one follower do with play money what he does with real money, to compare the two."""
    leader_ids, follower_ids = ids
    for follow in plan.follows[:1]:
        arguments = _follow(stage, follow, (leader_ids[follow.leader], follower_ids[plan.name]))
        _do(plugin, CommandKind.START_PAPER_FOLLOW, arguments, f"{plan.name} on paper")


def _follow(stage: Stage, follow: FollowPlan, ids: tuple[int, int]) -> Mapping[str, object]:
    leader_id, follower_id = ids
    return {
        "leader_id": leader_id,
        "follower_id": follower_id,
        "mode": follow.mode.value,
        "copy_amount": str(follow.copy_amount),
        "instruments": _instruments(stage),
    }


def _instruments(stage: Stage) -> list[str]:
    return [instrument.symbol for instrument in stage.world.simulation.exchange.instruments]


def _number(result: Mapping[str, object], name: str) -> int:
    number = result.get(name)
    if not isinstance(number, int):
        raise OpeningFailed(f"the engine answered without a {name}: {dict(result)}")
    return number
