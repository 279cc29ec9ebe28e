"""The exchange: commands in, events out. All state changes happen in ``Exchange.apply``."""

from collections.abc import Callable
from typing import Any

from simexchange.core import commands as c
from simexchange.core.amending import OrderChanges
from simexchange.core.commands import CancelOrder, Command, PlaceOrder
from simexchange.core.config import ExchangeConfig
from simexchange.core.digest import state_digest
from simexchange.core.entry import OrderEntry
from simexchange.core.events import Event
from simexchange.core.faults import Faults
from simexchange.core.funding import Funding
from simexchange.core.invariants import check, check_ledger, ledger_table
from simexchange.core.ledger import Ledger
from simexchange.core.liquidation import Liquidation
from simexchange.core.log import GROUP_EVENTS, NO_EVENTS
from simexchange.core.marks import Marks
from simexchange.core.matching import Matching
from simexchange.core.plan_entry import PlanEntry
from simexchange.core.plan_firing import PlanFiring
from simexchange.core.reads import Reads
from simexchange.core.registration import Registration
from simexchange.core.settings import Settings
from simexchange.core.state import State
from simexchange.core.trading import Trading
from simexchange.core.transfers import Transfers
from simexchange.core.types import RejectReason
from simexchange.core.watch import LiquidationWatch

SUM_PLACES = 10_000
"""How many accounts and positions double the commands between full sums of the ledger.

So the sum, which looks at all of them, costs a command the same however many there are.
"""


class Exchange(Reads):
    """One deterministic exchange: the same commands at the same times give the same bytes.

    ``apply`` never raises on what a user asks for; a refused command changes nothing and is
    answered by exactly one rejection. Questions are those of ``Reads``.
    """

    def __init__(self, config: ExchangeConfig | None = None) -> None:
        self.config = config or ExchangeConfig()
        self._state = state = State(self.config)
        super().__init__(state)
        self._log = state.log
        self._ledger = state.ledger
        self._timers = state.timers
        self._check_every = self._until_check = self.config.check_every
        state.has_echo = self._check_every > 0
        self._until_sum = self.config.sum_every
        trading = Trading(state)
        matching = Matching(state, trading)
        entry = OrderEntry(state, trading, matching)
        changes = OrderChanges(state, trading, matching, entry)
        transfers = Transfers(state)
        settings = Settings(state)
        watch = LiquidationWatch(state)
        liquidation = Liquidation(state, trading, entry, watch)
        self._funding = funding = Funding(state, trading, watch, liquidation)
        registration = Registration(state, trading, funding)
        self._firing = firing = PlanFiring(state, entry)
        plans = PlanEntry(state, firing)
        marks = Marks(state, watch, liquidation, firing)
        faults = Faults(state)
        self._entry = entry
        self._changes = changes
        self._handlers: dict[type, Callable[[Any], object]] = {
            c.PlaceOrder: entry.place,
            c.CancelOrder: changes.cancel,
            c.AmendOrder: changes.amend,
            c.CancelAll: changes.cancel_all,
            c.ListInstrument: registration.list_instrument,
            c.OpenAccount: registration.open_account,
            c.SetFeeTier: registration.set_fee_tier,
            c.Deposit: transfers.deposit,
            c.Withdraw: transfers.withdraw,
            c.Transfer: transfers.transfer,
            c.SetLeverage: settings.set_leverage,
            c.SetPositionMode: settings.set_position_mode,
            c.SetMarginMode: settings.set_margin_mode,
            c.AdjustMargin: settings.adjust_margin,
            c.SetIndex: marks.set_index,
            c.SetMark: marks.set_mark,
            c.SetIndexSources: marks.set_index_sources,
            c.AdvanceTime: marks.advance_time,
            c.PlacePlanOrder: plans.place,
            c.AmendPlanOrder: plans.amend,
            c.CancelPlanOrder: plans.cancel,
            c.SetFundingRate: funding.set_rate,
            c.SetFundingInterval: funding.set_interval,
            c.SkipFunding: funding.skip,
            c.ForceReject: faults.force_reject,
            c.Batch: self._apply_batch,
        }

    def apply(self, command: Command, at: int) -> list[Event]:
        """Apply one command at ``at`` (microseconds) and return what happened.

        ``at`` never goes back: a command from the past is refused.
        """
        log = self._log
        if at < log.at:
            return self._refuse_past(command, at)
        log.at = at
        events: list[Event] = []
        log.events = events
        if at >= self._timers.next_at:
            self._run_timers(at)
        if type(command) is PlaceOrder:  # the commonest first, each at a call of its own
            self._entry.place(command)
        elif type(command) is CancelOrder:
            self._changes.cancel(command)
        else:
            self._handlers[type(command)](command)
            self._check_entries(command)  # the two others book nothing in several steps
        if self._state.has_echo:
            self._follow_up()
        unsealed = log.unsealed
        unsealed += events or NO_EVENTS
        if len(unsealed) >= GROUP_EVENTS:
            self._keep_house()
        return events

    def _follow_up(self) -> None:
        """Do what the command set off, and check all where that is wanted every so often."""
        self._firing.after_command()
        self._state.has_echo = self._check_every > 0  # then this is done after the next one, too
        if self._check_every:
            self._until_check -= 1
            if not self._until_check:
                self._until_check = self._check_every
                check(self._state)

    def _check_entries(self, cause: object) -> None:
        net = self._ledger.net
        assert net == 0, f"{cause} leaves {net} unbooked\n{self.ledger_text()}"

    def _keep_house(self) -> None:
        """Do what need not be done after every command, but for each full group of events.

        No more than ``GROUP_EVENTS`` commands have been since the last time, for each has a place
        in the group.
        """
        self._log.seal()
        self._check_entries("a group of commands")
        self._state.forget_closed()
        self._until_sum -= GROUP_EVENTS
        if self._until_sum < GROUP_EVENTS and self.config.sum_every:
            places = len(self._state.accounts) + len(self._state.positions)
            self._until_sum = self.config.sum_every * (1 + places // SUM_PLACES)
            check_ledger(self._state)

    def _run_timers(self, at: int) -> None:
        """Do what was due before ``at``; its events carry the time at which it was due."""
        timers, log = self._timers, self._log
        timers.until = at
        while timers.next_at <= at:
            log.at = timers.next_at
            timers.run_next()
            self._check_entries("a timer")
            self._firing.after_command()
        log.at = at

    def _apply_batch(self, command: c.Batch) -> None:
        for part in command.commands:
            self._handlers[part.__class__](part)

    @property
    def event_hash(self) -> str:
        """Hash (BLAKE3) of all events so far; equal hashes mean equal runs."""
        return self._log.hexdigest()

    @property
    def ledger(self) -> Ledger:
        """The places of money that belong to no account; read only."""
        return self._ledger

    @property
    def now(self) -> int:
        """Time of the latest command."""
        return self._log.at

    def state_hash(self) -> str:
        """Return SHA-256 over the whole living state; O(everything alive)."""
        return state_digest(self._state)

    def check(self) -> None:
        """Check all invariants; AssertionError with the ledger when one is broken."""
        check(self._state)

    def ledger_text(self) -> str:
        """Return the whole ledger as a table, for people."""
        return ledger_table(self._state)

    def _refuse_past(self, command: Command, at: int) -> list[Event]:
        log = self._log
        log.events = []
        self._state.refuse(
            command,
            RejectReason.TIME_WENT_BACK,
            f"a command for {at} came after one for {log.at}; time never goes back",
        )
        log.unsealed += log.events
        if len(log.unsealed) >= GROUP_EVENTS:
            self._keep_house()
        return log.events
