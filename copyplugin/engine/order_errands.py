"""The errand of an order: to send it as its row says, or to ask what became of it."""

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.engine.errands import AskOrder, SendOrder
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.rows import CopyOrderRow


def account_of(work: LaneWork) -> AccountId:
    assert work.follow.sub_account is not None, "a follow without an account has no lanes"
    return work.follow.sub_account


def ask_order(work: LaneWork, order: CopyOrderRow) -> AskOrder:
    return AskOrder(
        lane_id=work.lane.id,
        order_id=order.id,
        account=account_of(work),
        symbol=work.lane.symbol,
        client_order_id=order.client_order_id,
        is_urgent=order.reduce_only,
    )


def send_order(order: CopyOrderRow, work: LaneWork) -> SendOrder:
    return SendOrder(
        lane_id=work.lane.id,
        order_id=order.id,
        request=_request(order, work),
        leverage=order.leverage,
        margin_mode=order.margin_mode,
    )


def _request(order: CopyOrderRow, work: LaneWork) -> OrderRequest:
    """Return the order as the venue is to see it; the same row gives the same request."""
    return OrderRequest(
        account=account_of(work),
        symbol=work.lane.symbol,
        order_side=order.order_side,
        position_side=work.lane.position_side,
        contracts=order.contracts,
        limit_price=order.limit_price,
        time_in_force=TimeInForce.IOC,
        reduce_only=order.reduce_only,
        client_order_id=order.client_order_id,
    )
