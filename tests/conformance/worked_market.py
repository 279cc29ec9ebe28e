"""Answers the examples about funding, premium, matching, triggers and displayed liquidity."""

import re
from decimal import Decimal
from fractions import Fraction

from simexchange.rules import (
    BINANCE,
    DisplayedLevel,
    StpOrder,
    clamped_rate,
    funding_boundaries,
    funding_epoch_rate,
    funding_index_delta,
    funding_payment,
    funding_rate,
    funding_rate_cap,
    funding_settlement,
    funding_total,
    impact_price,
    match_with_prevention,
    median,
    premium_index_of_book,
    protected_price,
    queue_fills,
    trailing_stop_price,
    trimmed_samples,
)
from simexchange.rules import DYDX as DYDX_RULES
from tests.conformance.worked_inputs import read

MILLIONTH = Fraction(1, 1_000_000)
SECONDS_OF_DAY = 86400


def answer_funding_payment(inputs):
    mark = read(inputs, "mark_price") or median([inputs["bid"], inputs["ask"]])
    # A table without a side is of a short: it receives at a rate above zero.
    side = inputs.get("side", "short")

    def payment(quantity):
        return funding_payment(
            side=side, quantity=quantity, mark_price=mark, funding_rate=inputs["rate"]
        )

    if isinstance(inputs.get("size"), list):
        return [payment(quantity) for quantity in inputs["size"]]
    received = payment(read(inputs, "quantity"))
    if "balance" not in inputs:
        return received
    return {"pnl": received, "balance": received + Decimal(inputs["balance"])}


def answer_funding_window(inputs):
    opened, closed = _clock_times(inputs["window"])
    hours = _interval_hours(inputs["boundaries"])
    due = funding_boundaries(
        opened_at=opened, closed_at=closed, interval_hours=hours, rules=BINANCE
    )
    held = inputs["marks_and_rates"]
    assert len(due) == len(held)
    side = "short" if "short_size" in inputs else "long"
    return funding_total(side=side, quantity=inputs[f"{side}_size"], marks_and_rates=held)


def _clock_times(window):
    times = [_seconds(text) for text in re.findall(r"\d\d:\d\d(?::\d\d)?", window)]
    opened, closed = times
    return opened, closed if closed >= opened else closed + SECONDS_OF_DAY


def _seconds(clock):
    parts = [int(part) for part in clock.split(":")] + [0]
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


def _interval_hours(boundaries):
    times = [_seconds(clock) for clock in boundaries.split(",")]
    return (times[1] - times[0]) // 3600


def answer_funding_rate_clamp(inputs):
    if "premium" in inputs:
        return funding_rate(
            premium_average=inputs["premium"],
            interest_rate=inputs.get("interest"),
            clamp=inputs.get("clamp"),
            cap=inputs.get("cap"),
            interval_hours=inputs.get("interval_hours"),
            rules=BINANCE,
        )
    cap = None
    if inputs["im_ppm"] is not None:
        cap = funding_rate_cap(
            initial_margin_rate=Fraction(inputs["im_ppm"], 1_000_000),
            maintenance_margin_rate=Fraction(inputs["mm_ppm"], 1_000_000),
            rules=DYDX_RULES,
        )
    samples = [inputs["sample_ppm_8h"] * MILLIONTH] * inputs["samples"]
    rate = funding_epoch_rate(premium_samples=samples, cap=cap, unit=MILLIONTH)
    rate_ppm = Fraction(rate) / MILLIONTH
    assert clamped_rate(rate=rate, cap=cap) == rate
    delta = funding_index_delta(
        rate_ppm=rate_ppm,
        seconds=3600 * DYDX_RULES.funding_interval_hours,
        price=inputs["price"],
        exponent=0,
        atomic_resolution=inputs["atomic_resolution"],
    )
    return {"rate_ppm": rate_ppm, "index_delta": delta}


def answer_funding_rounding(inputs):
    return funding_index_delta(
        rate_ppm=inputs["rate8h_ppm"],
        seconds=inputs["seconds"],
        price=inputs["price"],
        exponent=inputs["exponent"],
        atomic_resolution=inputs["atomic_resolution"],
    )


def answer_funding_settlement(inputs):
    return funding_settlement(
        funding_index=inputs["funding_index"],
        position_index=inputs["position_index"],
        quantity=inputs["quantums"],
    )


def answer_funding_sampling(inputs):
    ratio = Fraction(inputs["remove_ppm"], 1_000_000)
    return list(trimmed_samples(samples=inputs["samples"], removed_tail_ratio=ratio))


def answer_premium_index(inputs):
    premium = premium_index_of_book(
        bids=inputs["bids"],
        asks=inputs["asks"],
        index_price=inputs["index"],
        impact_notional=inputs["impact_notional"],
        unit=MILLIONTH,
    )
    return Fraction(premium) / MILLIONTH


def answer_impact_price(inputs):
    levels = inputs.get("asks") or inputs["bids"]
    return impact_price(levels=levels, impact_notional=inputs["impact_notional"])


def answer_self_trade_prevention(inputs):
    def order(row):
        return StpOrder(
            order_id=row["id"],
            side=row["side"],
            quantity=row["qty"],
            price=row["price"],
            mode=row.get("mode"),
            account=row.get("account", ""),
        )

    outcome = match_with_prevention(
        makers=[order(row) for row in inputs["makers"]], taker=order(inputs["taker"])
    )
    return {
        order_id: [result.status.value, result.executed, result.prevented]
        for order_id, result in outcome.orders.items()
    }


def answer_trailing_stop(inputs):
    return trailing_stop_price(
        side=inputs["side"],
        callback=Fraction(inputs["trailing_bips"], 10_000),
        activation_price=inputs["stop"],
        kind={"SL": "STOP_LOSS", "TP": "TAKE_PROFIT"}[inputs["kind"]],
        prices=inputs["trade_path"],
    )


def answer_price_protection(inputs):
    side = "BUY" if "best_ask" in inputs else "SELL"
    best = inputs["best_ask"] if side == "BUY" else inputs["best_bid"]
    return protected_price(side=side, best_price=best, points=inputs["points"], tick=inputs["tick"])


def answer_liquidity_consumption(inputs):
    level = DisplayedLevel.of(inputs["level"])
    fills = []
    for quantity in inputs["orders"]:
        filled, level = level.take(quantity)
        fills.append(filled)
    return [*fills, level.shown(inputs["then_level"]).available]


def answer_queue_position(inputs):
    return list(
        queue_fills(
            quantity_ahead=inputs["ahead"],
            order_quantity=inputs["order"],
            trades=inputs["trades"],
        )
    )
