"""What protects a follow (P1, P5, C14), as typed: percentages become ratios; the engine judges."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, StringField

from web.following.more_settings import count_or_nothing, number_of, number_or_nothing, typed

PERCENTAGES = ("take_profit", "stop_loss", "trailing_stop")
AMOUNTS = ("max_loss", "max_day_loss")


class ProtectionSettings(FlaskForm):
    """Every field may stay empty: then there is no such protection."""

    take_profit = StringField()  # in percent of the copy amount
    stop_loss = StringField()
    trailing_stop = StringField()  # in percent of the highest value
    max_loss = StringField()
    max_day_loss = StringField()
    losing_positions = StringField()
    mirrors_margin = BooleanField()  # else the follower is told (C14)

    def protection_arguments(self) -> dict[str, object]:
        """Return what was given, by the names that starting a follow has for it."""
        given: dict[str, object] = {
            name: f"{number_of(self[name].data).scaleb(-2):f}"
            for name in PERCENTAGES
            if typed(self[name])
        }
        given |= {name: f"{number_of(self[name].data):f}" for name in AMOUNTS if typed(self[name])}
        if typed(self.losing_positions):
            given["losing_positions"] = int(typed(self.losing_positions))
        if self.mirrors_margin.data:
            given["mirrors_margin"] = True
        return given

    def validate_take_profit(self, field: Field) -> None:
        number_or_nothing(field)

    validate_stop_loss = validate_trailing_stop = validate_take_profit
    validate_max_loss = validate_max_day_loss = validate_take_profit

    def validate_losing_positions(self, field: Field) -> None:
        count_or_nothing(field)
