"""What followers do: register, start a follow, end it in one of three ways (L1, L3, L4, L5)."""

from copyplugin.domain.command import EndHow
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import (
    AccountId,
    CopiedPositionId,
    FollowerId,
    FollowId,
    LeaderId,
    Symbol,
)
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import Money, Ratio
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.halt_commands import refuse_where_halted
from copyplugin.engine.protection_commands import protect_new_follow
from copyplugin.engine.rule_arguments import copy_rule, instrument_rules
from copyplugin.engine.surroundings import Surroundings
from copyplugin.engine.transfers import stays_where_it_is
from copyplugin.errors import Refused
from copyplugin.store import followers, follows, lane_work, marking, places, settings
from copyplugin.store.database import Session
from copyplugin.store.rows import CopiedPositionRow, FollowRow

ENDED_BY_FOLLOWER = "ended by the follower"
ENDED = {
    EndHow.CLOSE_NOW: "The follow has ended; every position is closed at market.",
    EndHow.FOLLOW_CLOSES: (
        "The follow has ended; open positions close when the leader closes his."
    ),
    EndHow.HAND_OVER: (
        "The follow has ended; open positions are yours to close, and the money comes back "
        "when all are closed."
    ),
}


async def ask_about_follower(given: Arguments, around: Surroundings) -> None:
    account = given.account("account")
    if not await around.venue.knows_account(account):
        raise Refused(f"The venue knows no account {account}: check the UID.")


def register_follower(asked: Asked) -> Done:
    account = AccountId(asked.given.text("account"))
    name = asked.given.text("name") if "name" in asked.given else account
    follower = followers.register_follower(
        asked.session, account, name=name, at=asked.around.clock.now()
    )
    return Done(
        message=f"{follower.name} is registered.",
        result={"follower_id": follower.id},
        wallets=(account,),
    )


async def ask_about_money(given: Arguments, around: Surroundings) -> None:
    """Refuse an amount that the spot wallet does not hold, before anything is begun."""
    follower_id = FollowerId(given.number("follower_id"))
    with around.database.read() as session:
        account = followers.get_follower(session, follower_id).account
    if stays_where_it_is(around, account):
        # What he follows with is in the account that is allotted to him: its start looks there.
        await _ask_about_sharer(given, around)
        return
    amount = given.decimal("copy_amount")
    spot = (await around.venue.balance(account)).spot_available
    if amount > spot:
        raise Refused(
            f"Your spot wallet holds {spot.normalize():f} USDT: "
            f"choose a copy amount of at most that, or deposit first."
        )
    await _ask_about_sharer(given, around)


async def ask_about_play_money(given: Arguments, around: Surroundings) -> None:
    """Refuse where there is none; whoever may have some has as much as he asks for."""
    if not around.has_paper:
        raise Refused(
            "Following with play money is switched off here: ask the operator to name a place for "
            "it (COPYPLUGIN_PAPER_DIRECTORY)."
        )
    await _ask_about_sharer(given, around)


async def _ask_about_sharer(given: Arguments, around: Surroundings) -> None:
    sharer = _sharer(given)
    if sharer is not None and not await around.venue.knows_account(sharer):
        raise Refused(f"The venue knows no account {sharer}: follow without this link.")


def start_follow(asked: Asked) -> Done:
    """Reserve the place, and later tell what became of the start."""
    return _start(asked, FollowerId(asked.given.number("follower_id")))


def start_paper_follow(asked: Asked) -> Done:
    """Start the same with play money: it takes no place, and none of the leader's total."""
    person = FollowerId(asked.given.number("follower_id"))
    twin = followers.paper_twin(asked.session, person, at=asked.around.clock.now())
    return _start(asked, twin.id)


