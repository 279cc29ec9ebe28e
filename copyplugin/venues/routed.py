"""One venue for real money and play money: the name of an account says where it lives.

Nothing crosses: a request of a paper account never reaches the real venue, nor the other way round,
and money between the two kinds is refused.
"""

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
from copyplugin.domain.paper import is_paper
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.errors import TransferRejected
from copyplugin.ports import RemembersInstruments, Subscription, Venue, VenueCapabilities
from copyplugin.venues.paper import PaperVenue


class RoutedVenue:
    """The real venue to everybody, but for accounts with play money."""

    def __init__(self, real: Venue, paper: PaperVenue) -> None:
        self._real = real
        self._paper = paper

    def close(self) -> None:
        """Let go of the play money; the real venue is closed by whoever opened it."""
        self._paper.close()

    def _of(self, account: AccountId) -> Venue:
        return self._paper if is_paper(account) else self._real

    @property
    def name(self) -> str:
        return self._real.name

    @property
    def capabilities(self) -> VenueCapabilities:
        """Return the real venue's: play money offers nothing that real money would not."""
        return self._real.capabilities

    def remember(self, instruments: Mapping[Symbol, Instrument]) -> None:
        if isinstance(self._real, RemembersInstruments):
            self._real.remember(instruments)
        self._paper.remember(instruments)

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        listed = await self._real.instruments()
        self._paper.learn_instruments(listed)
        return listed

    async def marks(self) -> Mapping[Symbol, Price]:
        marks = await self._real.marks()
        await self._paper.learn_marks(marks)
        return marks

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        return await self._real.depth(symbol, bound)

    async def knows_account(self, account: AccountId) -> bool:
        return await self._of(account).knows_account(account)

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        return await self._of(owner).open_sub_account(owner, label)

    async def transfer(self, request: TransferRequest) -> None:
        await self._bank(request).transfer(request)

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        return await self._bank(request).transfer_outcome(request)

    def _bank(self, request: TransferRequest) -> Venue:
        """Return where the money is; raises `TransferRejected` where it would change its kind."""
        if is_paper(request.from_account) != is_paper(request.to_account):
            raise TransferRejected(
                "real_and_paper",
                f"{request.from_account} and {request.to_account} hold two kinds of money",
            )
        return self._of(request.from_account)

    async def balance(self, account: AccountId) -> AccountBalance:
        return await self._of(account).balance(account)

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        return await self._of(account).positions(account)

    async def set_hedge_mode(self, account: AccountId) -> None:
        await self._of(account).set_hedge_mode(account)

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        await self._of(account).configure(account, symbol, leverage, margin_mode)

    async def place_order(self, request: OrderRequest) -> OrderReport:
        return await self._of(request.account).place_order(request)

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        return await self._of(account).find_order(account, symbol, client_order_id)

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        return await self._of(request.account).place_plan(request)

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        return await self._of(account).amend_plan(
            account, symbol, client_order_id, contracts=contracts, trigger_price=trigger_price
        )

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        await self._of(account).cancel_plan(account, symbol, client_order_id)

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        return await self._of(account).find_plan(account, symbol, client_order_id)

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        return await self._of(account).plans(account)

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        await self._of(account).adjust_margin(account, symbol, position_side, money)

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        return await self._of(account).leader_fills(account, after)

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        return await self._real.subscribe(accounts, on_fill)

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        return await self._of(account).funding(account, since)
