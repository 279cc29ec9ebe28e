"""Bitget v2 in its documented form, over the simulated exchange: what is asked for where."""

from tests.venues.translated.bitget_trades import BitgetTrades
from tests.venues.translated.edge import Handler, routes_of


class BitgetEdge(BitgetTrades):
    def __init__(self) -> None:
        super().__init__()
        questions: dict[str, Handler] = {
            "public/time": self.time,
            "mix/market/contracts": self.contracts,
            "mix/market/tickers": self.tickers,
            "mix/market/merge-depth": self.merge_depth,
            "mix/market/history-fund-rate": self.rates,
            "mix/account/account": self.account,
            "mix/account/accounts": self.accounts,
            "mix/account/bill": self.bills,
            "mix/position/all-position": self.positions,
            "mix/order/detail": self.detail,
            "mix/order/fills": self.fills,
            "mix/order/orders-history": self.history,
            "mix/order/orders-plan-pending": self.pending_plans,
            "mix/order/orders-plan-history": self.ended_plans,
            "spot/account/info": self.info,
            "spot/account/assets": self.assets,
            "spot/account/transferRecords": self.transfers_within,
            "spot/account/sub-main-trans-record": self.transfers_between,
            "user/virtual-subaccount-list": self.sub_list,
        }
        orders: dict[str, Handler] = {
            "mix/account/set-position-mode": self.set_position_mode,
            "mix/account/set-margin-mode": self.set_margin_mode,
            "mix/account/set-leverage": self.set_leverage,
            "mix/account/set-margin": self.set_margin,
            "mix/order/place-order": self.place,
            "mix/order/place-tpsl-order": self.place_plan,
            "mix/order/modify-tpsl-order": self.amend_plan,
            "mix/order/cancel-plan-order": self.cancel_plans,
            "spot/wallet/transfer": self.transfer,
            "spot/wallet/subaccount-transfer": self.transfer,
            "user/create-virtual-subaccount": self.make_sub,
            "user/create-virtual-subaccount-apikey": self.make_key,
        }
        self.routes = routes_of(questions, orders)
