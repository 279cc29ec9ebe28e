"""Settings in words that an operator reads."""

from collections.abc import Mapping

from copyplugin.domain.setting_change import SettingName
from web.i18n import gettext


def setting_words() -> Mapping[SettingName, str]:
    """Return what each setting that may be changed decides."""
    return {
        SettingName.PRICE_BOUND_MAJOR: gettext(
            "How far from the leader's price an open may trade, major coins (0.005 is 0.5 %)"
        ),
        SettingName.PRICE_BOUND_OTHER: gettext(
            "How far from the leader's price an open may trade, all others (0.015 is 1.5 %)"
        ),
        SettingName.SIGNAL_LATE_SECONDS: gettext(
            "An open is not copied so many seconds after the leader's last fill for it"
        ),
        SettingName.OPEN_ATTEMPTS: gettext("How often an open is tried"),
        SettingName.OPEN_EXPIRY_SECONDS: gettext("For how many seconds an open is tried"),
        SettingName.USABLE_DEPTH_PERCENT: gettext(
            "What part of a market's depth a leader's order with all copies of it may be"
        ),
        SettingName.CAPACITY_LIMITS_FOLLOWS: gettext(
            "Whether follows beyond what the market bears are refused"
        ),
        SettingName.UNREACHABLE_ABORT_SECONDS: gettext(
            "A follow whose venue is silent for so many seconds is aborted"
        ),
        SettingName.REFUSALS_TO_ABORT: gettext("Refusals in a row that abort a follow"),
        SettingName.TOPUP_MILLISECONDS: gettext(
            "Least time between two orders for one leader order while it fills"
        ),
        SettingName.SIGNAL_QUIET_MILLISECONDS: gettext(
            "A leader order of unknown volume is final when no fill came for so long"
        ),
        SettingName.IS_OPEN_SCALE: gettext("Whether the proportional mode is offered (0 or 1)"),
    }


def triable_words() -> Mapping[str, str]:
    """Return what each setting that can be tried decides."""
    return {
        **{name.value: words for name, words in setting_words().items()},
        "order_margin_max": gettext("Most margin of one order, for every follow (USDT)"),
        "instrument_value_max": gettext("Most value in one instrument, for every follow (USDT)"),
        "total_value_max": gettext("Most value of all positions, for every follow (USDT)"),
        "leverage_max": gettext("Greatest leverage, for every follow"),
        "open_positions_max": gettext("Most positions open at once, for every follow"),
        "orders_per_day_max": gettext("Most orders opened a day, for every follow"),
        "below_minimum": gettext("What is too small: skip, raise or carry, for every follow"),
        "share_ratio": gettext("The leader share, for every follow (0.1 is 10 %)"),
    }
