"""What all listeners of the records share: the accounts, and what the present command touched."""

from typing import Any

from simexchange.core.exchange import Exchange
from simexchange.core.types import AccountKind, MarginMode
from simexchange.server.records.account import AccountRecords, RecordLimits
from simexchange.server.records.rows import CashEntry, EntryKind, KeptOrder

NO_WORDS: tuple[int, dict[str, str]] = (-1, {})


class Kept:
    """The records of accounts, and how rows get into them."""

    def __init__(self, exchange: Exchange, limits: RecordLimits) -> None:
        self.exchange = exchange
        self.limits = limits
        self.accounts: dict[int, AccountRecords] = {}
        self.sequence = 0
        self.next_words: tuple[int, dict[str, str]] = NO_WORDS
        self.doubtful: dict[int, str] = {}  # whose cash must be counted anew, for which symbol
        self.touched: dict[int, AccountRecords] = {}
        self.forced: set[int] = set()  # accounts being liquidated by the present command
        for number in exchange.accounts:
            if exchange.account(number).kind is AccountKind.USER:
                self.track(number)

    def of(self, account: int) -> AccountRecords:
        """Return the records of an account, which are kept from now on if they were not."""
        return self.accounts.get(account) or self.track(account)

    def find_order(self, account: int, order_id: int) -> KeptOrder | None:
        """Return what is kept of an order; None for accounts that are not kept."""
        return self.known(account, order_id)[1]

    def track(self, account: int) -> AccountRecords:
        if account not in self.accounts:
            self.accounts[account] = AccountRecords(account, self.limits, self.cash(account))
        return self.accounts[account]

    def cash(self, account: int) -> int:
        """Return the contract wallet with what isolated positions hold."""
        total = self.exchange.account(account).contract_balance
        for position in self.exchange.positions(account):
            if position.margin_mode is MarginMode.ISOLATED:
                total += position.margin
        return total

    def words_for(self, account: int) -> dict[str, str]:
        """Return the words of the order that is being placed; they belong to one order."""
        if account != self.next_words[0]:
            return {}
        (_, words), self.next_words = self.next_words, NO_WORDS
        return words

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def changed(self, records: AccountRecords, order: KeptOrder) -> None:
        for watcher in records.watchers:
            watcher.order_changed(order)
            watcher.wallet_changed()
        self.touched[records.account] = records

    def known(self, account: int, order_id: int) -> tuple[AccountRecords | None, KeptOrder | None]:
        records = self.accounts.get(account)
        return records, None if records is None else records.by_order.get(order_id)

    def book(
        self, records: AccountRecords, kind: EntryKind, at: int, change: int, **facts: Any
    ) -> None:
        """Write a change of the wallet into the account's log."""
        records.cash += change
        records.entries.append(
            CashEntry(
                sequence=self.next_sequence(),
                kind=kind,
                at=at,
                change=change,
                balance=records.cash,
                **facts,
            )
        )

    def count_anew(self) -> None:
        """Log what liquidations changed beside fills: what is there now less what was booked."""
        doubtful, self.doubtful = self.doubtful, {}
        for account, symbol in doubtful.items():
            records = self.accounts.get(account)
            if records is None:
                continue
            change = self.cash(account) - records.cash
            if change:
                now = self.exchange.now
                self.book(records, EntryKind.LIQUIDATION, now, change, symbol=symbol or None)
            for watcher in records.watchers:
                watcher.wallet_changed()
            self.touched[account] = records
