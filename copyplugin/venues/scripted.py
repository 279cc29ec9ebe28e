"""The simulated exchange as a stage: a script moves its prices and its clock, and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from copyplugin.domain.capacity import Depth
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.simulated import SimulatedVenue
from copyplugin.venues.simulated_values import units_of
from simexchange.core import commands, events, types
from simexchange.market.audit import residue
from simexchange.market.scripted import ScriptedMarket

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScriptedVenue(SimulatedVenue):
    """A venue that is its own clock. Followers come with what `open_account` gives them.

    It rests no plan orders: whatever fires one, nobody would be there to trade with it.
    """

    capabilities = replace(SimulatedVenue.capabilities, plan_orders=False, amends_plans=False)

    def __init__(self, market: ScriptedMarket) -> None:
        self._market = market
        super().__init__(market.simulation)

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        raise VenueUnavailable("between the script's orders nobody offers anything")

    @property
    def event_hash(self) -> str:
        return self._market.exchange.event_hash

    @property
    def ledger_residue(self) -> int:
        """Return the money units that appeared or vanished on the exchange: 0."""
        return residue(self._market.exchange)

    def now(self) -> datetime:
        """Return the time of the market; the venue is the clock of its replay."""
        return _EPOCH + timedelta(microseconds=self._market.clock.now())

    def open_account(self, label: str, spot: Money) -> AccountId:
        """Open a follower's main account with money in its spot wallet."""
        opened = self._market.apply(commands.OpenAccount(label=label))[0]
        assert isinstance(opened, events.AccountOpened)
        self._market.apply(commands.Deposit(opened.account, types.Wallet.SPOT, units_of(spot)))
        return AccountId(str(opened.account))

    def liquidations(self, account: AccountId) -> int:
        """Return how many positions of the account the exchange closed for lack of margin."""
        return len(self._market.simulation.history.liquidations(int(account), limit=10**9))

    def set_clock(self, at: datetime) -> None:
        """Move the clock to that time; it never goes back."""
        microseconds = (at - _EPOCH) // timedelta(microseconds=1)
        self._market.clock.set(max(self._market.clock.now(), microseconds))
