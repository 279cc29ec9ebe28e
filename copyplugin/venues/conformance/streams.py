"""The stream of fills: it wakes in time, and nothing that befalls it loses or repeats a fill."""

from collections.abc import Iterable
from random import Random

import pytest

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.fills import leader_trades
from copyplugin.venues.conformance.steps import Scene, Trial

ONE_MESSAGE = [
    Fault.STREAM_DROP,
    Fault.STREAM_DUPLICATE,
    Fault.STREAM_REORDER,
    Fault.STREAM_DELAY,
]
TRADES = 12
WHOLE_STREAM = [Fault.STREAM_CLOSE, Fault.STREAM_SILENCE]


async def _listened(trial: Trial) -> tuple[Scene, AccountId, list[LeaderFill]]:
    """Return a leader who is listened to, and the list of what is told."""
    scene = await trial.scene()
    leader = await trial.trader(scene)
    told: list[LeaderFill] = []
    await trial.venue.subscribe([leader], told.append)
    return scene, leader, told


async def _hears(trial: Trial, told: list[LeaderFill], wanted: int) -> None:
    async def contracts() -> int:
        known = {fill.venue_fill_id: fill.contracts for fill in told}
        return sum(known.values())

    await trial.eventually(contracts, lambda heard: heard >= wanted)


class StreamConformance:
    async def test_a_fill_is_told_as_it_is_listed(self, trial: Trial) -> None:
        _needs_a_stream(trial)
        scene, leader, told = await _listened(trial)

        await leader_trades(trial, scene, leader, 4)

        await _hears(trial, told, scene.lots(4))
        listed = {fill.venue_fill_id: fill for fill in await trial.fills_of(leader, scene.lots(4))}
        for fill in told:
            same = listed[fill.venue_fill_id]
            assert (fill.account, fill.symbol, fill.side) == (leader, same.symbol, same.side)
            assert (fill.contracts, fill.price) == (same.contracts, same.price)

    async def test_only_those_are_told_who_are_listened_to(self, trial: Trial) -> None:
        _needs_a_stream(trial)
        scene, leader, told = await _listened(trial)
        other = await trial.trader(scene)

        await leader_trades(trial, scene, other, 2)
        await leader_trades(trial, scene, leader, 2)

        await _hears(trial, told, scene.lots(2))
        assert {fill.account for fill in told} == {leader}

    async def test_nothing_is_told_after_the_end(self, trial: Trial) -> None:
        _needs_a_stream(trial)
        scene = await trial.scene()
        leader = await trial.trader(scene)
        ended: list[LeaderFill] = []
        heard: list[LeaderFill] = []
        subscription = await trial.venue.subscribe([leader], ended.append)
        await trial.venue.subscribe([leader], heard.append)

        await subscription.close()
        await leader_trades(trial, scene, leader, 2)

        await _hears(trial, heard, scene.lots(2))
        assert not ended

    @pytest.mark.parametrize("fault", ONE_MESSAGE)
    async def test_a_message_gone_wrong_changes_nothing_of_the_list(
        self, trial: Trial, fault: Fault
    ) -> None:
        trial.needs(fault)
        scene, leader, told = await _listened(trial)
        await leader_trades(trial, scene, leader, 2)
        await _hears(trial, told, scene.lots(2))

        await trial.inject(fault, Errand.STREAM)
        await leader_trades(trial, scene, leader, 4, first=2)

        fills = await trial.fills_of(leader, scene.lots(6))
        assert len({fill.venue_fill_id for fill in fills}) == len(fills)
        # One message lost at most: what comes after it wakes whoever reads the list.
        await _hears(trial, told, scene.lots(5))
        assert {fill.venue_fill_id for fill in told} <= {fill.venue_fill_id for fill in fills}

    @pytest.mark.parametrize("fault", WHOLE_STREAM)
    async def test_a_stream_that_has_died_comes_back_and_tells_what_it_missed(
        self, trial: Trial, fault: Fault
    ) -> None:
        trial.needs(fault)
        scene, leader, told = await _listened(trial)
        await leader_trades(trial, scene, leader, 2)
        await _hears(trial, told, scene.lots(2))

        await trial.inject(fault, Errand.STREAM)
        await leader_trades(trial, scene, leader, 2, first=2)
        await _hears(trial, told, scene.lots(4))
        await leader_trades(trial, scene, leader, 2, first=4)

        await _hears(trial, told, scene.lots(6))
        fills = await trial.fills_of(leader, scene.lots(6))
        assert {fill.venue_fill_id for fill in told} <= {fill.venue_fill_id for fill in fills}

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_a_storm_on_the_stream_hides_and_repeats_nothing_of_the_list(
        self, trial: Trial, seed: int
    ) -> None:
        faults = [fault for fault in ONE_MESSAGE if fault in trial.bench.faults]
        if not faults:
            pytest.skip("the bench cannot inject any fault of a message")
        chance = Random(seed)  # noqa: S311 - a storm is repeated by its seed
        scene, leader, told = await _listened(trial)
        lost = 0

        for number in range(TRADES):
            fault = chance.choice(faults)
            lost += fault is Fault.STREAM_DROP
            await trial.inject(fault, Errand.STREAM)
            await leader_trades(trial, scene, leader, 1, first=number)
        await trial.bench.heal()
        await leader_trades(trial, scene, leader, 2, first=TRADES)

        fills = await trial.fills_of(leader, scene.lots(TRADES + 2))
        assert len({fill.venue_fill_id for fill in fills}) == len(fills)
        await _hears(trial, told, scene.lots(TRADES + 2 - lost))
        _are_as_listed(told, fills)

    async def test_what_is_told_late_or_twice_is_told_as_it_was(self, trial: Trial) -> None:
        trial.needs(Fault.STREAM_DELAY, Fault.STREAM_DUPLICATE)
        scene, leader, told = await _listened(trial)
        await trial.inject(Fault.STREAM_DELAY, Errand.STREAM)
        await leader_trades(trial, scene, leader, 1)
        scene = await trial.scene(percent=1)
        await trial.inject(Fault.STREAM_DUPLICATE, Errand.STREAM)

        await leader_trades(trial, scene, leader, 3, first=1)

        await _hears(trial, told, scene.lots(4))
        _are_as_listed(told, await trial.fills_of(leader, scene.lots(4)))


def _are_as_listed(told: Iterable[LeaderFill], fills: Iterable[LeaderFill]) -> None:
    """Check that whatever was told is in the list, with the same figures."""
    listed = {fill.venue_fill_id: fill for fill in fills}
    for fill in told:
        assert fill.venue_fill_id in listed, f"{fill} is in no list"
        same = listed[fill.venue_fill_id]
        assert (fill.symbol, fill.side, fill.position_side) == (
            same.symbol,
            same.side,
            same.position_side,
        )
        assert (fill.contracts, fill.price, fill.at) == (same.contracts, same.price, same.at)


def _needs_a_stream(trial: Trial) -> None:
    if not trial.venue.capabilities.streams_fills:
        pytest.skip("the venue has no stream of fills")
