"""OKX v5 in its documented form, over the simulated exchange: what is asked for where."""

from tests.venues.translated.edge import Handler, routes_of
from tests.venues.translated.okx_trades import OkxTrades


class OkxEdge(OkxTrades):
    def __init__(self) -> None:
        super().__init__()
        questions: dict[str, Handler] = {
            "public/time": self.time,
            "public/instruments": self.instruments,
            "public/mark-price": self.marks,
            "market/books": self.books,
            "public/funding-rate-history": self.rates,
            "account/config": self.config,
            "account/balance": self.balance,
            "account/positions": self.positions,
            "account/leverage-info": self.leverage,
            "account/trade-fee": self.fees,
            "account/bills-archive": self.bills,
            "asset/balances": self.funding_balance,
            "asset/transfer-state": self.transfer_state,
            "trade/order": self.order,
            "trade/orders-history-archive": self.order_history,
            "trade/fills": self.fills,
            "trade/fills-history": self.fills,
            "trade/order-algo": self.plan,
            "trade/orders-algo-pending": self.pending_plans,
            "users/subaccount/list": self.subs,
        }
        orders: dict[str, Handler] = {
            "account/set-position-mode": self.set_position_mode,
            "account/set-leverage": self.set_leverage,
            "account/position/margin-balance": self.margin_balance,
            "asset/transfer": self.transfer,
            "trade/order": self.place,
            "trade/order-algo": self.place_plan,
            "trade/amend-algos": self.amend_plan,
            "trade/cancel-algos": self.cancel_plans,
        }
        self.routes = routes_of(questions, orders)
