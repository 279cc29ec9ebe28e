"""Instruments in the words of scenario files and tests: tick, face, fees, tiers, funding."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import RATE_SCALE
from simexchange.scenario.amounts import (
    contracts_of,
    decimal_of,
    duration_us,
    money_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.problem import suggestion

Conversion = Callable[[Any], Any]
"""From what was written to an attribute of the core's value; ValueError says what to change."""

ATTRIBUTES: dict[str, tuple[str, Conversion]] = {
    "base": ("base", str),
    "tick": ("tick_size", decimal_of),
    "face": ("contract_size", decimal_of),
    "maker_fee": ("maker_fee", rate_of),
    "taker_fee": ("taker_fee", rate_of),
    "liquidation_fee": ("liquidation_fee", rate_of),
    "default_leverage": ("default_leverage", lambda text: whole_of(text, "default_leverage")),
    "minimum_contracts": ("min_contracts", contracts_of),
    "maximum_contracts": ("max_contracts", contracts_of),
    "maximum_market_contracts": ("max_market_contracts", contracts_of),
    "contracts_step": ("contracts_step", contracts_of),
    "minimum_notional": ("min_notional", money_of),
    "price_band": ("price_band", rate_of),
    "market_slippage": ("market_slippage", rate_of),
    "trigger_protect": ("trigger_protect", rate_of),
    "maximum_open_orders": ("max_open_orders", contracts_of),
    "maximum_open_plans": ("max_open_plans", contracts_of),
    "mark_window": ("mark_window_us", duration_us),
    "index_stale_after": ("index_stale_us", duration_us),
    "mark_protection": ("mark_protection", rate_of),
}
"""Words with one value each: the attribute of ``Instrument`` and how the value is read."""

FUNDING_ATTRIBUTES: dict[str, tuple[str, Conversion]] = {
    "interval": ("interval_us", duration_us),
    "interest_rate": ("interest_rate", rate_of),
    "clamp": ("clamp", rate_of),
    "cap": ("cap", rate_of),
    "impact_notional": ("impact_notional", money_of),
    "sample_every": ("sample_us", duration_us),
}

TIER_WORDS = ("from", "maintenance", "maximum_leverage")

SPECIAL_WORDS = ("maintenance", "maximum_leverage", "tiers", "funding")
"""Words that need more than a conversion."""

DEFAULT_MAINTENANCE = "0.4%"
DEFAULT_MAXIMUM_LEVERAGE = 125
DEFAULT_LEVERAGE = 10


class TierTerms(msgspec.Struct, frozen=True):
    """One tier as written; its deduction follows from the tiers below it."""

    floor: int  # money
    maintenance_rate: int
    max_leverage: int


def tier_terms(floor: Any, maintenance: Any, maximum_leverage: Any) -> TierTerms:
    return TierTerms(
        money_of(floor, "from"),
        rate_of(maintenance, "maintenance"),
        whole_of(maximum_leverage, "maximum_leverage"),
    )


def tiers_from(terms: Iterable[TierTerms]) -> tuple[MarginTier, ...]:
    """Return margin tiers whose deductions make maintenance margin continuous at each floor."""
    tiers: list[MarginTier] = []
    for term in terms:
        deduction = 0
        if tiers:
            below = tiers[-1]
            step = term.floor * (term.maintenance_rate - below.maintenance_rate)
            if step % RATE_SCALE:
                raise ValueError(
                    "the maintenance margin would jump by a fraction of a money unit at this "
                    "tier; use rounder numbers for from and maintenance"
                )
            deduction = below.deduction + step // RATE_SCALE
        tiers.append(MarginTier(term.floor, term.maintenance_rate, term.max_leverage, deduction))
    return tuple(tiers)


def flat_tier(maintenance: Any, maximum_leverage: Any) -> tuple[MarginTier, ...]:
    return tiers_from([tier_terms(0, maintenance, maximum_leverage)])


