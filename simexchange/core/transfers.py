"""Money in, money out, and money between wallets."""

from simexchange.core.accounts import Account
from simexchange.core.commands import Deposit, Transfer, Withdraw
from simexchange.core.events import Deposited, Transferred, Withdrawn
from simexchange.core.margin import available_balance
from simexchange.core.state import Refusal, State
from simexchange.core.types import RejectReason, Wallet


class Transfers:
    """Moves money that no trade moves.

    The checks, in order of precedence: accounts, a positive amount, two different wallets, the
    transfer id, the money.
    """

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def deposit(self, command: Deposit) -> None:
        account = self._state.accounts.get(command.account)
        refusal = _amount_problem(command.money) or _missing(command.account, account)
        if refusal is not None or account is None:
            self._refuse(command, command.account, refusal)
            return
        self._move_in(account, command.wallet, command.money)
        self._state.ledger.outside -= command.money
        self._state.ledger.net -= command.money
        self._state.log.events.append(
            Deposited(
                self._state.log.at,
                account.number,
                command.wallet,
                command.money,
                balance(account, command.wallet),
            )
        )

    def withdraw(self, command: Withdraw) -> None:
        account = self._state.accounts.get(command.account)
        refusal = _amount_problem(command.money) or _missing(command.account, account)
        if refusal is None and account is not None:
            refusal = _money_problem(account, command.wallet, command.money)
        if refusal is not None or account is None:
            self._refuse(command, command.account, refusal)
            return
        self._move_in(account, command.wallet, -command.money)
        self._state.ledger.outside += command.money
        self._state.ledger.net += command.money
        self._state.log.events.append(
            Withdrawn(
                self._state.log.at,
                account.number,
                command.wallet,
                command.money,
                balance(account, command.wallet),
            )
        )

    def transfer(self, command: Transfer) -> None:
        accounts, done = self._state.accounts, self._state.transfers
        source = accounts.get(command.from_account)
        target = accounts.get(command.to_account)
        earlier = done.get(command.transfer_id)
        refusal = (
            _missing(command.from_account, source)
            or _missing(command.to_account, target)
            or _transfer_problem(command, earlier)
        )
        if refusal is None and earlier is None and source is not None:
            refusal = _money_problem(source, command.from_wallet, command.money)
        if refusal is not None or source is None or target is None:
            self._refuse(command, command.from_account, refusal)
            return
        if earlier is None:
            self._move_in(source, command.from_wallet, -command.money)
            self._move_in(target, command.to_wallet, command.money)
            done[command.transfer_id] = command
        self._state.log.events.append(
            Transferred(
                self._state.log.at,
                command.transfer_id,
                command.from_account,
                command.from_wallet,
                command.to_account,
                command.to_wallet,
                command.money,
                balance(source, command.from_wallet),
                balance(target, command.to_wallet),
                earlier is not None,
            )
        )

    def _move_in(self, account: Account, wallet: Wallet, money: int) -> None:
        if wallet is Wallet.SPOT:
            account.spot += money
        else:
            account.wallet += money
            self._state.note_equity_moved(account)
        self._state.ledger.net += money

    def _refuse(
        self, command: Deposit | Withdraw | Transfer, account: int, refusal: Refusal | None
    ) -> None:
        assert refusal is not None
        self._state.refuse(command, refusal.reason, refusal.message, account=account)


def balance(account: Account, wallet: Wallet) -> int:
    return account.spot if wallet is Wallet.SPOT else account.wallet


def _missing(number: int, account: Account | None) -> Refusal | None:
    if account is not None:
        return None
    return Refusal(RejectReason.UNKNOWN_ACCOUNT, f"there is no account {number}")


def _amount_problem(money: int) -> Refusal | None:
    if money > 0:
        return None
    return Refusal(RejectReason.INVALID_AMOUNT, f"an amount must be positive, not {money}")


def _transfer_problem(command: Transfer, earlier: Transfer | None) -> Refusal | None:
    if earlier is not None and earlier != command:
        return Refusal(
            RejectReason.TRANSFER_ID_REUSED,
            f"transfer id {command.transfer_id!r} belongs to another transfer, of "
            f"{earlier.money} from account {earlier.from_account} to {earlier.to_account}",
        )
    if command.from_account == command.to_account and command.from_wallet is command.to_wallet:
        return Refusal(RejectReason.INVALID_REQUEST, "a transfer needs two different wallets")
    if not command.transfer_id:
        return Refusal(RejectReason.INVALID_REQUEST, "a transfer needs an id that is not empty")
    return _amount_problem(command.money)


def _money_problem(account: Account, wallet: Wallet, money: int) -> Refusal | None:
    free = account.spot if wallet is Wallet.SPOT else available_balance(account)
    if money <= free:
        return None
    return Refusal(
        RejectReason.INSUFFICIENT_BALANCE,
        f"{money} is more than the {max(0, free)} available in the {wallet} wallet of account "
        f"{account.number}",
    )
