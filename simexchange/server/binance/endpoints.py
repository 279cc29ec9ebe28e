"""All endpoints over HTTP."""

from simexchange.server.binance import (
    account,
    algo_orders,
    market,
    market_history,
    order_batches,
    order_queries,
    orders,
    settings,
    statistics,
    sub_accounts,
    wallets,
)
from simexchange.server.binance.call import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *market.ENDPOINTS,
    *market_history.ENDPOINTS,
    *statistics.ENDPOINTS,
    *account.ENDPOINTS,
    *settings.ENDPOINTS,
    *wallets.ENDPOINTS,
    *orders.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *order_batches.ENDPOINTS,
    *algo_orders.ENDPOINTS,
    *sub_accounts.ENDPOINTS,
)