def _start(asked: Asked, follower_id: FollowerId) -> Done:
    if asked.row.result is not None:
        return _started(asked, FollowId(asked.row.result["follow_id"]))
    refuse_where_halted(asked, LeaderId(asked.given.number("leader_id")))
    protection = None
    if "price_protection" in asked.given:
        protection = Ratio(asked.given.decimal("price_protection"))
    rule = copy_rule(asked.given)
    wish = places.NewFollow(
        leader_id=LeaderId(asked.given.number("leader_id")),
        follower_id=follower_id,
        rule=rule,
        instrument_rules=instrument_rules(asked.given, rule),
        copy_amount=Money(asked.given.decimal("copy_amount")),
        symbols=frozenset(Symbol(name) for name in asked.given.texts("instruments")),
        price_protection=protection,
        sharer_account=_sharer(asked.given),
        open_held=Ratio(asked.given.decimal("open_held")) if "open_held" in asked.given else None,
        escrow_seconds=asked.around.settings.share_escrow_seconds,
    )
    now = asked.around.clock.now()
    follow = places.reserve_follow(
        asked.session,
        wish,
        proportional_allowed=settings.is_proportional_allowed(asked.session),
        at=now,
        capacity_limits=asked.around.settings_at(asked.session, now).capacity_limits_follows,
    )
    protect_new_follow(asked, follow)
    asked.row.result = {"follow_id": follow.id}
    return Done(message=None, follow_ids=(follow.id,))


def _sharer(given: Arguments) -> AccountId | None:
    """Return whose link brought the follower (M4)."""
    return given.account("sharer_account") if "sharer_account" in given else None


def _started(asked: Asked, follow_id: FollowId) -> Done:
    session = asked.session
    follow = follows.get_follow(session, follow_id)
    if follow.state is FollowState.STARTING:
        return Done(message=None)
    if follow.state is FollowState.VOID:
        raise Refused(f"Copying was not started. {follow.end_reason}")
    follower = followers.get_follower(session, follow.follower_id)
    message = "Copying with play money has started." if follow.paper else "Copying has started."
    if stays_where_it_is(asked.around, follower.account):
        message += (
            f" No money was moved: account {follow.sub_account} is allotted to this follow, "
            "and all it holds is at stake."
        )
    return Done(
        message=message,
        result={"follow_id": follow_id},
        wallets=(follower.account,),
    )


def end_follow(asked: Asked) -> Done:
    follow = follows.get_follow(asked.session, FollowId(asked.given.number("follow_id")))
    how = asked.given.choice("how", EndHow)
    follows.end_follow(
        asked.session,
        follow,
        how,
        actor=asked.row.actor,
        reason=ENDED_BY_FOLLOWER,
        at=asked.around.clock.now(),
    )
    message = ENDED[how]
    if follow.sub_account is not None and stays_where_it_is(asked.around, follow.sub_account):
        message += (
            f" This venue moves no money for us: what is left stays in account "
            f"{follow.sub_account}. Move it by hand when the follow has closed, and pay from it "
            "what you owe your leader."
        )
    return _ending(follow, message)


def close_position(asked: Asked) -> Done:
    position, follow = _open_position(asked.session, asked.given)
    marking.aim_lane_at_nothing(asked.session, position.lane_id)
    return _ending(follow, "The position is closed at market; the follow goes on.")


def end_from_position(asked: Asked) -> Done:
    position, follow = _open_position(asked.session, asked.given)
    marking.aim_lane_at_nothing(asked.session, position.lane_id)
    follows.end_follow(
        asked.session,
        follow,
        EndHow.FOLLOW_CLOSES,
        actor=asked.row.actor,
        reason=ENDED_BY_FOLLOWER,
        at=asked.around.clock.now(),
    )
    return _ending(
        follow,
        "The position is closed at market and the follow has ended; "
        "other positions close when the leader closes his.",
    )


def _open_position(session: Session, given: Arguments) -> tuple[CopiedPositionRow, FollowRow]:
    position_id = CopiedPositionId(given.number("copied_position_id"))
    position = lane_work.get_position(session, position_id)
    if position.state is not TradeState.OPEN:
        raise Refused("This position is closed already.")
    return position, follows.get_follow(session, position.follow_id)


def _ending(follow: FollowRow, message: str) -> Done:
    return Done(
        message=message,
        result={"follow_id": follow.id},
        shards=(follow.shard,),
        follow_ids=(follow.id,),
    )
