"""An instrument that is missing from the venue's list: known by what was remembered of it."""

import pytest

from copyplugin.domain.order import OrderStatus
from copyplugin.errors import OrderRejected, VenueUnavailable
from copyplugin.venues.ccxt.venue import CcxtVenue
from tests.wire.ccxt_venue.stage import BTC, Stage, config_for


async def test_a_new_process_closes_what_is_listed_no_more(stage: Stage, dialect: str) -> None:
    opening, closing = stage.order("open-1"), stage.order("close-1", closes=True)
    await stage.venue.set_hedge_mode(stage.owner)
    await stage.trade(opening)
    before = await stage.venue.instruments()
    first, stage.venue = stage.venue, CcxtVenue(config_for(stage.rig, dialect), stage.keys)
    await first.close()
    told = stage.venue.dialect.instrument

    def without_it(market):
        instrument = told(market)
        return None if instrument is None or instrument.symbol == BTC else instrument

    stage.venue.dialect.instrument = without_it
    with pytest.raises(OrderRejected):
        await stage.venue.place_order(closing)
    with pytest.raises(VenueUnavailable):
        await stage.venue.find_order(stage.owner, BTC, opening.client_order_id)

    stage.venue.remember(before)
    assert BTC not in await stage.venue.instruments()
    [held] = await stage.venue.positions(stage.owner)
    assert (held.symbol, held.contracts) == (BTC, 10)
    report = await stage.trade(closing)

    assert (report.status, report.filled) == (OrderStatus.DONE, 10)
    assert stage.position().contracts == 0
