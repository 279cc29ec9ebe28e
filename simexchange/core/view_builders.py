"""Makes the read-only views from living state."""

from fractions import Fraction

from simexchange.core.cross import cross_liquidation_price
from simexchange.core.liquidation import bankruptcy_value, cross_bankruptcy_value
from simexchange.core.margin import initial_margin, liquidation_price, maintenance_margin
from simexchange.core.orders import Order
from simexchange.core.plans import Plan
from simexchange.core.positions import Position
from simexchange.core.types import TriggerDirection
from simexchange.core.views import OrderView, PlanView, PositionView


def profit_of(position: Position) -> int:
    mark = position.market.mark
    return 0 if mark is None else position.unrealized_pnl(mark)


def position_view(position: Position) -> PositionView:
    market, contracts = position.market, position.contracts
    quantity = abs(contracts) * market.tick_value
    mark = market.mark
    margin = position.margin
    if position.is_cross:
        margin = initial_margin(abs(position.cost), position.leverage)
    bankruptcy = None
    if contracts and not position.is_cross:
        bankruptcy = Fraction(bankruptcy_value(position), quantity)
    elif contracts and mark is not None:
        bankruptcy = Fraction(cross_bankruptcy_value(position, mark), quantity)
    return PositionView(
        account=position.account.number,
        symbol=market.symbol,
        position_side=position.side,
        contracts=contracts * position.view_sign,
        entry_cost=abs(position.cost),
        average_entry_price=Fraction(abs(position.cost), quantity) if quantity else None,
        margin=margin,
        unrealized_pnl=profit_of(position),
        maintenance_margin=(
            0
            if mark is None or not contracts
            else maintenance_margin(market.tiers, quantity * mark)
        ),
        liquidation_price=(
            cross_liquidation_price(position)
            if position.is_cross and contracts
            else liquidation_price(position)
        ),
        bankruptcy_price=bankruptcy,
        leverage=position.leverage,
        margin_mode=position.margin_mode,
    )


def order_view(order: Order) -> OrderView:
    return OrderView(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        account=order.account.number,
        symbol=order.market.symbol,
        side=order.side,
        position_side=order.position.side,
        kind=order.kind,
        price=order.price,
        contracts=order.contracts,
        filled=order.filled,
        remaining=order.remaining,
        filled_notional=order.filled_notional,
        fee=order.fee,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        close_on_trigger=order.command.close_on_trigger,
        status=order.status,
        created_at=order.created_at,
        updated_at=order.updated_at,
        hold=order.hold,
        expires_at=order.command.expires_at,
    )


def plan_view(plan: Plan) -> PlanView:
    terms = plan.terms
    return PlanView(
        plan_id=plan.number,
        client_order_id=terms.client_order_id,
        account=plan.account.number,
        symbol=plan.market.symbol,
        side=terms.side,
        position_side=plan.position.side,
        contracts=plan.contracts,
        trigger_price=plan.trigger_price,
        trigger_by=terms.trigger_by,
        direction=TriggerDirection(plan.direction),
        kind=terms.kind,
        price=plan.price,
        reduce_only=terms.reduce_only or terms.close_on_trigger,
        close_on_trigger=terms.close_on_trigger,
        close_position=terms.close_position,
        attached=terms.attached,
        group=terms.group,
        callback_rate=terms.callback_rate,
        expires_at=terms.expires_at,
    )
