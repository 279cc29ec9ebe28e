"""What states, sides and reasons are called on a page; stored words never reach a reader."""

from collections.abc import Mapping
from decimal import Decimal

from copyplugin.domain.copy_quality import Standing
from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.leader import LeaderKind
from copyplugin.domain.notice import NoticeKind, Way
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.plan_order import PlanState
from copyplugin.domain.protection import PlanKind
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.transition import Effect
from web.formatting import number
from web.i18n import gettext


def side_name(side: PositionSide) -> str:
    return {PositionSide.LONG: gettext("Long"), PositionSide.SHORT: gettext("Short")}[side]


def margin_name(mode: MarginMode) -> str:
    return {MarginMode.ISOLATED: gettext("Isolated"), MarginMode.CROSS: gettext("Cross")}[mode]


def multiple(leverage: Decimal) -> str:
    """Return 10× for a leverage of ten."""
    whole = leverage == leverage.to_integral_value()
    return number(leverage, 0 if whole else 2) + "×"


def mode_name(mode: CopyMode) -> str:
    return {
        CopyMode.FIXED: gettext("Fixed"),
        CopyMode.PROPORTIONAL: gettext("Proportional"),
        CopyMode.MULTIPLE: gettext("Multiple"),
        CopyMode.FIXED_MARGIN: gettext("Fixed margin"),
        CopyMode.EQUITY_RATIO: gettext("Equity ratio"),
    }[mode]


def mode_sentence(mode: CopyMode) -> str:
    """Return what the mode opens for the follower."""
    return {
        CopyMode.FIXED: gettext("You open as many contracts as the leader."),
        CopyMode.PROPORTIONAL: gettext(
            "You use the same part of your balance as the leader uses of his."
        ),
        CopyMode.MULTIPLE: gettext("You open the leader's contracts times a factor."),
        CopyMode.FIXED_MARGIN: gettext("You use the same margin for every order of the leader."),
        CopyMode.EQUITY_RATIO: gettext(
            "You open the leader's contracts times your equity divided by his."
        ),
    }[mode]


def below_minimum_name(choice: BelowMinimum) -> str:
    return {
        BelowMinimum.SKIP: gettext("Skip the order"),
        BelowMinimum.RAISE: gettext("Raise it to the minimum"),
        BelowMinimum.CARRY: gettext("Add it to the next order"),
    }[choice]


def leader_kind_name(kind: LeaderKind) -> str:
    return {LeaderKind.TRADER: gettext("Trader"), LeaderKind.STRATEGY: gettext("Strategy")}[kind]


def follow_state_name(state: FollowState) -> str:
    return {
        FollowState.STARTING: gettext("Starting"),
        FollowState.VOID: gettext("Not started"),
        FollowState.PENDING: gettext("Waiting for the next trade"),
        FollowState.COPYING: gettext("Copying"),
        FollowState.WINDING_DOWN: gettext("Winding down"),
        FollowState.HANDED_OVER: gettext("Handed over"),
        FollowState.CLOSING: gettext("Closing"),
        FollowState.ABORTING: gettext("Aborting"),
        FollowState.SETTLING: gettext("Settling"),
        FollowState.CLOSED: gettext("Closed"),
        FollowState.ABORTED: gettext("Aborted"),
    }[state]


def follow_state_sentence(state: FollowState) -> str:
    """Return what the state means for the follower."""
    return {
        FollowState.STARTING: gettext("The copy amount is on its way to the sub-account."),
        FollowState.VOID: gettext("It could not be started; the money is back."),
        FollowState.PENDING: gettext("Nothing is open. The leader's next open is copied."),
        FollowState.COPYING: gettext("Opens and closes of the leader are copied."),
        FollowState.WINDING_DOWN: gettext(
            "Nothing new is opened. What is open closes when the leader closes it."
        ),
        FollowState.HANDED_OVER: gettext(
            "Ended. What is open is yours: the leader's trades no longer change it. The money "
            "returns when all is closed."
        ),
        FollowState.CLOSING: gettext("Everything open is being closed at market."),
        FollowState.ABORTING: gettext(
            "Copying is impossible. What is open is closed as soon as the venue answers."
        ),
        FollowState.SETTLING: gettext("The leader share is being paid; then the money returns."),
        FollowState.CLOSED: gettext("Ended. The money is back in your spot wallet."),
        FollowState.ABORTED: gettext("Aborted. The money is back in your spot wallet."),
    }[state]


