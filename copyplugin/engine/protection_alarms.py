"""Alarms about copied positions: a stop loss that does not rest, or comes too late (P1, P3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.identifiers import PlanOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Ratio
from copyplugin.domain.plan_order import PlanState
from copyplugin.domain.protection import (
    PlanKind,
    ProtectedPosition,
    greatest_stop_ratio,
    is_beyond_liquidation,
    trigger_price,
)
from copyplugin.engine.booking import round_trip_of
from copyplugin.store import protection
from copyplugin.store.database import Session
from copyplugin.store.protection import Guarded, GuardedLane
from copyplugin.store.rows import CopiedPositionRow


@dataclass(frozen=True)
class Alarms:
    """Those of one follow, inside a transaction."""

    session: Session
    instruments: Mapping[Symbol, Instrument]
    guarded: Guarded
    now: datetime

    def sound(self, placed: Collection[PlanOrderId]) -> None:
        """Raise what is wrong and clear what is over.

        `placed` are plan orders on their way: their answer tells.
        """
        follow_id, ratio = self.guarded.follow.id, self.guarded.terms.stop_loss
        protection.clear_alarms_of_closed(self.session, follow_id, at=self.now)
        for lane in self.guarded.lanes:
            if lane.position is not None and lane.lane.actual > 0 and ratio is not None:
                self._look_for_stop(lane, lane.position, placed)
                self._compare_with_liquidation(lane.position, ratio)

    def _look_for_stop(
        self, lane: GuardedLane, position: CopiedPositionRow, placed: Collection[PlanOrderId]
    ) -> None:
        stops = [
            plan
            for plan in lane.plans
            if plan.kind is PlanKind.STOP_LOSS and plan.copied_position_id == position.id
        ]
        if any(plan.state is PlanState.RESTING for plan in stops):
            kinds = {AlarmKind.UNPROTECTED}
            protection.clear_alarms(self.session, kinds, [position.id], at=self.now)
        elif not any(plan.id in placed for plan in stops):
            why = next((plan.reason for plan in stops if plan.reason), "")
            protection.raise_alarm(
                self.session,
                AlarmKind.UNPROTECTED,
                position,
                f"No stop loss rests at the venue. {why}".strip(),
                at=self.now,
            )

    def _compare_with_liquidation(self, position: CopiedPositionRow, ratio: Ratio) -> None:
        instrument = self.instruments.get(position.symbol)
        if instrument is None:
            return
        liquidation, held = position.liquidation_price, protected_position(position)
        amount = self.guarded.follow.copy_amount
        stop = trigger_price(PlanKind.STOP_LOSS, held, instrument, copy_amount=amount, ratio=ratio)
        if stop is not None and (
            liquidation is None
            or not is_beyond_liquidation(position.position_side, stop, liquidation)
        ):
            kinds = {AlarmKind.STOP_BEYOND_LIQUIDATION}
            protection.clear_alarms(self.session, kinds, [position.id], at=self.now)
            return
        greatest = greatest_stop_ratio(
            held, instrument, copy_amount=amount, liquidation=liquidation
        )
        where = "0" if liquidation is None else f"{liquidation.normalize():f}"
        protection.raise_alarm(
            self.session,
            AlarmKind.STOP_BEYOND_LIQUIDATION,
            position,
            f"The stop loss lies beyond the liquidation price {where}: "
            f"at most {greatest * 100:.2f} % of the copy amount would work.",
            at=self.now,
        )


def protected_position(position: CopiedPositionRow) -> ProtectedPosition:
    """Return what is open of a copied position."""
    trip = round_trip_of(position)
    return ProtectedPosition(
        position_side=position.position_side,
        contracts=trip.contracts,
        entry_cost=trip.entry_cost,
    )
