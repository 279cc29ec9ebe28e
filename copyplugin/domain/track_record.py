"""What a leader's finished trades come to, kept trade by trade (S1, S3, S4, S11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.domain.statistics import Trade, ratio_of


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackRecord:
    """Sums over closed trades in their order of closing; sums are exact."""

    profit: Money  # realised, net of fees and funding
    margin: Money  # Σ over opens of value / leverage
    value: Money  # Σ over opens of price × contracts × size
    holding: timedelta  # Σ of the times between first open and last close
    trades_closed: int
    trades_won: int
    losing_run: int  # trades lost in a row, up to the last one
    losing_run_max: int
    liquidations: int  # trades that a liquidation ended or cut

    @property
    def average_leverage(self) -> Fraction | None:
        """Return value / margin: the leverage of each open, weighted by its margin."""
        return ratio_of(self.value, self.margin)

    @property
    def average_holding(self) -> timedelta | None:
        return self.holding / self.trades_closed if self.trades_closed else None

    def after(self, closed: Trade) -> "TrackRecord":
        """Return the record with one more trade, which closed after those in it.

        A trade that earned nothing is neither won nor lost, and ends a run of losses.
        """
        assert closed.closed_at is not None
        losing_run = self.losing_run + 1 if closed.profit < 0 else 0
        return TrackRecord(
            profit=money_total(self.profit, closed.profit),
            margin=money_total(self.margin, closed.margin),
            value=money_total(self.value, closed.value),
            holding=self.holding + (closed.closed_at - closed.opened_at),
            trades_closed=self.trades_closed + 1,
            trades_won=self.trades_won + (closed.profit > 0),
            losing_run=losing_run,
            losing_run_max=max(self.losing_run_max, losing_run),
            liquidations=self.liquidations + closed.liquidated,
        )


NO_RECORD = TrackRecord(
    profit=ZERO_MONEY,
    margin=ZERO_MONEY,
    value=ZERO_MONEY,
    holding=timedelta(0),
    trades_closed=0,
    trades_won=0,
    losing_run=0,
    losing_run_max=0,
    liquidations=0,
)


def track_record(trades: Iterable[Trade]) -> TrackRecord:
    """Return the record of these trades; the open ones are not in it."""
    record = NO_RECORD
    for trade in trades:
        if trade.closed_at is not None:
            record = record.after(trade)
    return record
