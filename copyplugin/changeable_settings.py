"""Settings with what was changed at run time on top: reading a value, and putting it in."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from copyplugin.domain.setting_change import CHANGEABLE, SettingName
from copyplugin.errors import Refused
from copyplugin.settings import Settings

NOT_PROPORTIONAL = "0"
"""What `isOpenScale` is unless it was changed; it is kept in rows only."""


def setting_named(name: str) -> SettingName:
    """Return the setting; raises `Refused` where it cannot be changed at run time."""
    found = next((each for each in SettingName if each.lower() == name.strip().lower()), None)
    if found is not None:
        return found
    kind = "is set in the environment" if name in Settings.model_fields else "is not known"
    raise Refused(
        f"{name} {kind} and cannot be changed while copying goes on. These can: "
        f"{', '.join(CHANGEABLE)}."
    )


def setting_value(name: SettingName, text: str) -> Any:
    """Return the value an operator wrote; raises `Refused` with what it must be."""
    if name is SettingName.IS_OPEN_SCALE:
        if text.strip() not in {"0", "1"}:
            raise Refused(f"{name} must be 0 or 1, not {text!r}.")
        return int(text)
    try:
        return _checker(name).validate_python(text.strip())
    except ValidationError as error:
        told = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Refused(f"{name} is {text!r}: {told[0].lower()}{told[1:]}.") from error


@cache
def _checker(name: SettingName) -> TypeAdapter[Any]:
    """Return what checks one value as the settings do; making it takes longer than a turn may."""
    field = Settings.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata]  # pyright: ignore[reportInvalidTypeForm] - pydantic's own way to check one field
    return TypeAdapter(kind)


def setting_text(value: object) -> str:
    """Return a value as an operator writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def setting_number(value: object) -> Decimal:
    """Return a value as a number that says which of two is the greater."""
    return Decimal(str(int(value) if isinstance(value, bool) else value))


def configured_value(configured: Settings, name: SettingName) -> object:
    """Return what holds where nothing was changed."""
    if name is SettingName.IS_OPEN_SCALE:
        return int(NOT_PROPORTIONAL)
    return getattr(configured, name)


def with_changes(configured: Settings, changed: Mapping[SettingName, str]) -> Settings:
    """Return the settings with these values in place of those that are configured.

    A value that was checked when it was changed and does not fit any more, because a newer program
    allows less, raises `Refused`: nothing is guessed.
    """
    wanted = {name: text for name, text in changed.items() if name in Settings.model_fields}
    if not wanted:
        return configured
    values = {name.value: setting_value(name, text) for name, text in wanted.items()}
    return configured.model_copy(update=values)


def assignments(words: Iterable[str]) -> dict[str, str]:
    """Return `NAME=VALUE` words as a mapping; raises `Refused` for a word that is none."""
    given: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name.strip() or not value.strip():
            raise Refused(f"{word!r} is not NAME=VALUE: write for example price_bound_major=0.004.")
        if name.strip() in given:
            raise Refused(f"{name.strip()} is given twice: give it once.")
        given[name.strip()] = value.strip()
    return given
