"""The further settings of a follow (C7, C8): what is typed becomes a command's arguments.

The engine refuses what does not fit together; here a field must only hold a number of its kind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, SelectField, StringField
from wtforms.validators import ValidationError

from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.fill import MarginMode
from web.i18n import gettext
from web.words import below_minimum_name, margin_name, mode_name

LONGEST = 20
LEADERS = ""  # a choice that leaves something to the leader, or as it is for the whole follow

DECIMALS = (
    "factor",
    "order_margin",
    "leverage",
    "order_margin_max",
    "instrument_value_max",
    "total_value_max",
    "leverage_max",
)
PERCENTAGES = ("price_protection", "open_held")
COUNTS = ("open_positions_max", "orders_per_day_max")
NUMBER_OF_MODE = {CopyMode.MULTIPLE: "factor", CopyMode.FIXED_MARGIN: "order_margin"}


@dataclass(frozen=True, kw_only=True)
class OwnTerms:
    """What one instrument was given of its own, as typed; the number is that of its mode."""

    symbol: str
    mode: str
    number: str
    leverage: str

    @property
    def is_given(self) -> bool:
        return bool(self.mode or self.number or self.leverage)


class MoreSettings(FlaskForm):
    """Every field may stay empty: then there is no such limit, or the leader decides."""

    factor = StringField()
    order_margin = StringField()
    below_minimum = SelectField(default=BelowMinimum.SKIP.value)
    leverage = StringField()
    margin_mode = SelectField(default=LEADERS)
    order_margin_max = StringField()
    instrument_value_max = StringField()
    total_value_max = StringField()
    leverage_max = StringField()
    open_positions_max = StringField()
    orders_per_day_max = StringField()
    price_protection = StringField()  # in percent
    open_held = StringField()  # likewise

    def offer_choices(self) -> None:
        """Give the lists their words, in the language of the page."""
        self.below_minimum.choices = [(one.value, below_minimum_name(one)) for one in BelowMinimum]
        self.margin_mode.choices = [
            (LEADERS, gettext("As the leader")),
            *((one.value, margin_name(one)) for one in MarginMode),
        ]

    @property
    def has_more(self) -> bool:
        """Return whether a setting was given, or has a fault: then they are shown at once."""
        names = {*DECIMALS, *COUNTS, *PERCENTAGES} - {"factor", "order_margin"}
        return (
            any(self[name].data or self[name].errors for name in names if name in self)
            or bool(self.margin_mode.data)
            or self.below_minimum.data != BelowMinimum.SKIP.value
        )

    def arguments(self) -> dict[str, object]:
        """Return what was given, by the names that starting a follow has for it."""
        given: dict[str, object] = {
            name: f"{number_of(self[name].data):f}" for name in DECIMALS if typed(self[name])
        }
        given |= {name: int(typed(self[name])) for name in COUNTS if typed(self[name])}
        if self.below_minimum.data != BelowMinimum.SKIP.value:
            given["below_minimum"] = self.below_minimum.data
        if self.margin_mode.data:
            given["margin_mode"] = self.margin_mode.data
        for name in PERCENTAGES:
            if name in self and typed(self[name]):
                given[name] = f"{number_of(self[name].data).scaleb(-2):f}"
        return given

    def validate_factor(self, field: Field) -> None:
        number_or_nothing(field)

    validate_order_margin = validate_leverage = validate_factor
    validate_order_margin_max = validate_instrument_value_max = validate_factor
    validate_total_value_max = validate_leverage_max = validate_factor
    validate_price_protection = validate_open_held = validate_factor

    def validate_open_positions_max(self, field: Field) -> None:
        count_or_nothing(field)

    validate_orders_per_day_max = validate_open_positions_max


def own_terms(symbols: Iterable[str]) -> list[OwnTerms]:
    """Return what was typed for each instrument."""
    return [
        OwnTerms(
            symbol=symbol,
            mode=request.form.get(f"mode-{symbol}", ""),
            number=request.form.get(f"number-{symbol}", "").strip(),
            leverage=request.form.get(f"leverage-{symbol}", "").strip(),
        )
        for symbol in symbols
    ]


def own_arguments(terms: Iterable[OwnTerms], whole: CopyMode) -> dict[str, Mapping[str, str]]:
    """Return the terms of single instruments; raises `ValidationError` where a number is none."""
    found: dict[str, Mapping[str, str]] = {}
    for own in terms:
        if not own.is_given:
            continue
        if own.mode and own.mode not in set(CopyMode):
            raise ValidationError(gettext("Choose one of the modes on offer."))
        given: dict[str, str] = {"mode": own.mode} if own.mode else {}
        name = NUMBER_OF_MODE.get(CopyMode(own.mode) if own.mode else whole)
        if own.number and name is None:
            raise ValidationError(
                gettext(
                    "%(symbol)s: the mode %(mode)s takes no number.",
                    symbol=own.symbol,
                    mode=mode_name(CopyMode(own.mode) if own.mode else whole),
                )
            )
        if own.number and name is not None:
            given[name] = f"{number_of(own.number):f}"
        if own.leverage:
            given["leverage"] = f"{number_of(own.leverage):f}"
        found[own.symbol] = given
    return found


def count_or_nothing(field: Field) -> None:
    """Raise `ValidationError` unless the field is empty or holds a whole number."""
    text = typed(field)
    if text and not (text.isascii() and text.isdecimal() and len(text) <= LONGEST):
        raise ValidationError(gettext("Write a whole number, for example 5."))


def number_or_nothing(field: Field) -> None:
    """Raise `ValidationError` unless the field is empty or holds a number."""
    if typed(field):
        number_of(field.data)


def typed(field: Field) -> str:
    """Return what was typed, without the spaces around it."""
    return str(field.data or "").strip()


def number_of(text: str | None) -> Decimal:
    """Return the number as typed; raises `ValidationError` where it is none."""
    text = (text or "").strip()
    try:
        number = Decimal(text) if len(text) <= LONGEST else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or "e" in text.lower() or "_" in text:
        raise ValidationError(gettext("Write the number with digits and a point, for example 2.5."))
    return number