def instrument_from(symbol: str, attributes: Mapping[str, Any]) -> Instrument:
    """Return the instrument of already converted ``attributes``, or ValueError.

    The base is the symbol without USDT where none is given. Maximum leverage is the first tier's.
    """
    given = dict(attributes)
    if not given.get("base"):
        base = symbol.removesuffix("USDT")
        if not base or base == symbol:
            raise ValueError(f"{symbol}: say which base it has (base: BTC)")
        given["base"] = base
    tiers = given.setdefault("tiers", flat_tier(DEFAULT_MAINTENANCE, DEFAULT_MAXIMUM_LEVERAGE))
    maximum = max((tier.max_leverage for tier in tiers), default=1)
    given["max_leverage"] = maximum
    given.setdefault("default_leverage", min(DEFAULT_LEVERAGE, maximum))
    instrument = Instrument(symbol=symbol, **given)
    problem = instrument.problem()
    if problem is not None:
        raise ValueError(problem)
    return instrument


def instrument_of(symbol: str, words: Mapping[str, Any]) -> Instrument:
    """Return the instrument that a test describes in the words of scenario files.

    ``tiers`` are mappings, or rows of (from, maintenance, maximum_leverage); ``funding`` is True or
    a mapping.
    """
    for required in ("tick", "face"):
        if required not in words:
            raise ValueError(f'{symbol} needs a {required}, such as {required}="0.1"')
    attributes = _plain_attributes(words)
    attributes["tiers"] = _tiers_of(words)
    if "funding" in words and words["funding"] is not False:
        attributes["funding"] = _funding_of(words["funding"])
    return instrument_from(symbol, attributes)


def _plain_attributes(words: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for word, value in words.items():
        if word in ATTRIBUTES:
            name, conversion = ATTRIBUTES[word]
            attributes[name] = conversion(value)
        elif word not in SPECIAL_WORDS:
            hint = suggestion(word, [*ATTRIBUTES, *SPECIAL_WORDS])
            raise ValueError(f"an instrument has no {word}; {hint}")
    return attributes


def _tiers_of(words: Mapping[str, Any]) -> tuple[MarginTier, ...]:
    if "tiers" not in words:
        return flat_tier(
            words.get("maintenance", DEFAULT_MAINTENANCE),
            words.get("maximum_leverage", DEFAULT_MAXIMUM_LEVERAGE),
        )
    if "maintenance" in words or "maximum_leverage" in words:
        raise ValueError("with tiers, maintenance and maximum_leverage belong to each tier")
    return tiers_from(tier_terms(*_tier_words(tier)) for tier in words["tiers"])


def _tier_words(tier: Any) -> tuple[Any, Any, Any]:
    """Return from, maintenance and maximum_leverage of a tier, given by these words or in a row."""
    if isinstance(tier, Mapping):
        given = cast("Mapping[str, Any]", tier)
        for word in given:
            if word not in TIER_WORDS:
                raise ValueError(f"a tier has no {word}; {suggestion(word, TIER_WORDS)}")
        tier = tuple(given[word] for word in TIER_WORDS if word in given)
    if not isinstance(tier, tuple | list) or len(cast("list[Any]", tier)) != len(TIER_WORDS):
        raise ValueError(
            'a tier is {"from": "0", "maintenance": "0.4%", "maximum_leverage": 125}, not '
            f"{tier!r}"
        )
    floor, maintenance, maximum_leverage = cast("list[Any]", tier)
    return floor, maintenance, maximum_leverage


def _funding_of(words: Any) -> FundingRules:
    if words is True or words == "yes":
        return FundingRules()
    if not isinstance(words, Mapping):
        raise ValueError(  # noqa: TRY004 - one error for whatever an author may write
            f'funding is True or its words, such as {{"interval": "8h"}}, not {words!r}'
        )
    attributes: dict[str, Any] = {}
    for word, value in cast("Mapping[str, Any]", words).items():
        if word not in FUNDING_ATTRIBUTES:
            raise ValueError(f"funding has no {word}; {suggestion(word, FUNDING_ATTRIBUTES)}")
        name, conversion = FUNDING_ATTRIBUTES[word]
        attributes[name] = conversion(value)
    return FundingRules(**attributes)
