"""The ticker of one instrument."""

from fractions import Fraction

from simexchange.server.amounts import Grid, fraction_text, money_text, rate_text
from simexchange.server.bybit.order_rows import Row
from simexchange.server.bybit.paging import ms
from simexchange.server.venue import Venue


def ticker_row(venue: Venue, grid: Grid) -> Row:
    symbol, exchange = grid.instrument.symbol, venue.exchange
    bids, asks = exchange.depth(symbol, 1)
    last, mark = exchange.last_price(symbol), exchange.mark_price(symbol)
    index = exchange.index_price(symbol)
    day = venue.tape.of(symbol).day(venue.now())
    interest = exchange.open_interest(symbol)
    funding = exchange.funding(symbol)
    shown_last = last if last is not None else mark
    first = day.first if day.first is not None else shown_last
    return {
        "symbol": symbol,
        "lastPrice": grid.price(shown_last),
        "indexPrice": grid.price(index if index is not None else mark),
        "markPrice": grid.price(mark),
        "prevPrice24h": grid.price(first),
        "price24hPcnt": _change(first, shown_last),
        "highPrice24h": grid.price(day.high if day.high is not None else shown_last),
        "lowPrice24h": grid.price(day.low if day.low is not None else shown_last),
        "prevPrice1h": grid.price(day.hour_ago if day.hour_ago is not None else shown_last),
        "openInterest": grid.quantity(interest),
        "openInterestValue": money_text(0 if mark is None else grid.value(interest * mark)),
        "turnover24h": money_text(grid.value(day.ticks)),
        "volume24h": grid.quantity(day.contracts),
        "fundingRate": rate_text(0 if funding is None else funding.rate),
        "nextFundingTime": ms(0 if funding is None else funding.next_funding_at),
        "fundingIntervalHour": (
            "8" if funding is None else str(max(1, funding.interval_us // 3_600_000_000))
        ),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "bid1Price": grid.price(bids[0][0]) if bids else "",
        "bid1Size": grid.quantity(bids[0][1]) if bids else "0",
        "ask1Price": grid.price(asks[0][0]) if asks else "",
        "ask1Size": grid.quantity(asks[0][1]) if asks else "0",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def _change(first: int | None, last: int | None) -> str:
    if not first or last is None:
        return "0"
    change = Fraction(last - first, first)
    text = fraction_text(abs(change), 6)
    return f"-{text}" if change < 0 and text != "0" else text
