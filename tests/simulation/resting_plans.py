"""What rests at the venue for a pair, held against the rows."""

from decimal import Decimal

from copyplugin.domain.plan_order import PlanState
from copyplugin.store.rows import PlanOrderRow


def resting(pair) -> dict[str, Decimal]:
    """Return what rests at the venue: kind → trigger price, as the rows name it."""
    at_venue = {
        view.client_order_id: view.trigger_price * pair.tick(view.symbol)
        for view in pair.market.exchange.open_plans(pair.sub_account)
    }
    rows = {row.client_order_id: row for row in pair.rows(PlanOrderRow)}
    found = {}
    for name, price in at_venue.items():
        row = rows[name]
        assert row.state is PlanState.RESTING
        assert row.resting_price == price
        key = f"{row.kind} {row.direction}"
        assert key not in found, "two of a kind rest"
        found[key] = price
    return found
