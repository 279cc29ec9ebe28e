"""What a lane should hold when a loss at the venue is found after its leader has gone on.

The venue liquidates or deleverages, a follower closes by himself, and we learn of it later. The
target is then what it would be had we known at once: what was lost is not bought back, what the
leader opened since is wanted, and what he closed since takes its part of what was left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from copyplugin.domain.fill import FillCause
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.steering import Decision, LeaderMove, aim_of_close, not_filled


def taken_by(cause: FillCause) -> str:
    """Return how an order that was none of ours says why the contracts went."""
    return f"not an order of ours: {cause}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Contracts that a lane has lost, and what was decided for it on later moves, oldest first.

    `target` and `actual` are the lane's as they are believed, the loss not in them. `opened` and
    `closed` are what orders for later moves have had filled.
    """

    target: Contracts
    actual: Contracts
    lost: Contracts
    later: Sequence[tuple[LeaderMove, Decision]] = ()
    opened: Contracts = NO_CONTRACTS
    closed: Contracts = NO_CONTRACTS

    def __post_init__(self) -> None:
        assert 0 < self.lost <= self.actual
        assert self.opened >= 0
        assert self.closed >= 0

    @property
    def actual_after(self) -> Contracts:
        return Contracts(self.actual - self.lost)

    @property
    def never_had(self) -> Contracts:
        """Return what earlier opens still lacked when the position was lost: it is not opened."""
        wanted = self.later[0][1].base if self.later else self.target
        return Contracts(max(0, wanted - self._held_before))

    def target_after(self, instrument: Instrument | None) -> Contracts:
        """Return the target that knows of the loss; never more than the one that does not.

        It is above what is held only by what the leader opened since and orders did not yet fill,
        so that no later close lets anything be bought back either.
        """
        target = Contracts(max(0, self._held_before - self.lost))
        opens = 0
        for move, made in self.later:
            target = min(target, made.base)  # it was lowered meanwhile, by a user for example
            if move.increases:
                had = max(0, made.wanted - not_filled(made.skip))
                opens += had
                target = Contracts(target + had)
            elif made.skip is None or made.skip.reason is not SkipReason.FOLLOW_NOT_ACTIVE:
                target = min(target, aim_of_close(move, target, instrument))
        missing = max(0, opens - self.opened)
        return min(self.target, target, Contracts(self.actual_after + missing))

    @property
    def _held_before(self) -> int:
        """Return what was held right before the loss, by all that earlier moves have led to."""
        return self.actual - self.opened + self.closed
