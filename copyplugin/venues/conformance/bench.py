"""What the suite needs beside a venue: accounts with money, prices, a leader's hand, and faults."""

from enum import StrEnum
from typing import Protocol

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.ports import Venue


class Fault(StrEnum):
    """What may go wrong between the adapter and the exchange."""

    LATENCY = "latency"  # answers come late and out of turn, but while they are waited for
    LATE_REQUEST = "late_request"  # the connection ends; it is done soon after, all the same
    LOST_REQUEST = "lost_request"  # the connection ends; nothing was done
    LOST_ANSWER = "lost_answer"  # the connection ends; it was done
    SERVER_ERROR = "server_error"  # a gateway answers; nothing was done
    RATE_LIMIT = "rate_limit"  # one request too many
    MAINTENANCE = "maintenance"  # the venue is closed
    CLOCK_SKEW = "clock_skew"  # the venue's clock is a minute ahead until `heal`
    CLOCK_BEHIND = "clock_behind"  # it is a minute behind until `heal`
    REJECTION = "rejection"  # the venue says no
    PLAN_FAILURE = "plan_failure"  # the next plan order fires, and its order is refused
    STREAM_DROP = "stream_drop"  # a message is lost
    STREAM_DELAY = "stream_delay"  # a message comes late, after those that follow it soon
    STREAM_DUPLICATE = "stream_duplicate"  # a message comes twice
    STREAM_REORDER = "stream_reorder"  # a message comes after the next one
    STREAM_SILENCE = "stream_silence"  # half-open: nothing comes any more, and no end is told
    STREAM_CLOSE = "stream_close"  # the connection ends


class Errand(StrEnum):
    """Which requests of the adapter a fault strikes."""

    ORDER = "order"  # `place_order`
    PLAN = "plan"  # `place_plan`
    TRANSFER = "transfer"  # `transfer`
    SUB_ACCOUNT = "sub_account"  # `open_sub_account`
    QUESTION = "question"  # `positions` and `balance`
    STREAM = "stream"  # what `subscribe` hears


class VenueBench(Protocol):
    """A venue under test with its surroundings; one for each test, opened and closed by a fixture.

    Whatever a method does has happened at the exchange when it returns. How long it may take until
    the venue shows it is `patience_seconds`: the suite asks again until then.
    """

    @property
    def venue(self) -> Venue: ...

    @property
    def symbol(self) -> Symbol:
        """Return an instrument that nobody but the bench and the suite trades, with a mark."""
        ...

    @property
    def patience_seconds(self) -> int:
        """Return how long to wait for what must come; a feed that is silent is noticed in it."""
        ...

    @property
    def faults(self) -> frozenset[Fault]:
        """Return what `inject` can do; tests of the others are skipped."""
        ...

    async def open_account(self, *, spot: Money, contract: Money) -> AccountId:
        """Open a main account that the venue object can act for, with so much in its wallets.

        It holds nothing, has no sub-account, and its position mode is one-way.
        """
        ...

    async def set_price(self, symbol: Symbol, price: Price) -> None:
        """Move index and mark price there; on the grid."""
        ...

    async def quote(self, symbol: Symbol, *, bid: Price, ask: Price, contracts: Contracts) -> None:
        """Let the market consist of one bid and one ask of so many contracts each."""
        ...

    async def trade(
        self,
        account: AccountId,
        symbol: Symbol,
        order_side: OrderSide,
        position_side: PositionSide | None,
        contracts: Contracts,
    ) -> None:
        """Let the account send a market order by its own hand, not through the venue object.

        `position_side` is None in one-way mode. It fills whole against what is quoted.
        """
        ...

    async def pay_funding(self, symbol: Symbol) -> None:
        """Let one funding exchange take place, with a rate that is not zero."""
        ...

    async def inject(self, fault: Fault, errand: Errand, *, times: int = 1) -> None:
        """Let a fault strike so many of the next requests (or messages) of this errand."""
        ...

    async def heal(self) -> None:
        """Take back every fault that has not struck yet."""
        ...

    async def reopened(self) -> Venue:
        """Return a second venue object for the same accounts, as a new process would make it.

        It has seen nothing of what the first one did; the bench closes it.
        """
        ...
