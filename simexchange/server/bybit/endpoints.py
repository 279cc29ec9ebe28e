"""All endpoints over HTTP."""

from simexchange.server.bybit import (
    account,
    assets,
    further,
    market,
    order_history,
    orders,
    positions,
    statistics,
    users,
)
from simexchange.server.bybit.call import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *market.ENDPOINTS,
    *account.ENDPOINTS,
    *positions.ENDPOINTS,
    *orders.ENDPOINTS,
    *order_history.ENDPOINTS,
    *assets.ENDPOINTS,
    *statistics.ENDPOINTS,
    *users.ENDPOINTS,
    *further.ENDPOINTS,
)
