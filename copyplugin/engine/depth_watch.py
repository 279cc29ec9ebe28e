"""Watches how much the market offers, and how much copying of each leader it bears (N9)."""

from collections.abc import Mapping, Sequence

from copyplugin.domain.capacity import Depth, Load, borne, usual_depth
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import VenueUnavailable
from copyplugin.store import capacity
from copyplugin.store.database import Session


class DepthWatch:
    """`run` is a job; what the venue does not tell stays as it was known."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Sample the depth of what leaders trade; return how many instruments were not told."""
        now = self._around.clock.now()
        with self._around.database.read() as session:
            led = capacity.symbols_led(session, now=now)
            settings = self._around.settings_at(session, now)
        samples: dict[Symbol, Depth] = {}
        for symbol in led:
            instrument = self._around.instruments.get(symbol)
            if instrument is None:
                continue
            bound = settings.price_bound(instrument)
            try:
                samples[symbol] = await self._around.venue.depth(symbol, bound)
            except VenueUnavailable:
                continue
        await self._around.database.write(lambda session: self._book(session, samples))
        return len(led) - len(samples)

    def _book(self, session: Session, samples: Mapping[Symbol, Depth]) -> None:
        now = self._around.clock.now()
        capacity.add_samples(session, samples, at=now)
        capacity.put_capacities(session, self._capacities(session), at=now)

    def _capacities(self, session: Session) -> list[tuple[LeaderId, Symbol, Money]]:
        now = self._around.clock.now()
        usable = self._around.settings_at(session, now).usable_depth
        usual: dict[Symbol, Money | None] = {}
        found: list[tuple[LeaderId, Symbol, Money]] = []
        for leader_id, loads in capacity.loads(session, now=now).items():
            for symbol in {load.symbol for load in loads} - usual.keys():
                usual[symbol] = usual_depth(capacity.samples_of(session, symbol))
            narrowest = _narrowest(loads, usual, usable)
            if narrowest is not None:
                found.append((leader_id, *narrowest))
        return found


def _narrowest(
    loads: Sequence[Load], usual: Mapping[Symbol, Money | None], usable: Ratio
) -> tuple[Symbol, Money] | None:
    """Return the instrument that bears the least copying, and how much."""
    least: tuple[Symbol, Money] | None = None
    for load in loads:
        depth = usual[load.symbol]
        amount = None if depth is None else borne(load, depth, usable=usable)
        if amount is not None and (least is None or amount < least[1]):
            least = (load.symbol, amount)
    return least
