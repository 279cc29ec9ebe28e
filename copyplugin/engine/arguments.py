"""Reading a command's arguments: what does not fit is refused with a sentence."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar, cast

from copyplugin.domain.identifiers import NUMBER_MAX, AccountId, Symbol
from copyplugin.domain.leader import LeaderKind, LeaderTerms, ShareBasis, accounts_from
from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.paper import is_paper
from copyplugin.errors import Refused

E = TypeVar("E", bound=StrEnum)


class Arguments:
    """A command's arguments as they came, out of JSON: text, whole numbers and lists of text.

    `learnt` is what the venue was asked for the command, by name.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self.learnt: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def number(self, name: str) -> int:
        value = self._given.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused(f"{_words(name)} must be a whole number, not {value!r}.")
        if abs(value) > NUMBER_MAX:
            raise Refused(f"{_words(name)} must be at most {NUMBER_MAX}, not {value}.")
        return value

    def truth(self, name: str) -> bool:
        value = self._given.get(name)
        if not isinstance(value, bool):
            raise Refused(f"{_words(name)} must be true or false, not {value!r}.")
        return value

    def text(self, name: str) -> str:
        value = self._given.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Refused(f"{_words(name)} is missing.")
        if not _is_storable_text(value):
            raise Refused(f"{_words(name)} has a character that is none: write it anew.")
        return value.strip()

    def account(self, name: str) -> AccountId:
        """Return the name of a real account."""
        account = AccountId(self.text(name))
        if is_paper(account):
            raise Refused(f"{account} is the name of an account with play money: give a real one.")
        return account

    def decimal(self, name: str) -> Decimal:
        text = str(self._given.get(name))
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise Refused(f"{_words(name)} must be a number, not {text!r}.") from error
        if not value.is_finite():
            raise Refused(f"{_words(name)} must be a number, not {text!r}.")
        return value

    def choice(self, name: str, words: type[E]) -> E:
        value = self._given.get(name)
        if value not in set(words):
            known = ", ".join(words)
            raise Refused(f"{_words(name)} must be one of {known}, not {value!r}.")
        return words(value)

    def texts(self, name: str) -> frozenset[str]:
        value = self._given.get(name)
        if not isinstance(value, list):
            raise Refused(f"{_words(name)} must be a list.")
        return frozenset(str(item) for item in cast("list[object]", value))

    def mapping(self, name: str) -> Mapping[str, object]:
        value = self._given.get(name)
        if not isinstance(value, dict):
            raise Refused(f"{_words(name)} must be given by name.")
        return cast("dict[str, object]", value)


def leader_terms(arguments: Arguments, before: LeaderTerms | None = None) -> LeaderTerms:
    """Return the terms an operator sent; what he left out is as before, or as by default."""
    terms: dict[str, Any] = {}
    readers: Mapping[str, Callable[[str], object]] = {
        "nickname": arguments.text,
        "signature": lambda name: str(arguments.text(name)),
        "share_ratio": lambda name: Ratio(arguments.decimal(name)),
        "min_copy_amount": lambda name: Money(arguments.decimal(name)),
        "max_copy_amount": lambda name: Money(arguments.decimal(name)),
        "total_copy_amount": lambda name: Money(arguments.decimal(name)),
        "max_followers": arguments.number,
        "sharer_ratio": lambda name: Ratio(arguments.decimal(name)),
        "share_basis": lambda name: arguments.choice(name, ShareBasis),
        "kind": lambda name: arguments.choice(name, LeaderKind),
        "blacklist": lambda name: accounts_from(arguments.text(name)),
    }
    for name, read in readers.items():
        if name in arguments:
            terms[name] = read(name)
    if "instruments" in arguments:
        terms["symbols"] = frozenset(Symbol(name) for name in arguments.texts("instruments"))
    if before is not None:
        kept = {name: getattr(before, name) for name in LeaderTerms.__dataclass_fields__}
        return LeaderTerms(**(kept | terms))
    if "nickname" not in terms:
        raise Refused("The leader needs a nickname.")
    terms.setdefault("symbols", frozenset[Symbol]())
    return LeaderTerms(**terms)


def _is_storable_text(text: str) -> bool:
    """Return whether both databases take it: no zero character, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
