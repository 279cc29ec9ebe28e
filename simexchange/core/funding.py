"""Funding: sampled from the own book, paid between longs and shorts on the boundary."""

from simexchange.core.commands import SetFundingInterval, SetFundingRate, SkipFunding
from simexchange.core.events import FaultArmed, FundingPaid, FundingRateSet, FundingSettled
from simexchange.core.funding_clock import FundingClock
from simexchange.core.liquidation import Liquidation
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.prices import funding_rate, impact_premium
from simexchange.core.state import State
from simexchange.core.trading import Trading
from simexchange.core.types import HOUR_US, RATE_SCALE, SECOND_US, RejectReason
from simexchange.core.watch import LiquidationWatch

BASE_US = 8 * HOUR_US
_BOUNDARY = "funding"
_SAMPLE = "premium"


class Funding:
    """Runs the funding of all instruments that have rules for it."""

    __slots__ = ("_liquidation", "_state", "_trading", "_watch")

    def __init__(
        self, state: State, trading: Trading, watch: LiquidationWatch, liquidation: Liquidation
    ) -> None:
        self._state = state
        self._liquidation = liquidation
        self._trading = trading
        self._watch = watch
        state.timers.handle(_BOUNDARY, self._on_boundary)
        state.timers.handle(_SAMPLE, self._on_sample, quiet=True)

    def start(self, market: Market) -> None:
        """Set the alarms of a newly listed instrument that has funding rules."""
        rules = market.instrument.funding
        if rules is None:
            return
        clock = market.funding = FundingClock(rules, self._state.log.at)
        self._state.timers.set(clock.next_sample_at, _SAMPLE, market)
        self._state.timers.set(clock.next_at, _BOUNDARY, market)

    def _on_sample(self, thing: object) -> None:
        assert isinstance(thing, Market)
        clock = thing.funding
        assert clock is not None
        timers = self._state.timers
        # nothing changes until the present command or another alarm, so all samples are equal
        self._sample(thing, clock, min(timers.until, clock.next_at, timers.next_change_at - 1))
        timers.set(clock.next_sample_at, _SAMPLE, thing)

    def _sample(self, market: Market, clock: FundingClock, until: int) -> None:
        """Count the premium for every sampling time that has come by ``until``."""
        rules = market.instrument.funding
        assert rules is not None
        passed = (until - clock.next_sample_at) // rules.sample_us + 1
        if passed <= 0:
            return
        clock.next_sample_at += passed * rules.sample_us
        if market.index is None or market.protection is not None:
            return
        premium = impact_premium(
            market.bids,
            market.asks,
            market.index,
            rules.impact_notional,
            market.tick_value,
        )
        clock.premium_sum += premium * passed
        clock.premium_samples += passed

    # ------------------------------------------------------------------ commands

    def set_rate(self, command: SetFundingRate) -> None:
        market, clock = self._find(command, command.symbol)
        if market is None or clock is None:
            return
        clock.manual_rate = command.rate
        self._say_rate(market, clock, command.rate)

    def set_interval(self, command: SetFundingInterval) -> None:
        market, clock = self._find(command, command.symbol)
        if market is None or clock is None:
            return
        if command.interval_us < SECOND_US:
            message = f"a funding interval is at least one second, not {command.interval_us} µs"
            self._state.refuse(
                command, RejectReason.INVALID_REQUEST, message, symbol=command.symbol
            )
            return
        clock.next_interval_us = command.interval_us
        self._say_rate(market, clock, clock.manual_rate)

    def skip(self, command: SkipFunding) -> None:
        market, clock = self._find(command, command.symbol)
        if market is None or clock is None:
            return
        clock.skips += 1
        self._state.log.events.append(
            FaultArmed(self._state.log.at, None, market.symbol, "skip_funding", clock.skips)
        )

    # ------------------------------------------------------------------ the boundary

    def _on_boundary(self, thing: object) -> None:
        assert isinstance(thing, Market)
        clock = thing.funding
        assert clock is not None
        self._sample(thing, clock, clock.next_at)
        self._settle(thing, clock)
        clock.premium_sum = clock.premium_samples = 0
        clock.interval_us = clock.next_interval_us
        clock.next_at += clock.interval_us
        self._state.timers.set(clock.next_at, _BOUNDARY, thing)
        if thing.mark is not None:
            self._liquidation.tick(thing, thing.mark)

    def _settle(self, market: Market, clock: FundingClock) -> None:
        """Exchange payments at the mark price; they sum to what rounding leaves over."""
        mark, index = market.mark, market.index
        if mark is None or index is None:
            return
        premium, rate = _average(clock), present_rate(market)
        skipped = clock.skips > 0
        residue = 0
        self._watch.refresh(market)
        if skipped:
            clock.skips -= 1
        else:
            clock.last_rate = rate
            for position in list(market.positions.values()):
                residue += self._pay(position, mark, rate)
            self._state.ledger.rounding += residue
            self._state.ledger.net += residue
        self._state.log.events.append(
            FundingSettled(
                self._state.log.at,
                market.symbol,
                mark,
                index,
                rate,
                premium,
                residue,
                skipped,
                clock.next_at + clock.next_interval_us,
            )
        )

    def _pay(self, position: Position, mark: int, rate: int) -> int:
        """Take the payment from one position; longs pay a positive rate, shorts receive it.

        Rounded against the account. From the wallet, then from the isolated margin, which moves
        the liquidation price; what neither has, the insurance fund pays.
        """
        market, account = position.market, position.account
        exact = position.contracts * mark * market.tick_value * rate
        payment = -(-exact // RATE_SCALE)
        account.wallet -= payment
        self._state.ledger.net -= payment
        self._trading.settle_wallet(position)
        self._state.mark_stale(position)
        self._state.note_equity_moved(account)
        self._state.log.events.append(
            FundingPaid(
                self._state.log.at,
                account.number,
                market.symbol,
                position.side,
                position.contracts,
                mark,
                rate,
                payment,
                position.margin,
                account.wallet,
            )
        )
        return payment

    def _say_rate(self, market: Market, clock: FundingClock, rate: int | None) -> None:
        self._state.log.events.append(
            FundingRateSet(
                self._state.log.at, market.symbol, rate, clock.next_interval_us, clock.next_at
            )
        )

    def _find(self, command: object, symbol: str) -> tuple[Market | None, FundingClock | None]:
        market = self._state.markets.get(symbol)
        if market is None:
            message = f"there is no instrument {symbol!r}"
            self._state.refuse(command, RejectReason.UNKNOWN_INSTRUMENT, message, symbol=symbol)
            return None, None
        if market.funding is None:
            message = f"{symbol} was listed without funding rules"
            self._state.refuse(command, RejectReason.INVALID_REQUEST, message, symbol=symbol)
        return market, market.funding


def present_rate(market: Market) -> int:
    """Return the rate that would be paid if the boundary were now; 0 without funding."""
    clock, rules = market.funding, market.instrument.funding
    if clock is None or rules is None:
        return 0
    if clock.manual_rate is not None:
        return clock.manual_rate
    return funding_rate(
        _average(clock), rules.interest_rate, rules.clamp, rules.cap, clock.interval_us, BASE_US
    )


def _average(clock: FundingClock) -> int:
    """Return the average premium, toward zero; 0 without samples."""
    if clock.premium_samples == 0:
        return 0
    total = clock.premium_sum
    average = abs(total) // clock.premium_samples
    return average if total >= 0 else -average
