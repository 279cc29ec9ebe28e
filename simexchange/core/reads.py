"""Questions to the exchange; asking changes nothing."""

from simexchange.core.accounts import Account, position_mode
from simexchange.core.commands import Transfer
from simexchange.core.deleveraging import all_lights, lights
from simexchange.core.funding import present_rate
from simexchange.core.instrument import Instrument
from simexchange.core.margin import available_balance
from simexchange.core.markets import Market
from simexchange.core.orders import Order
from simexchange.core.prices import impact_premium
from simexchange.core.state import State
from simexchange.core.types import PositionSide
from simexchange.core.view_builders import order_view, plan_view, position_view, profit_of
from simexchange.core.views import AccountView, FundingView, OrderView, PlanView, PositionView


class Reads:
    """What may be asked. An unknown account or symbol is a KeyError with a sentence."""

    def __init__(self, state: State) -> None:
        self._state = state

    # ------------------------------------------------------------------ instruments

    @property
    def instruments(self) -> list[Instrument]:
        return [market.instrument for market in self._state.markets.values()]

    def instrument(self, symbol: str) -> Instrument:
        return self._market(symbol).instrument

    def mark_price(self, symbol: str) -> int | None:
        return self._market(symbol).mark

    def index_price(self, symbol: str) -> int | None:
        return self._market(symbol).index

    def mark_protection(self, symbol: str) -> tuple[int, int] | None:
        """Return (lowest, highest) mark while the index is lost; None while it is known."""
        return self._market(symbol).protection

    def last_price(self, symbol: str) -> int | None:
        return self._market(symbol).last

    def open_interest(self, symbol: str) -> int:
        """Return the contracts held long, which are as many as those held short."""
        return self._market(symbol).open_interest

    def premium(self, symbol: str) -> int | None:
        """Return the premium of the book over the index now, as a rate in 10⁻⁸, toward zero.

        It is what funding is averaged from; None for an instrument without funding or index.
        """
        market = self._market(symbol)
        rules = market.instrument.funding
        if rules is None or market.index is None or market.protection is not None:
            return None
        return impact_premium(
            market.bids, market.asks, market.index, rules.impact_notional, market.tick_value
        )

    def funding(self, symbol: str) -> FundingView | None:
        """Return where funding stands; None for an instrument without it."""
        market = self._market(symbol)
        clock = market.funding
        if clock is None:
            return None
        return FundingView(
            rate=present_rate(market),
            last_rate=clock.last_rate,
            interval_us=clock.interval_us,
            next_funding_at=clock.next_at,
        )

    def best_bid(self, symbol: str) -> int | None:
        level = self._market(symbol).bids.best()
        return level.price if level else None

    def best_ask(self, symbol: str) -> int | None:
        level = self._market(symbol).asks.best()
        return level.price if level else None

    def depth(
        self, symbol: str, levels: int = 50
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (bids, asks), each as (price, contracts) from the best outwards."""
        market = self._market(symbol)
        sides: list[list[tuple[int, int]]] = []
        for side in (market.bids, market.asks):
            rows: list[tuple[int, int]] = []
            for level in side.levels_from_best():
                if len(rows) == levels:
                    break
                rows.append((level.price, level.contracts))
            sides.append(rows)
        return sides[0], sides[1]

    # ------------------------------------------------------------------ accounts

    @property
    def accounts(self) -> list[int]:
        """Numbers of all accounts; 0 is the insurance fund."""
        return list(self._state.accounts)

    def account(self, number: int) -> AccountView:
        account = self._account(number)
        return AccountView(
            account=number,
            owner=account.owner,
            label=account.label,
            kind=account.kind,
            position_mode=position_mode(account),
            spot_balance=account.spot,
            contract_balance=account.wallet,
            order_hold=account.hold,
            maker_fee=account.maker_fee,
            taker_fee=account.taker_fee,
        )

    def available_balance(self, number: int) -> int:
        """Return what may back new orders or be withdrawn; at least 0."""
        return max(0, available_balance(self._account(number)))

    def equity(self, number: int) -> int:
        """Return contract wallet, isolated margin and unrealized profit at the mark price."""
        account = self._account(number)
        total = account.wallet
        for leg in account.legs:
            for position in leg.values():
                total += position.margin + profit_of(position)
        return total

    def positions(self, number: int) -> list[PositionView]:
        """Return the open positions in order of their first use."""
        found = [
            position
            for leg in self._account(number).legs
            for position in leg.values()
            if position.contracts
        ]
        found.sort(key=lambda position: position.number)
        return [position_view(position) for position in found]

    def position(
        self, number: int, symbol: str, side: PositionSide = PositionSide.NET
    ) -> PositionView:
        """Return the position, flat or not, with the leverage and mode it has or would have."""
        account, market = self._account(number), self._market(symbol)
        return position_view(self._state.position(account, market, side))

    def deleveraging_lights(
        self, number: int, symbol: str, side: PositionSide = PositionSide.NET
    ) -> int:
        """Return 1 to 5, 5 being deleveraged first; 0 for a position that is flat."""
        market = self._market(symbol)
        position = self._account(number).legs[side].get(symbol)
        return 0 if position is None or market.mark is None else lights(market, position)

    def all_deleveraging_lights(self, symbol: str) -> dict[tuple[int, PositionSide], int]:
        """Return the lights of all positions in an instrument, by account and side, in one pass.

        A position opened since the last tick has none yet.
        """
        market = self._market(symbol)
        if market.mark is None:
            return {}
        by_number = all_lights(market)
        return {
            (position.account.number, position.side): by_number[number]
            for number, position in market.positions.items()
            if number in by_number
        }

    # ------------------------------------------------------------------ orders and transfers

    def order(self, order_id: int, account: int | None = None) -> OrderView | None:
        """Return an open order, or one of the latest that ended, or None.

        Who names the ``account`` spares the exchange a look into every one. KeyError with a
        sentence for an account that is not there.
        """
        if account is not None:
            self._account(account)
        order = self._state.order(order_id, account)
        return order_view(order) if order else None

    def order_by_client_id(self, number: int, client_order_id: str) -> OrderView | None:
        """Return the order that ever used this id in this account, ended or not, or None."""
        order = self._account(number).client_ids.get(client_order_id)
        return order_view(order) if isinstance(order, Order) else None

    def open_orders(self, number: int, symbol: str | None = None) -> list[OrderView]:
        """Return resting orders, oldest first."""
        return [
            order_view(order)
            for order in self._account(number).open_orders.values()
            if symbol in (None, order.market.symbol)
        ]

    def open_plans(self, number: int, symbol: str | None = None) -> list[PlanView]:
        """Return waiting plan orders, oldest first."""
        return [
            plan_view(plan)
            for plan in self._account(number).plans.values()
            if symbol in (None, plan.market.symbol)
        ]

    def plan(self, number: int, plan_id: int) -> PlanView | None:
        """Return a waiting plan order, or None once it has fired or ended."""
        plan = self._account(number).plans.get(plan_id)
        return plan_view(plan) if plan else None

    def transfer(self, transfer_id: str) -> Transfer | None:
        """Return the transfer that was carried out under this id, or None."""
        return self._state.transfers.get(transfer_id)

    # ------------------------------------------------------------------ help

    def _account(self, number: int) -> Account:
        account = self._state.accounts.get(number)
        if account is None:
            message = f"there is no account {number}"
            raise KeyError(message)
        return account

    def _market(self, symbol: str) -> Market:
        market = self._state.markets.get(symbol)
        if market is None:
            message = f"there is no instrument {symbol!r}; listed are {list(self._state.markets)}"
            raise KeyError(message)
        return market
