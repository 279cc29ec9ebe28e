"""What must hold after every command; each law raises AssertionError with the figures."""

from simexchange.core.accounts import Account
from simexchange.core.book import BookSide
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.state import State
from simexchange.core.types import AccountKind


def check(state: State) -> None:
    """Check all invariants; AssertionError prints the ledger."""
    check_ledger(state)
    for market in state.markets.values():
        _check_positions(state, market)
        _check_book(market)
    for account in state.accounts.values():
        _check_account(account)
    for order in state.closed_orders:
        assert order.remaining == 0, f"order {order.order_id} ended with {order.remaining} to go"
        assert order.level is None, f"order {order.order_id} ended and rests at {order.price}"


def ledger_table(state: State) -> str:
    """Return the ledger as text: one line per place, and the sum."""
    lines = [
        f"account {a.number}: spot {a.spot}, contract {a.wallet}, "
        f"isolated margin {isolated_margin(a)}, holds {a.hold}"
        for a in state.accounts.values()
    ]
    lines += [f"clearing {m.symbol}: {m.clearing}" for m in state.markets.values()]
    ledger = state.ledger
    lines.append(f"fees: {ledger.fees}, rounding: {ledger.rounding}, outside: {ledger.outside}")
    lines.append(f"sum: {ledger_sum(state)}")
    return "\n".join(lines)


def ledger_sum(state: State) -> int:
    """Return the sum of all places; zero unless money was made or lost."""
    ledger = state.ledger
    total = ledger.fees + ledger.rounding + ledger.outside
    accounts = state.accounts.values()
    total += sum([account.spot for account in accounts])  # lists: a generator takes twice as long
    total += sum([account.wallet for account in accounts])
    total += sum([position.margin for position in state.positions])
    return total + sum([market.clearing for market in state.markets.values()])


def isolated_margin(account: Account) -> int:
    return sum(position.margin for leg in account.legs for position in leg.values())


def check_ledger(state: State) -> None:
    """Check that all money sums to zero: O(accounts and positions), whatever rests in the books."""
    total = ledger_sum(state)
    assert total == 0, f"money was made or lost: {total}\n{ledger_table(state)}"


def _check_positions(state: State, market: Market) -> None:
    contracts = cost = long = 0
    symbol = market.symbol
    for account in state.accounts.values():
        for leg in account.legs:
            position = leg.get(symbol)
            if position is None:
                continue
            problem = _position_problem(position)
            assert problem is None, f"account {account.number} {symbol}: {problem}"
            contracts += position.contracts
            long += max(0, position.contracts)
            cost += position.cost
    assert contracts == 0, f"{symbol}: longs and shorts differ by {contracts}"
    assert long == market.open_interest, f"{symbol}: open interest {market.open_interest}"
    assert cost == -market.clearing, f"{symbol}: cost {cost}, clearing {market.clearing}"


def _position_problem(position: Position) -> str | None:
    if position.contracts == 0 and (position.cost or position.margin):
        return f"flat with cost {position.cost} and margin {position.margin}"
    if position.margin < 0 or (position.margin and position.is_cross):
        return f"margin is {position.margin}"
    if position.contracts * position.leg < 0:
        return f"{position.contracts} contracts on the {position.side.name} side"
    return None


def _check_book(market: Market) -> None:
    bid, ask = market.bids.best(), market.asks.best()
    if bid is not None and ask is not None:
        assert bid.price < ask.price, f"{market.symbol}: bid {bid.price} meets ask {ask.price}"
    for side in (market.bids, market.asks):
        _check_side(market, side)


def _check_side(market: Market, side: BookSide) -> None:
    previous = None
    live = 0
    for level in side.levels_from_best():
        assert previous is None or level.key > previous, f"{market.symbol}: levels out of order"
        previous = level.key
        live += 1
        order, before = level.head, None
        while order is not None:
            assert order.remaining > 0, f"order {order.order_id} rests with nothing remaining"
            assert order.level is level
            assert order.prev is before
            assert order.price == level.price
            assert order.account.open_orders.get(order.order_id) is order
            before, order = order, order.next
        assert level.tail is before
    known = sum(level.head is not None for level in side.levels.values())
    assert live == known, f"{market.symbol}: {live} living levels of {known} have their place"


def _check_account(account: Account) -> None:
    number = account.number
    holds = 0
    promised: dict[int, int] = {}
    for order in account.open_orders.values():
        holds += order.hold
        position = order.position
        assert order.level is not None, f"order {order.order_id} is open but rests nowhere"
        assert order.filled + order.remaining == order.contracts
        assert order.hold >= 0
        opening = order.remaining - order.promised
        assert 0 <= opening <= order.remaining
        if order.closing:
            assert order.hold == 0
            assert order.sign * position.contracts < 0, f"order {order.order_id} would open"
            assert order.remaining <= abs(position.contracts)
        if order.promised:
            promised[position.number] = promised.get(position.number, 0) + order.promised
            assert order.sign * position.contracts < 0
        if order.closing or order.promised:
            assert position.closers.get(order.order_id) is order
    assert holds == account.hold, f"account {number}: orders hold {holds}, not {account.hold}"
    for leg in account.legs:
        for position in leg.values():
            assert position.promised == promised.get(position.number, 0)
            assert position.promised <= abs(position.contracts)
            assert position.closing_orders == sum(o.closing for o in position.closers.values())
            assert all(order.closing or order.promised for order in position.closers.values())
    assert account.spot >= 0, f"account {number}: spot wallet {account.spot}"
    if account.kind is not AccountKind.SYSTEM and not account.cross_positions:
        assert account.wallet >= account.hold, (
            f"account {number}: {account.wallet} in the contract wallet, {account.hold} on hold"
        )
