"""Makes the clock and the exchange of one test from what its marker says."""

from collections.abc import Mapping
from typing import Any, cast

from simexchange.clock import Clock, ManualClock, SystemClock
from simexchange.core.config import ExchangeConfig
from simexchange.pytest_plugin.facade import ExchangeFacade
from simexchange.scenario.amounts import moment_us, money_of
from simexchange.scenario.parser import DEFAULT_START
from simexchange.scenario.problem import suggestion

SETTINGS = (
    "instruments",
    "seed",
    "clock",
    "start",
    "check_ledger",
    "insurance_fund",
    "rate_limits",
)
CLOCKS = ("manual", "system")


def make_clock(settings: Mapping[str, Any]) -> Clock:
    _refuse_unknown(settings)
    clock = settings.get("clock", "manual")
    if clock == "system":
        if "start" in settings:
            raise ValueError('the computer\'s clock has no start; leave out clock="system"')
        return SystemClock()
    if clock != "manual":
        raise ValueError(f"there is no clock {clock}; {suggestion(str(clock), CLOCKS)}")
    return ManualClock(moment_us(settings.get("start", DEFAULT_START), 0))


def make_exchange(settings: Mapping[str, Any], clock: Clock) -> ExchangeFacade:
    _refuse_unknown(settings)
    instruments: object = settings.get("instruments", {})
    if not isinstance(instruments, Mapping):
        raise ValueError(  # noqa: TRY004 - one error for whatever an author may write
            'instruments are given by symbol: {"BTCUSDT": {"tick": "0.1", "face": "0.001"}}, not '
            f"{instruments!r}"
        )
    return ExchangeFacade(
        clock,
        seed=int(settings.get("seed", 0)),
        instruments=cast("Mapping[str, Mapping[str, Any]]", instruments),
        insurance_fund=money_of(settings["insurance_fund"])
        if "insurance_fund" in settings
        else ExchangeConfig().insurance_fund,
    )


def _refuse_unknown(settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in SETTINGS:
            raise ValueError(f"the marker simexchange has no {name}; {suggestion(name, SETTINGS)}")
