"""The form that starts a follow (F1): what is chosen, and a sentence for what does not fit."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.money import Money
from copyplugin.ports import MovesMoney
from copyplugin.store.queries.follow_terms import FollowTerms
from web.following.money import PLAY
from web.following.more_settings import MoreSettings, own_arguments, own_terms
from web.following.protection_settings import ProtectionSettings
from web.formatting import MONEY_PLACES, exact_amount, number
from web.i18n import gettext
from web.words import mode_name

REAL = "real"
_PLACES = 2
_LONGEST = 20


class FollowForm(MoreSettings, ProtectionSettings):
    """Bound to one leader's terms; the engine checks the same limits again."""

    instruments = SelectMultipleField(validate_choice=False)
    mode = RadioField(validate_choice=False)
    money = RadioField(validate_choice=False)
    amount = StringField()
    idempotency_key = HiddenField()

    def __init__(self, terms: FollowTerms, moneys: Sequence[str] = (REAL,)) -> None:
        """Take the kinds of money that are possible now, the one to be offered first in front."""
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - Flask-WTF has no types
        self.terms = terms
        self.moneys = moneys
        self.refusal: str | None = None  # what the engine said, when it said no
        self.instruments.choices = [(symbol, symbol) for symbol in terms.instruments]
        self.mode.choices = [(mode.value, mode_name(mode)) for mode in terms.modes]
        self.own_terms = own_terms(terms.instruments)
        self.offer_choices()
        if not self.is_submitted():
            if self.stays and terms.allotment is not None and terms.allotment.held > 0:
                self.amount.data = exact_amount(terms.allotment.held)
            self.instruments.data = list(terms.instruments)
            self.mode.data = CopyMode.FIXED.value
            self.money.data = moneys[0]

    @property
    def is_play(self) -> bool:
        """Return whether it is to be play money; without a word it is the first on offer."""
        return (self.money.data or self.moneys[0]) == PLAY

    @property
    def stays(self) -> bool:
        """Return whether real money is moved by hand: then it may have every decimal."""
        venue = self.terms.venue
        return venue is not None and venue.moves_money is MovesMoney.NONE

    @property
    def _places(self) -> int:
        return MONEY_PLACES if self.stays and not self.is_play else _PLACES

    @property
    def chosen_amount(self) -> Money:
        return Money(_amount(self.amount.data, self._places))

    @property
    def chosen_mode(self) -> CopyMode:
        return CopyMode(self.mode.data)

    @property
    def chosen_instruments(self) -> list[str]:
        return [str(symbol) for symbol in self.instruments.data or []]

    def validate_instruments(self, field: SelectMultipleField) -> None:
        chosen = self.chosen_instruments
        if not chosen:
            raise ValidationError(gettext("Choose at least one instrument."))
        for symbol in chosen:
            if symbol not in self.terms.instruments:
                raise ValidationError(
                    gettext(
                        "%(symbol)s is not among the leader's instruments now: take it out.",
                        symbol=symbol,
                    )
                )

    def validate_money(self, field: RadioField) -> None:
        if (field.data or self.moneys[0]) not in self.moneys:
            raise ValidationError(gettext("Choose real money or play money, as is possible now."))

    def validate_mode(self, field: RadioField) -> None:
        if field.data not in {mode.value for mode in self.terms.modes}:
            raise ValidationError(gettext("Choose one of the modes on offer."))

    def arguments(self) -> dict[str, object]:
        """Return all that was chosen, by the names that starting a follow has for it."""
        given: dict[str, object] = {
            "mode": self.chosen_mode.value,
            "copy_amount": f"{self.chosen_amount:f}",
            "instruments": self.chosen_instruments,
        }
        own = own_arguments(self.own_terms, self.chosen_mode)
        if own:
            given["per_instrument"] = own
        return given | super().arguments() | self.protection_arguments()

    def validate_idempotency_key(self, _: HiddenField) -> None:
        """Look at the terms of single instruments, whose fields are no fields of the form."""
        if self.mode.data in set(CopyMode):
            own_arguments(self.own_terms, self.chosen_mode)

    def validate_amount(self, field: StringField) -> None:
        amount = _amount(field.data, self._places)
        limits = self.terms.card.places.limitation
        spot = self.terms.spot_available
        if self.is_play and self.terms.paper is not None:
            limits, spot = self.terms.paper, None
        if limits is None:
            raise ValidationError(gettext("The leader takes no more money now."))
        if not limits.minimum <= amount <= limits.maximum:
            raise ValidationError(
                gettext(
                    "The amount must be from %(minimum)s to %(maximum)s USDT.",
                    minimum=number(limits.minimum),
                    maximum=number(limits.maximum),
                )
            )
        if spot is not None and amount > spot:
            raise ValidationError(
                gettext(
                    "Your spot wallet has %(spot)s USDT: enter at most that, or deposit first.",
                    spot=number(spot),
                )
            )


def _amount(text: str | None, places: int) -> Decimal:
    """Return the amount as typed; raises `ValidationError` where it is none."""
    text = (text or "").strip()
    if not text:
        raise ValidationError(gettext("Enter the copy amount."))
    try:
        amount = Decimal(text) if len(text) <= _LONGEST else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or "e" in text.lower() or "_" in text:
        raise ValidationError(
            gettext("Write the amount with digits and a point, for example 250.50.")
        )
    if amount.as_tuple().exponent < -places:  # pyright: ignore[reportOperatorIssue] - finite, so a number
        raise ValidationError(gettext("Use at most %(places)s decimals.", places=places))
    return amount
