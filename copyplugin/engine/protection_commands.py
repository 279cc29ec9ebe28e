"""What followers set to protect a follow: take profit, stop loss, limits (P1, P5, C14)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from copyplugin.domain.follow import FOLLOWS_CLOSES, FollowState
from copyplugin.domain.follow_limits import FollowLimits
from copyplugin.domain.identifiers import FollowId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.plan_order import TriggerBy
from copyplugin.domain.protection import greatest_ratio_at_full_use, maintenance_rate_of
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import Refused
from copyplugin.store import follows, leader_trades, protection
from copyplugin.store.protection import Protection
from copyplugin.store.rows import FollowProtectionRow, FollowRow

HOLDS_ON = FOLLOWS_CLOSES | {FollowState.HANDED_OVER}
"""States in which positions may stay open."""

NO_LEVERAGE = Ratio(Decimal(1))

NAMES = (
    "take_profit",
    "stop_loss",
    "max_loss",
    "max_day_loss",
    "trailing_stop",
    "losing_positions",
    "mirrors_margin",
)


def protect_new_follow(asked: Asked, follow: FollowRow) -> None:
    """Set what the follower asked for with his new follow; nothing where he asked for nothing."""
    if any(name in asked.given for name in NAMES):
        row = _protect(asked, follow)
        row.peak_value = row.last_value = follow.copy_amount


def set_protection(asked: Asked) -> Done:
    """Replace everything that protects a follow; what is left out is switched off."""
    follow = follows.get_follow(asked.session, FollowId(asked.given.number("follow_id")))
    if follow.state not in HOLDS_ON:
        raise Refused("This follow closes or has closed everything: there is nothing to protect.")
    _protect(asked, follow)
    return Done(
        message="The protection of this follow is set.",
        result={"follow_id": follow.id},
        follow_ids=(follow.id,),
    )


def protection_wish(asked: Asked, before: Protection | None) -> Protection | None:
    """Return the protection that is asked for; None where there never was one and none is."""
    if before is None and not any(name in asked.given for name in NAMES):
        return None
    wish = _wish(asked.given, asked.around)
    if before is not None and "trigger_by" not in asked.given:
        return replace(wish, trigger_by=before.trigger_by)
    return wish


def replace_protection(
    asked: Asked, follow: FollowRow, before: Protection | None, wish: Protection | None
) -> None:
    """Set another protection; only what is asked for anew has to fit."""
    if wish is None or wish == before:
        return
    is_ratio_kept = before is not None and (before.take_profit, before.stop_loss) == (
        wish.take_profit,
        wish.stop_loss,
    )
    _put(asked, follow, wish, judges_ratios=not is_ratio_kept)


def _protect(asked: Asked, follow: FollowRow) -> FollowProtectionRow:
    return _put(asked, follow, _wish(asked.given, asked.around), judges_ratios=True)


def _put(
    asked: Asked, follow: FollowRow, wish: Protection, *, judges_ratios: bool
) -> FollowProtectionRow:
    if judges_ratios:
        _refuse_ratios(asked, follow, wish)
    fault = wish.limits.fault(follow.copy_amount)
    if fault is not None:
        raise Refused(fault)
    return protection.put_protection(asked.session, follow.id, wish)


def _wish(given: Arguments, around: Surroundings) -> Protection:
    trigger = around.settings.protection_trigger
    if "trigger_by" in given:
        trigger = given.choice("trigger_by", TriggerBy)
    return Protection(
        trigger_by=trigger,
        take_profit=_ratio(given, "take_profit"),
        stop_loss=_ratio(given, "stop_loss"),
        limits=FollowLimits(
            max_loss=_money(given, "max_loss"),
            max_day_loss=_money(given, "max_day_loss"),
            trailing_stop=_ratio(given, "trailing_stop"),
            losing_positions=(
                given.number("losing_positions") if "losing_positions" in given else None
            ),
        ),
        mirrors_margin="mirrors_margin" in given and given.truth("mirrors_margin"),
    )


def _ratio(given: Arguments, name: str) -> Ratio | None:
    return Ratio(given.decimal(name)) if name in given else None


def _money(given: Arguments, name: str) -> Money | None:
    return Money(given.decimal(name)) if name in given else None


def _refuse_ratios(asked: Asked, follow: FollowRow, wish: Protection) -> None:
    if (wish.take_profit, wish.stop_loss) == (None, None):
        return
    if not asked.around.venue.capabilities.plan_orders:
        raise Refused(
            "This venue rests no plan orders: leave take profit and stop loss empty, "
            "and set a largest loss instead."
        )
    if wish.take_profit is not None and wish.take_profit <= 0:
        raise Refused("The take profit must be more than 0 % of the copy amount.")
    if wish.stop_loss is None:
        return
    if wish.stop_loss <= 0:
        raise Refused("The stop loss must be more than 0 % of the copy amount.")
    symbols = follows.symbols_chosen(asked.session, follow.id)
    leverages = leader_trades.latest_leverages(asked.session, follow.leader_id)
    greatest, symbol = greatest_ratio(asked.around.instruments, symbols, leverages)
    if wish.stop_loss > greatest:
        raise Refused(
            f"A stop loss of {wish.stop_loss * 100:.2f} % of the copy amount would lie beyond the "
            f"liquidation price in {symbol}: at most {greatest * 100:.2f} % works."
        )


def greatest_ratio(
    instruments: Mapping[Symbol, Instrument],
    symbols: frozenset[Symbol],
    leverages: Mapping[Symbol, Ratio],
) -> tuple[Ratio, Symbol]:
    """Return the greatest stop loss that works in all of these instruments, and which bounds it.

    The leverage is the leader's latest in each; where he has not traded one yet it is 1, so that
    nothing is refused that may work: what does not is told when a position is open.
    """
    bounds = [
        (
            greatest_ratio_at_full_use(
                leverage=leverages.get(symbol, NO_LEVERAGE),
                maintenance_rate=maintenance_rate_of(instruments[symbol]),
                taker_fee=instruments[symbol].taker_fee,
            ),
            symbol,
        )
        for symbol in sorted(symbols)
        if symbol in instruments
    ]
    if not bounds:
        raise Refused("The venue does not trade what you chose now: choose other instruments.")
    return min(bounds)
