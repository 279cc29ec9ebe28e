"""The form that changes a running follow: the settings of the start form, filled in as they are."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wtforms import HiddenField, RadioField
from wtforms.validators import ValidationError

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.store.queries.settings_of_follow import SettingsOfFollow
from web.following import more_settings, protection_settings
from web.following.more_settings import MoreSettings, OwnTerms, own_arguments, own_terms
from web.following.protection_settings import ProtectionSettings
from web.i18n import gettext
from web.words import mode_name

RATIOS = frozenset({*more_settings.PERCENTAGES, *protection_settings.PERCENTAGES})
SHOWN_OF_AN_INSTRUMENT = frozenset({"mode", "factor", "order_margin", "leverage"})
PROTECTION = (
    *protection_settings.PERCENTAGES,
    *protection_settings.AMOUNTS,
    "losing_positions",
    "mirrors_margin",
    "trigger_by",
)


class SettingsForm(MoreSettings, ProtectionSettings):
    """Bound to one follow. What it does not show of a setting is sent back as it was."""

    open_held = None  # of a start only
    mode = RadioField(validate_choice=False)
    changes_seen = HiddenField()
    idempotency_key = HiddenField()

    def __init__(self, found: SettingsOfFollow) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - Flask-WTF has no types
        self.found = found
        self.refusal: str | None = None  # what the engine said, when it said no
        self.mode.choices = [(mode.value, mode_name(mode)) for mode in found.modes]
        self.offer_choices()
        if self.is_submitted():
            self.own_terms = own_terms(found.instruments)
        else:
            self._fill(found.arguments)
            self.own_terms = [
                _own(symbol, self._own_before(symbol)) for symbol in found.instruments
            ]
            self.changes_seen.data = str(found.changes_seen)

    def all_arguments(self) -> dict[str, Any]:
        """Return every setting, by the names that the command has for it."""
        before = self.found.arguments
        rules: dict[str, Any] = {
            name: value for name, value in before.items() if name not in PROTECTION
        }
        if self.found.copies_opens:
            rules = {"mode": self.mode.data, **self.arguments()}
            own = self._own_arguments()
            if own:
                rules["per_instrument"] = own
        kept = {name: before[name] for name in ("trigger_by",) if name in before}
        seen = str(self.changes_seen.data or "")
        if seen.isascii() and seen.isdecimal():
            kept["changes_seen"] = int(seen)
        return rules | self.protection_arguments() | kept

    def validate_mode(self, field: RadioField) -> None:
        if self.found.copies_opens and field.data not in {mode.value for mode in self.found.modes}:
            raise ValidationError(gettext("Choose one of the modes on offer."))

    def validate_idempotency_key(self, _: HiddenField) -> None:
        """Look at the terms of single instruments, whose fields are no fields of the form."""
        if self.mode.data in set(CopyMode):
            own_arguments(self.own_terms, CopyMode(self.mode.data))

    def _own_arguments(self) -> dict[str, Mapping[str, str]]:
        typed = own_arguments(self.own_terms, CopyMode(self.mode.data))
        merged = {
            symbol: self._not_shown(symbol) | dict(typed.get(symbol, {}))
            for symbol in map(str, self.found.instruments)
        }
        return {symbol: terms for symbol, terms in merged.items() if terms}

    def _own_before(self, symbol: str) -> Mapping[str, Any]:
        return self.found.arguments.get("per_instrument", {}).get(symbol, {})

    def _not_shown(self, symbol: str) -> dict[str, Any]:
        return {
            name: value
            for name, value in self._own_before(symbol).items()
            if name not in SHOWN_OF_AN_INSTRUMENT
        }

    def _fill(self, arguments: Mapping[str, Any]) -> None:
        for name, value in arguments.items():
            if name not in self:
                continue
            self[name].data = percent_of(value) if name in RATIOS else value


def percent_of(ratio: str) -> str:
    """Return 12.5 for 0.125."""
    return f"{Decimal(ratio).scaleb(2).normalize():f}"


def _own(symbol: str, terms: Mapping[str, Any]) -> OwnTerms:
    return OwnTerms(
        symbol=symbol,
        mode=terms.get("mode", ""),
        number=terms.get("factor", terms.get("order_margin", "")),
        leverage=terms.get("leverage", ""),
    )
