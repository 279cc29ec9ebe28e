"""An account at the venue: its wallets, its positions, and money moved between them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, TransferId
from copyplugin.domain.money import Contracts, Money, Price, Ratio


class Wallet(StrEnum):
    SPOT = "spot"
    CONTRACT = "contract"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountBalance:
    """What an account owns; `contract_available` is what may back a new order or be taken out."""

    spot_available: Money
    contract_wallet: Money
    contract_available: Money
    equity: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class VenuePosition:
    """One open position as the venue reports it. `entry_cost` is Σ price × contracts × size."""

    symbol: Symbol
    position_side: PositionSide
    contracts: Contracts
    entry_cost: Money
    average_entry_price: Price
    unrealized_pnl: Money
    margin: Money
    leverage: Ratio
    margin_mode: MarginMode
    liquidation_price: Price | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferRequest:
    """Money from one wallet to another; the same id twice moves it once."""

    transfer_id: TransferId
    from_account: AccountId
    from_wallet: Wallet
    to_account: AccountId
    to_wallet: Wallet
    money: Money

    def __post_init__(self) -> None:
        assert self.money > 0


class TransferKind(StrEnum):
    FUND = "fund"  # the copy amount, spot wallet to sub-account
    RETURN = "return"  # what is left, sub-account to spot wallet
    SHARE = "share"  # the leader's part of the share
    SHARER = "sharer"  # the sharer's part of the share
    ESCROW = "escrow"  # a share that is held for a while (M9)
    RELEASE = "release"  # the leader's part of what was held
    RELEASE_SHARER = "release_sharer"  # the sharer's part of it
    TAKE_BACK = "take_back"  # what was held and is the follower's again
    FREED = "freed"  # what waited for a share that was paid by other ways, to the spot wallet


class TransferState(StrEnum):
    """What we know of a transfer. `PLANNED` is in doubt once it has been attempted.

    What the venue cannot move between two people is `OWED` until somebody says that it was `PAID`.
    """

    PLANNED = "planned"
    DONE = "done"
    REFUSED = "refused"
    OWED = "owed"
    PAID = "paid"


class TransferOutcome(StrEnum):
    DONE = "done"
    UNKNOWN_TO_VENUE = "unknown_to_venue"  # never arrived: it may be sent again


@dataclass(frozen=True, kw_only=True, slots=True)
class FundingPayment:
    """One funding payment of one position; `payment` is positive where the account paid."""

    venue_payment_id: str
    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    payment: Money
    at: datetime
