"""A hash of the whole living state, for comparing two exchanges that should be equal."""

import hashlib

import msgspec

from simexchange.core.accounts import Account
from simexchange.core.markets import Market
from simexchange.core.orders import Order
from simexchange.core.state import State


def state_digest(state: State) -> str:
    """Return SHA-256 over everything that later commands depend on."""
    ledger = state.ledger
    rows: list[object] = [
        [ledger.fees, ledger.rounding, ledger.outside],
        [state.next_account, state.next_order_id, state.last_execution_id, state.next_trade_id],
        [_account_row(account) for account in state.accounts.values()],
        [_market_row(market) for market in state.markets.values()],
        list(state.transfers.values()),
    ]
    text = msgspec.json.encode(rows, enc_hook=str, order="deterministic")
    return hashlib.sha256(text).hexdigest()


def _account_row(account: Account) -> list[object]:
    return [
        account.number,
        account.spot,
        account.wallet,
        account.hold,
        account.maker_fee,
        account.taker_fee,
        account.is_one_way,
        account.forced_rejects,
        [
            [p.market.symbol, p.side, p.contracts, p.cost, p.margin, p.leverage, p.is_cross]
            for leg in account.legs
            for p in leg.values()
        ],
        [_order_row(order) for order in account.open_orders.values()],
        [plan.digest_row() for plan in account.plans.values()],
        sorted(account.client_ids),
    ]


def _order_row(order: Order) -> list[object]:
    row: list[object] = [
        order.order_id,
        order.price,
        order.contracts,
        order.remaining,
        order.filled_notional,
        order.fee,
        order.hold,
        order.promised,
        order.updated_at,
    ]
    expires_at = order.command.expires_at
    return row if expires_at is None else [*row, expires_at]


def _market_row(market: Market) -> list[object]:
    return [
        market.symbol,
        market.index,
        market.index_at,
        market.protection,
        market.mark,
        market.manual_mark,
        market.last,
        market.clearing,
        [order.order_id for order in market.bids.orders()],
        [order.order_id for order in market.asks.orders()],
    ]