def end_kind_name(kind: EndKind) -> str:
    return {
        EndKind.POSITION_CLOSED: gettext("Position closed"),
        EndKind.ENDED_AFTER_OPENING: gettext("Ended by you after opening"),
        EndKind.ENDED_BEFORE_OPEN: gettext("Ended before any open"),
        EndKind.ABORTED: gettext("Aborted"),
    }[kind]


def effect_name(effect: Effect) -> str:
    return {
        Effect.OPEN: gettext("Open"),
        Effect.ADD: gettext("Add"),
        Effect.REDUCE: gettext("Reduce"),
        Effect.CLOSE: gettext("Close"),
    }[effect]


def purpose_name(purpose: OrderPurpose) -> str:
    return {
        OrderPurpose.COPY: gettext("Copied"),
        OrderPurpose.CLOSE: gettext("Closed at your wish"),
        OrderPurpose.REPAIR: gettext("Repair"),
        OrderPurpose.PROTECT: gettext("Take profit or stop loss"),
    }[purpose]


def plan_name(kind: PlanKind) -> str:
    return {
        PlanKind.TAKE_PROFIT: gettext("Take profit"),
        PlanKind.STOP_LOSS: gettext("Stop loss"),
    }[kind]


def plan_state_name(state: PlanState) -> str:
    return {
        PlanState.SENT: gettext("Sent, answer awaited"),
        PlanState.RESTING: gettext("Rests at the venue"),
        PlanState.REFUSED: gettext("Refused, tried again"),
        PlanState.FIRED: gettext("Fired"),
        PlanState.BOOKED: gettext("Fired"),
        PlanState.FAILED: gettext("Fired, and closed nothing"),
        PlanState.WITHDRAWN: gettext("Withdrawn"),
    }[state]


def order_state_name(state: CopyOrderState) -> str:
    return {
        CopyOrderState.SENT: gettext("Sent, answer awaited"),
        CopyOrderState.DONE: gettext("Done"),
        CopyOrderState.REJECTED: gettext("Refused by the venue"),
        CopyOrderState.EXPIRED: gettext("Expired"),
    }[state]


def notice_name(kind: NoticeKind) -> str:
    return {
        NoticeKind.TAKEN: gettext("Position liquidated"),
        NoticeKind.UNPROTECTED: gettext("Stop loss missing"),
        NoticeKind.STOP_BEYOND_LIQUIDATION: gettext("Stop loss comes too late"),
        NoticeKind.EXIT_REFUSED: gettext("Close refused"),
        NoticeKind.ORPHAN: gettext("Position nobody wants"),
        NoticeKind.LEDGER_DIFFERS: gettext("Ledger differs"),
        NoticeKind.JOB_FAILED: gettext("Job failed"),
        NoticeKind.JOB_BEHIND: gettext("Job stays behind"),
        NoticeKind.SHARE_OWED: gettext("Share owed"),
        NoticeKind.HALTED: gettext("Copying halted"),
        NoticeKind.FOLLOW_ENDED: gettext("Follow ended"),
        NoticeKind.FOLLOW_PAUSED: gettext("Follow paused"),
        NoticeKind.LEADER_MARGIN: gettext("Leader changed his margin"),
        NoticeKind.PROTECTION_FIRED: gettext("Stop loss or take profit"),
        NoticeKind.SHARE_SETTLED: gettext("Share settled"),
    }[kind]


