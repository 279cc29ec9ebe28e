"""All endpoints over HTTP."""

from simexchange.server.binance import account, algo_orders, market, orders, sub_accounts
from simexchange.server.binance.call import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *market.ENDPOINTS,
    *account.ENDPOINTS,
    *orders.ENDPOINTS,
    *algo_orders.ENDPOINTS,
    *sub_accounts.ENDPOINTS,
)
