"""Orders that find less than they want: what was filled is told exactly, and nothing is added."""

from dataclasses import replace
from random import Random

import pytest

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Contracts
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.errors import OutcomeUnknown
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.faults import REQUEST_FAULTS
from copyplugin.venues.conformance.orders import assert_adds_up
from copyplugin.venues.conformance.steps import Scene, Trial

ROUNDS = 4


class PartialFillConformance:
    async def test_a_part_whose_answer_was_lost_is_found_as_a_part(self, trial: Trial) -> None:
        trial.needs(Fault.LOST_ANSWER)
        scene = await trial.scene(lots=2)
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(3), limit_price=scene.ask)
        await trial.inject(Fault.LOST_ANSWER, Errand.ORDER)

        try:
            await trial.venue.place_order(request)
        except OutcomeUnknown:
            await trial.bench.heal()

        report = await trial.ended(request)
        assert report.filled == scene.lots(2)
        assert_adds_up(report, scene)
        await trial.scene()  # what was not filled must not rest and take this
        await trial.holds(account, scene.lots(2))

    async def test_a_close_in_parts_leaves_the_rest_and_never_turns_round(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(5)))
        await trial.holds(account, scene.lots(5))

        await _offer(trial, scene, 2)
        first = await trial.done(_closing(trial, account, scene, 5))
        await trial.holds(account, scene.lots(3))
        await trial.scene()
        second = await trial.done(_closing(trial, account, scene, 5))

        assert (first.filled, second.filled) == (scene.lots(2), scene.lots(3))
        await trial.holds(account, 0)
        await trial.holds(account, 0, PositionSide.SHORT)
        await trial.fills_of(account, scene.lots(10))

    async def test_an_order_that_rests_tells_each_part_as_it_fills(self, trial: Trial) -> None:
        scene = await trial.scene()
        account, other = await trial.trader(scene), await trial.trader(scene)
        resting = replace(
            trial.order(account, scene.lots(3), limit_price=scene.mark),
            time_in_force=TimeInForce.GTC,
        )
        placed = await trial.venue.place_order(resting)
        assert (placed.status, placed.filled) == (OrderStatus.WORKING, 0)

        for lots in (1, 3):
            sold = scene.lots(lots) - (await _told(trial, resting)).filled
            await trial.bench.trade(
                other, trial.bench.symbol, OrderSide.SELL, PositionSide.SHORT, Contracts(sold)
            )
            report = await _filled(trial, resting, scene.lots(lots))
            is_whole = scene.lots(lots) == resting.contracts
            assert report.status is (OrderStatus.DONE if is_whole else OrderStatus.WORKING)
            assert sum(fill.contracts for fill in report.fills) == scene.lots(lots)
            assert {fill.price for fill in report.fills} == {scene.mark}

        await trial.holds(account, scene.lots(3))

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_in_a_storm_every_order_gets_what_there_was(
        self, trial: Trial, seed: int
    ) -> None:
        faults = sorted(trial.bench.faults & {*REQUEST_FAULTS, Fault.LATENCY, Fault.LATE_REQUEST})
        if not faults:
            pytest.skip("the bench cannot inject any fault of a request")
        chance = Random(seed)  # noqa: S311 - a storm is repeated by its seed
        scene = await trial.scene()
        account = await trial.trader(scene)
        held = traded = 0

        for _ in range(ROUNDS):
            offered, wanted = chance.randint(1, 4), chance.randint(1, 4)
            is_closing = held > 0 and chance.random() < 0.5  # noqa: PLR2004 - a mix
            got = min(offered, wanted, held) if is_closing else min(offered, wanted)
            await _offer(trial, scene, offered)
            await trial.inject(chance.choice(faults), Errand.ORDER)
            price = scene.bid if is_closing else scene.ask
            request = trial.order(
                account, scene.lots(wanted), closing=is_closing, limit_price=price
            )
            report = await trial.place_surely(request)
            assert report.filled == scene.lots(got)
            held += -got if is_closing else got
            traded += got
            await trial.holds(account, scene.lots(held))

        await trial.bench.heal()
        fills = await trial.fills_of(account, scene.lots(traded))
        assert len({fill.venue_fill_id for fill in fills}) == len(fills)


async def _offer(trial: Trial, scene: Scene, lots: int) -> None:
    """Let the market be so many lots on each side, at the prices of the scene."""
    symbol, contracts = scene.instrument.symbol, scene.lots(lots)
    await trial.bench.quote(symbol, bid=scene.bid, ask=scene.ask, contracts=contracts)


def _closing(trial: Trial, account: AccountId, scene: Scene, lots: int) -> OrderRequest:
    return trial.order(account, scene.lots(lots), closing=True, limit_price=scene.bid)


async def _told(trial: Trial, request: OrderRequest) -> OrderReport:
    found = await trial.found(request)
    assert found is not None
    return found


async def _filled(trial: Trial, request: OrderRequest, contracts: int) -> OrderReport:
    """Return what is told of an order once so much of it is told as filled."""

    async def ask() -> OrderReport:
        return await _told(trial, request)

    return await trial.eventually(ask, lambda report: report.filled == contracts)
