"""Listing instruments, opening accounts, and the fee rates of an account."""

from simexchange.core.accounts import Account
from simexchange.core.commands import ListInstrument, OpenAccount, SetFeeTier
from simexchange.core.events import AccountOpened, FeeTierSet, InstrumentListed
from simexchange.core.fees import set_rates
from simexchange.core.funding import Funding
from simexchange.core.margin import resting_cost
from simexchange.core.markets import Market
from simexchange.core.state import State
from simexchange.core.trading import Trading
from simexchange.core.types import RATE_SCALE, RejectReason


class Registration:
    """What exists in the exchange, and on which terms."""

    __slots__ = ("_funding", "_state", "_trading")

    def __init__(self, state: State, trading: Trading, funding: Funding) -> None:
        self._state = state
        self._funding = funding
        self._trading = trading

    def list_instrument(self, command: ListInstrument) -> None:
        instrument, state = command.instrument, self._state
        if instrument.symbol in state.markets:
            message = f"{instrument.symbol} is listed already"
            state.refuse(
                command, RejectReason.DUPLICATE_INSTRUMENT, message, symbol=instrument.symbol
            )
            return
        problem = instrument.problem()
        if problem is not None:
            state.refuse(
                command, RejectReason.INVALID_INSTRUMENT, problem, symbol=instrument.symbol
            )
            return
        market = state.markets[instrument.symbol] = Market(instrument)
        state.log.events.append(InstrumentListed(state.log.at, instrument))
        self._funding.start(market)

    def open_account(self, command: OpenAccount) -> None:
        state, owner = self._state, command.owner
        if owner is not None and owner not in state.accounts:
            message = f"there is no account {owner} that could own a sub-account"
            state.refuse(command, RejectReason.UNKNOWN_ACCOUNT, message, account=owner)
            return
        if owner is not None and state.accounts[owner].owner is not None:
            message = f"account {owner} is itself a sub-account and cannot own another"
            state.refuse(command, RejectReason.INVALID_REQUEST, message, account=owner)
            return
        number = state.next_account
        state.next_account = number + 1
        state.accounts[number] = Account(
            number, owner, command.label, command.kind, state.config.position_mode
        )
        state.log.events.append(
            AccountOpened(state.log.at, number, owner, command.label, command.kind)
        )

    def set_fee_tier(self, command: SetFeeTier) -> None:
        """Change an account's fee rates; its orders hold by the new ones from now on.

        Orders that the account can no longer hold money for are cancelled, newest first.
        """
        state = self._state
        account = state.accounts.get(command.account)
        if account is None:
            message = f"there is no account {command.account}"
            state.refuse(command, RejectReason.UNKNOWN_ACCOUNT, message, account=command.account)
            return
        for rate in (command.maker_fee, command.taker_fee):
            if rate is not None and abs(rate) >= RATE_SCALE:
                message = f"a fee rate must be between -100 % and 100 %, not {rate} of 10⁻⁸"
                state.refuse(command, RejectReason.INVALID_AMOUNT, message, account=command.account)
                return
        account.maker_fee = command.maker_fee
        account.taker_fee = command.taker_fee
        for leg in account.legs:
            for position in leg.values():
                set_rates(position)
                state.mark_stale(position)
        state.log.events.append(
            FeeTierSet(state.log.at, account.number, command.maker_fee, command.taker_fee)
        )
        for order in account.open_orders.values():
            if order.hold:
                assert order.price is not None
                hold = resting_cost(
                    order, order.remaining - order.promised, order.position.leverage
                )
                account.hold += hold - order.hold
                order.hold = hold
        self._trading.free_holds(account)
