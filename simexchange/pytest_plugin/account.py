"""One account as a test sees it: orders, money and positions in human units."""

from fractions import Fraction

from simexchange.core.commands import (
    AdjustMargin,
    Deposit,
    SetFeeTier,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Transfer,
    Withdraw,
)
from simexchange.pytest_plugin.answers import Balance, Position
from simexchange.pytest_plugin.trading import TradingFacade
from simexchange.scenario.amounts import (
    Number,
    money_decimal,
    money_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.facts import (
    BALANCE_NUMBERS,
    ORDER_NUMBERS,
    ORDER_WORDS,
    PLAN_NUMBERS,
    PLAN_WORDS,
    POSITION_NUMBERS,
    POSITION_WORDS,
    mismatches,
    wanted_facts,
)
from simexchange.scenario.model import Mismatch
from simexchange.scenario.reading import (
    MARGIN_MODES,
    POSITION_MODES,
    WALLETS,
    one_of,
)


class AccountFacade(TradingFacade):
    """An account. Where ``rejected`` is given, the exchange must refuse for that reason."""

    def __repr__(self) -> str:
        return f"<account {self.name}>"

    # ------------------------------------------------------------------ money and settings

    def deposit(self, amount: Number, *, wallet: str = "contract") -> None:
        __tracebackhide__ = True
        into = one_of(wallet, "wallet", WALLETS)
        self._send(Deposit(self.number, into, money_of(amount)), f"deposit {amount}", None)

    def withdraw(
        self, amount: Number, *, wallet: str = "contract", rejected: str | None = None
    ) -> None:
        __tracebackhide__ = True
        source = one_of(wallet, "wallet", WALLETS)
        command = Withdraw(self.number, source, money_of(amount))
        self._send(command, f"withdraw {amount}", rejected)

    def transfer(
        self,
        amount: Number,
        to: "AccountFacade | str | None" = None,
        *,
        from_wallet: str = "contract",
        to_wallet: str = "contract",
        transfer_id: str | None = None,
        rejected: str | None = None,
    ) -> None:
        """Move money to another account or wallet; the same ``transfer_id`` moves it once.

        ``to`` is an account or its name; left out, the money stays with this account.
        """
        __tracebackhide__ = True
        receiver = self._world.names.account(to) if isinstance(to, str) else (to or self).number
        if transfer_id is None:
            self._transfers += 1
            transfer_id = f"{self.name}-{self._transfers}"
        command = Transfer(
            self.number,
            one_of(from_wallet, "wallet", WALLETS),
            receiver,
            one_of(to_wallet, "wallet", WALLETS),
            money_of(amount),
            transfer_id,
        )
        self._send(command, f"transfer {amount}", rejected)

    def leverage(
        self,
        symbol: str,
        leverage: Number,
        *,
        position_side: str | None = None,
        rejected: str | None = None,
    ) -> None:
        __tracebackhide__ = True
        times, side = whole_of(leverage, "leverage"), self._side(position_side)
        command = SetLeverage(self.number, symbol, times, side)
        self._send(command, f"leverage {leverage}", rejected)

    def margin_mode(self, symbol: str, mode: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        margin = one_of(mode, "margin mode", MARGIN_MODES)
        self._send(SetMarginMode(self.number, symbol, margin), f"margin mode {mode}", rejected)

    def position_mode(self, mode: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        wanted = one_of(mode, "position mode", POSITION_MODES)
        self._send(SetPositionMode(self.number, wanted), f"position mode {mode}", rejected)

    def adjust_margin(
        self,
        symbol: str,
        amount: Number,
        *,
        position_side: str | None = None,
        rejected: str | None = None,
    ) -> None:
        """Add money to an isolated position, or with a minus take it out."""
        __tracebackhide__ = True
        command = AdjustMargin(self.number, symbol, self._side(position_side), money_of(amount))
        self._send(command, f"adjust margin {amount}", rejected)

    def fee_tier(self, *, maker_fee: str | None = None, taker_fee: str | None = None) -> None:
        """Give the account fee rates of its own; None: the instrument's."""
        maker = None if maker_fee is None else rate_of(maker_fee)
        taker = None if taker_fee is None else rate_of(taker_fee)
        self._send(SetFeeTier(self.number, maker, taker), "fee tier", None)

    # ------------------------------------------------------------------ questions

    def position(self, symbol: str, side: str | None = None) -> Position:
        """Return the position, flat or not; ``side`` is long or short in hedge mode."""
        view = self._world.position(self.number, symbol, self._side(side))
        instrument, average = self._instrument(symbol), view.average_entry_price
        liquidation = view.liquidation_price
        return Position(
            symbol=symbol,
            contracts=view.contracts,
            base=instrument.base_from_contracts(view.contracts),
            entry_price=None if average is None else Fraction(instrument.tick_size) * average,
            entry_cost=money_decimal(view.entry_cost),
            margin=money_decimal(view.margin),
            unrealized_pnl=money_decimal(view.unrealized_pnl),
            maintenance_margin=money_decimal(view.maintenance_margin),
            liquidation_price=(
                None if liquidation is None else instrument.ticks_to_price(liquidation)
            ),
            leverage=view.leverage,
        )

    def balance(self) -> Balance:
        exchange = self._world.exchange
        view = exchange.account(self.number)
        return Balance(
            spot=money_decimal(view.spot_balance),
            contract=money_decimal(view.contract_balance),
            available=money_decimal(exchange.available_balance(self.number)),
            equity=money_decimal(exchange.equity(self.number)),
        )

    # ------------------------------------------------------------------ assertions

    def assert_position(self, symbol: str, side: str | None = None, **facts: Number) -> None:
        """Assert facts of a position by the words of scenario files (contracts, margin …)."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, POSITION_NUMBERS, POSITION_WORDS)
        view = self._world.position(self.number, symbol, self._side(side))
        subject = f"{self.name} {symbol}{f' {side}' if side else ''}"
        self.exchange.expect_none(mismatches(subject, self._world.position_facts(view), wanted))

    def assert_balance(self, **facts: Number) -> None:
        """Assert spot, contract, available, equity or order_hold."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, BALANCE_NUMBERS)
        found = self._world.balance_facts(self.number)
        self.exchange.expect_none(mismatches(self.name, found, wanted))

    def assert_plan(self, name: str, **facts: Number) -> None:
        """Assert status (waiting or gone), trigger, price or contracts of a plan order."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, PLAN_NUMBERS, PLAN_WORDS)
        found = self._world.plan_facts(self.number, name)
        self.exchange.expect_none(mismatches(f"plan {name}", found, wanted))

    def assert_order(self, name: str, **facts: Number) -> None:
        """Assert status, contracts, filled, remaining, price, average_price or fee."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, ORDER_NUMBERS, ORDER_WORDS)
        found = self._world.order_facts(self.number, name)
        if found is None:
            missing = Mismatch(f"order {name}", "an order", "the exchange knows none")
            self.exchange.expect_none([missing])
            return
        self.exchange.expect_none(mismatches(f"order {name}", found, wanted))