def why_it_stays(kind: NoticeKind) -> str:
    """Return why a kind of `STAYS_ON_THE_PAGE` cannot be switched off there."""
    return {
        NoticeKind.TAKEN: gettext("Money is gone."),
        NoticeKind.UNPROTECTED: gettext("A stop that you rely on is not there."),
        NoticeKind.STOP_BEYOND_LIQUIDATION: gettext("A stop that you rely on comes too late."),
        NoticeKind.EXIT_REFUSED: gettext("A position that should be closed is open."),
        NoticeKind.ORPHAN: gettext("It may lose money, and nothing watches it."),
        NoticeKind.LEDGER_DIFFERS: gettext("Money may be missing."),
        NoticeKind.JOB_FAILED: gettext("What protects and settles may be standing still."),
        NoticeKind.SHARE_OWED: gettext("Somebody waits for his money."),
        NoticeKind.HALTED: gettext("Nothing new is opened while it lasts."),
        NoticeKind.FOLLOW_ENDED: gettext("Positions are closed and money goes home."),
    }[kind]


def way_name(way: Way) -> str:
    return {
        Way.PAGE: gettext("On the page"),
        Way.WEBHOOK: gettext("Webhook"),
        Way.EMAIL: gettext("E-mail"),
    }[way]


def standing_name(standing: Standing) -> str:
    return {
        Standing.COPIED: gettext("Copied"),
        Standing.IN_PART: gettext("Copied in part"),
        Standing.SKIPPED: gettext("Not copied"),
        Standing.WITH_ANOTHER: gettext("Copied with another order"),
        Standing.NOTHING_TO_DO: gettext("Nothing to do"),
        Standing.UNDER_WAY: gettext("On its way"),
    }[standing]


def standing_sentence(standing: Standing) -> str:
    """Return what became of a leader's order, for its follower."""
    return {
        Standing.COPIED: gettext("All that your settings make of this order was filled."),
        Standing.IN_PART: gettext("A part was filled; the rest was left out."),
        Standing.SKIPPED: gettext("Nothing of this order was copied."),
        Standing.WITH_ANOTHER: gettext(
            "Your position is where it should be: an order for another one of the leader's "
            "brought this one with it."
        ),
        Standing.NOTHING_TO_DO: gettext("Your part of this order came to less than a contract."),
        Standing.UNDER_WAY: gettext("Your order is on its way."),
    }[standing]


def skip_details(reason: SkipReason, detail: Mapping[str, str]) -> str:
    """Return the numbers a refusal rests on, in words; what is meant for an operator is left out.

    The venue's own words are shown only where they are the reason.
    """
    words = {
        "contracts": gettext("wanted %(value)s contracts"),
        "minimum": gettext("the least is %(value)s"),
        "affordable": gettext("there was money for %(value)s"),
        "available": gettext("available were %(value)s USDT"),
        "bound": gettext("price bound %(value)s"),
        "leverage": gettext("the leader uses %(value)s×"),
        "allowed": gettext("allowed are %(value)s×"),
        "leader_balance": gettext("the leader had %(value)s USDT"),
        "seconds_late": gettext("%(value)s s late"),
        "limit": gettext("your limit is %(value)s"),
        "attempts": gettext("tried %(value)s times"),
        "not_filled": gettext("%(value)s contracts were not filled"),
    }
    if reason is SkipReason.ORDER_REJECTED:
        words["venue"] = gettext("the venue says: %(value)s")
    return " · ".join(
        words[name] % {"value": _trimmed(value)} for name, value in detail.items() if name in words
    )


def _trimmed(value: str) -> str:
    """Drop trailing zeros of a decimal: 500.00000000 is 500."""
    return value.rstrip("0").rstrip(".") if "." in value else value


def skip_sentence(reason: SkipReason) -> str:
    return gettext(reason.sentence)
