"""Notes of accounts, of money moved, and of settings of positions."""

from collections.abc import Callable
from typing import Any

from simexchange.core import events as e
from simexchange.core.types import (
    AccountKind,
    Wallet,
)
from simexchange.server.records.kept import Kept
from simexchange.server.records.rows import (
    EntryKind,
    KeptTransfer,
)


class MoneyNotes:
    """Keeps transfers, and books what they changed."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        return {
            e.AccountOpened: self._account_opened,
            e.Deposited: self._deposited,
            e.Withdrawn: self._withdrawn,
            e.Transferred: self._transferred,
            e.LeverageSet: self._position_set,
            e.MarginAdjusted: self._position_set,
        }

    # ------------------------------------------------------------------ accounts and money

    def _account_opened(self, event: e.AccountOpened) -> None:
        if event.kind is AccountKind.USER:
            self._kept.track(event.account)

    def _position_set(self, event: e.LeverageSet | e.MarginAdjusted) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        if isinstance(event, e.MarginAdjusted):
            records.margins.append(event)
        for watcher in records.watchers:
            watcher.position_changed(event.symbol, event.position_side)
            watcher.position_set(event)
            watcher.wallet_changed()
        self._kept.touched[records.account] = records

    def _deposited(self, event: e.Deposited) -> None:
        self._moved(event.account, event.wallet, EntryKind.DEPOSIT, event.at, event.money, "")

    def _withdrawn(self, event: e.Withdrawn) -> None:
        self._moved(event.account, event.wallet, EntryKind.WITHDRAWAL, event.at, -event.money, "")

    def _transferred(self, event: e.Transferred) -> None:
        if event.repeated:
            return
        kept = KeptTransfer(
            sequence=self._kept.next_sequence(),
            at=event.at,
            transfer_id=event.transfer_id,
            from_account=event.from_account,
            from_wallet=event.from_wallet,
            to_account=event.to_account,
            to_wallet=event.to_wallet,
            money=event.money,
        )
        for account in dict.fromkeys((event.from_account, event.to_account)):
            records = self._kept.accounts.get(account)
            if records is not None:
                records.transfers.append(kept)
        transfer = (EntryKind.TRANSFER, event.at)
        reference = event.transfer_id
        self._moved(event.from_account, event.from_wallet, *transfer, -event.money, reference)
        self._moved(event.to_account, event.to_wallet, *transfer, event.money, reference)

    def _moved(
        self, account: int, wallet: Wallet, kind: EntryKind, at: int, change: int, reference: str
    ) -> None:
        records = self._kept.accounts.get(account)
        if records is None:
            return
        if wallet is Wallet.CONTRACT:
            self._kept.book(records, kind, at, change, reference=reference)
        for watcher in records.watchers:
            watcher.wallet_changed()
        self._kept.touched[account] = records
