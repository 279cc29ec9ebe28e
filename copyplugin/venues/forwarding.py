"""A venue that asks another one: the base of those that answer a few questions themselves."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
)
from copyplugin.domain.capacity import Depth
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, VenueFillId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.ports import (
    FundingTerms,
    RemembersInstruments,
    Subscription,
    TellsFunding,
    Venue,
    VenueCapabilities,
)


class ForwardingVenue:
    """Every method is the other venue's; who derives from this overrides what he knows better."""

    def __init__(self, behind: Venue) -> None:
        self._behind = behind

    @property
    def name(self) -> str:
        return self._behind.name

    @property
    def capabilities(self) -> VenueCapabilities:
        return self._behind.capabilities

    def remember(self, instruments: Mapping[Symbol, Instrument]) -> None:
        if isinstance(self._behind, RemembersInstruments):
            self._behind.remember(instruments)

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        return await self._behind.instruments()

    async def marks(self) -> Mapping[Symbol, Price]:
        return await self._behind.marks()

    async def funding_terms(self) -> Mapping[Symbol, FundingTerms]:
        """Return what the other venue tells of funding: nothing where it tells nothing."""
        return await self._behind.funding_terms() if isinstance(self._behind, TellsFunding) else {}

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        return await self._behind.depth(symbol, bound)

    async def knows_account(self, account: AccountId) -> bool:
        return await self._behind.knows_account(account)

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        return await self._behind.open_sub_account(owner, label)

    async def transfer(self, request: TransferRequest) -> None:
        await self._behind.transfer(request)

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        return await self._behind.transfer_outcome(request)

    async def balance(self, account: AccountId) -> AccountBalance:
        return await self._behind.balance(account)

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        return await self._behind.positions(account)

    async def set_hedge_mode(self, account: AccountId) -> None:
        await self._behind.set_hedge_mode(account)

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        await self._behind.configure(account, symbol, leverage, margin_mode)

    async def place_order(self, request: OrderRequest) -> OrderReport:
        return await self._behind.place_order(request)

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        return await self._behind.find_order(account, symbol, client_order_id)

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        return await self._behind.place_plan(request)

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        return await self._behind.amend_plan(
            account, symbol, client_order_id, contracts=contracts, trigger_price=trigger_price
        )

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        await self._behind.cancel_plan(account, symbol, client_order_id)

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        return await self._behind.find_plan(account, symbol, client_order_id)

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        return await self._behind.plans(account)

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        await self._behind.adjust_margin(account, symbol, position_side, money)

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        return await self._behind.leader_fills(account, after)

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        return await self._behind.subscribe(accounts, on_fill)

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        return await self._behind.funding(account, since)

    async def close(self) -> None:
        """Close the other venue, where it has anything to close."""
        close = getattr(self._behind, "close", None)
        waiting = None if close is None else close()
        if waiting is not None:
            await waiting
