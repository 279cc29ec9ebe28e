"""The stream of fills: it wakes in time, and nothing that befalls it loses or repeats a fill."""

import pytest

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.fills import leader_trades
from copyplugin.venues.conformance.steps import Scene, Trial

ONE_MESSAGE = [Fault.STREAM_DROP, Fault.STREAM_DUPLICATE, Fault.STREAM_REORDER]
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


def _needs_a_stream(trial: Trial) -> None:
    if not trial.venue.capabilities.streams_fills:
        pytest.skip("the venue has no stream of fills")
