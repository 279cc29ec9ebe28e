"""What the settings of a follow are called where their history is told."""

from collections.abc import Callable

from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.plan_order import TriggerBy
from copyplugin.store.queries.settings_of_follow import Change
from web.following.settings_form import RATIOS, percent_of
from web.i18n import gettext
from web.words import below_minimum_name, margin_name, mode_name

_PERCENT = {name.replace("_", " ") for name in RATIOS}


def change_words(change: Change) -> str:
    """Return what was changed, for the follower: Stop loss: 3% → 5%."""
    name, symbol = change.name, ""
    if name not in _names():
        symbol, _, name = name.partition(" ")
    label = _names().get(name, name)
    return gettext(
        "%(setting)s: %(before)s → %(after)s",
        setting=f"{symbol} {label}".strip(),
        before=_value(name, change.before),
        after=_value(name, change.after),
    )


def _value(name: str, word: str | None) -> str:
    if word is None:
        return gettext("nothing set")
    if name in _PERCENT:
        return f"{percent_of(word)}%"
    told = _told(name)
    if told is not None:
        return told(word)
    return gettext("yes") if word == "True" else word


def _told(name: str) -> Callable[[str], str] | None:
    """Return how the stored word of this setting is told; None where it speaks for itself."""
    fires_by = {TriggerBy.MARK: gettext("mark price"), TriggerBy.LAST: gettext("last price")}
    words: dict[str, Callable[[str], str]] = {
        "mode": lambda word: mode_name(CopyMode(word)),
        "margin mode": lambda word: margin_name(MarginMode(word)),
        "below minimum": lambda word: below_minimum_name(BelowMinimum(word)),
        "trigger by": lambda word: fires_by[TriggerBy(word)],
    }
    return words.get(name)


def _names() -> dict[str, str]:
    return {
        "mode": gettext("Mode"),
        "factor": gettext("Factor"),
        "order margin": gettext("Margin of each order"),
        "below minimum": gettext("Below the venue's minimum"),
        "leverage": gettext("Leverage"),
        "margin mode": gettext("Margin mode"),
        "order margin max": gettext("Most margin of one order"),
        "instrument value max": gettext("Most value in one instrument"),
        "total value max": gettext("Most value of all positions"),
        "leverage max": gettext("Greatest leverage"),
        "open positions max": gettext("Most positions open at once"),
        "orders per day max": gettext("Most orders opened a day"),
        "price protection": gettext("Distance from the leader's price"),
        "take profit": gettext("Take profit"),
        "stop loss": gettext("Stop loss"),
        "trailing stop": gettext("Trailing stop"),
        "max loss": gettext("Largest loss of the follow"),
        "max day loss": gettext("Largest loss of a day"),
        "losing positions": gettext("Losing positions in a row"),
        "mirrors margin": gettext("Backed as the leader's"),
        "trigger by": gettext("Fires by"),
    }
