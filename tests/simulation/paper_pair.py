"""A pair whose follower follows the leader with play money too."""

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.errors import VenueUnavailable
from copyplugin.store import ledger
from copyplugin.store.rows import FollowRow, LaneRow
from copyplugin.venues.paper import PaperVenue
from simexchange.core.types import PositionSide
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import BTC, SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


class PaperPair(Pair):
    """A pair whose follower follows the leader with play money too, on the same terms."""

    paper_id = 0

    async def start_paper(self, **terms: object):
        given = {
            "mode": "fixed",
            "copy_amount": "1000",
            "instruments": [BTC, SOL],
            "leader_id": 1,
            "follower_id": 1,
        } | terms
        answer = await self.plugin.command(CommandKind.START_PAPER_FOLLOW, **given)
        if answer.state is CommandState.DONE:
            self.paper_id = answer.result["follow_id"]
        return answer

    @property
    def paper_follow(self) -> FollowRow:
        [row] = self.rows(FollowRow, FollowRow.id == self.paper_id)
        return row

    def lanes(self, follow_id: int):
        return {
            (lane.symbol, lane.position_side): (lane.target, lane.actual)
            for lane in self.rows(LaneRow, LaneRow.follow_id == follow_id)
        }

    async def held_on_paper(self, leg=LONG, symbol=SOL) -> int:
        """Return what the exchange of play money says."""
        found = await self.plugin.paper.positions(self.paper_follow.sub_account)
        held = {(one.symbol, one.position_side.value): one.contracts for one in found}
        return held.get((symbol, leg.name.lower()), 0)

    def paper_exchange(self):
        market, _ = self.plugin.paper._open()
        return market.exchange

    def balances(self):
        with self.plugin.database.read() as session:
            ledger.verify(session)
            return ledger.balances(session)


async def restart(pair) -> None:
    await pair.plugin.die()
    pair.plugin.open()
    await pair.plugin.start()


async def start_plugin(folder, market, made: type[Plugin] = Plugin) -> Plugin:
    plugin = made(folder, market, paper=True)
    await plugin.start()
    return plugin


async def start_pair(plugin, market) -> "PaperPair":
    """Return a pair of which both follows run, on the same terms."""
    pair = await PaperPair(plugin, market).start()
    answer = await pair.start_paper()
    assert answer.state is CommandState.DONE, answer.message
    return pair


class Died(BaseException):
    """The process ended here."""


class Mortal(PaperVenue):
    """Executes, and its answer is lost: in another way each time."""

    losses: list[BaseException]

    async def place_order(self, request):
        if self.losses and isinstance(self.losses[0], VenueUnavailable):
            raise self.losses.pop(0)  # before anything was done, as the port says
        report = await super().place_order(request)
        if self.losses:
            raise self.losses.pop(0)
        return report

    async def transfer(self, request):
        await super().transfer(request)
        if self.losses:
            raise self.losses.pop(0)


class MortalPlugin(Plugin):
    losses: list[BaseException]

    def make_paper(self, folder):
        made = super().make_paper(folder)
        made.__class__ = Mortal
        made.losses = self.losses
        return made
