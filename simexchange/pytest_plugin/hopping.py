"""Using an object that lives in another thread as if it lived in one's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simexchange.pytest_plugin.account import AccountFacade
from simexchange.pytest_plugin.facade import ExchangeFacade

RunThere = Callable[[Callable[[], Any]], Any]
"""Runs a function in the other thread and returns its result."""


class Hopping:
    """Carries every use of an object over to its thread, and what it returns back.

    Accounts that come back hop too, and hop into calls as what they are there.
    """

    __slots__ = ("_run_there", "_target")

    def __init__(self, target: ExchangeFacade | AccountFacade, run_there: RunThere) -> None:
        self._target = target
        self._run_there = run_there

    def __repr__(self) -> str:
        return repr(self._target)

    def __getattr__(self, name: str) -> Any:
        target = self._target
        return self._brought(self._run_there(lambda: getattr(target, name)))

    def _brought(self, value: Any) -> Any:
        if isinstance(value, ExchangeFacade | AccountFacade):
            return Hopping(value, self._run_there)
        if not callable(value) or isinstance(value, type):
            return value

        def hop(*arguments: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            there, named_there = _sent(arguments), _sent_named(named)
            return self._brought(self._run_there(lambda: value(*there, **named_there)))

        return hop

    @property
    def there(self) -> ExchangeFacade | AccountFacade:
        """The object itself, for its own thread."""
        return self._target


def _sent(arguments: Sequence[Any]) -> list[Any]:
    return [value.there if isinstance(value, Hopping) else value for value in arguments]


def _sent_named(named: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(named, _sent([*named.values()]), strict=True))
