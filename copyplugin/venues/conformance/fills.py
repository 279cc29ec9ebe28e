"""The feed of a leader: every fill once and in order, by asking; the stream only wakes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from copyplugin.domain.fill import FillCause, LeaderFill, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import money_total
from copyplugin.ports import TellsFunding, Venue
from copyplugin.venues.conformance.steps import LEVERAGE, Scene, Trial

MORE_THAN_A_PAGE = 120


async def leader_trades(
    trial: Trial, scene: Scene, account: AccountId, count: int, *, first: int = 0
) -> None:
    """Let the leader open and close in turn, one lot at a time, on both sides."""
    for number in range(first, first + count):
        side = list(PositionSide)[number // 2 % 2]
        order_side = side.closing_side if number % 2 else side.opening_side
        await trial.bench.trade(account, scene.instrument.symbol, order_side, side, scene.lot)


class FillConformance:
    async def test_a_fill_says_what_the_leader_did(self, trial: Trial) -> None:
        scene = await trial.scene()
        leader = await trial.trader(scene)
        await leader_trades(trial, scene, leader, 2)

        opened, closed = await trial.fills_of(leader, scene.lots(2))

        for fill, order_side in ((opened, OrderSide.BUY), (closed, OrderSide.SELL)):
            assert fill.account == leader
            assert fill.symbol == scene.instrument.symbol
            assert (fill.side, fill.position_side) == (order_side, PositionSide.LONG)
            assert fill.contracts == scene.lot
            assert fill.cause is FillCause.TRADE
            assert fill.leverage == LEVERAGE
            assert fill.margin_mode is MarginMode.ISOLATED
            assert fill.fee > 0
            assert fill.order_contracts in {None, scene.lot}
        assert (opened.price, closed.price) == (scene.ask, scene.bid)
        assert opened.realized_pnl == 0
        spread = closed.price - opened.price
        assert closed.realized_pnl == scene.instrument.contract_size * scene.lot * spread
        assert opened.contracts_closed in {None, 0}
        assert closed.contracts_closed in {None, scene.lot}
        assert opened.order_id != closed.order_id

    async def test_a_leader_in_one_way_mode_turns_his_position_round(self, trial: Trial) -> None:
        scene = await trial.scene()
        leader = await trial.bench.open_account(
            spot=trial.funds(scene), contract=trial.funds(scene)
        )
        trade, symbol = trial.bench.trade, scene.instrument.symbol
        await trade(leader, symbol, OrderSide.BUY, None, scene.lots(1))
        await trade(leader, symbol, OrderSide.SELL, None, scene.lots(3))

        fills = await trial.fills_of(leader, scene.lots(4))

        assert {fill.position_side for fill in fills} == {None}
        assert fills[0].side is OrderSide.BUY
        sold = [fill for fill in fills if fill.side is OrderSide.SELL]
        assert sum(fill.contracts for fill in sold) == scene.lots(3)
        told = [fill.contracts_closed for fill in sold]
        assert None in told or sum(part or 0 for part in told) == scene.lots(1)
        (position,) = await trial.venue.positions(leader)
        assert (position.position_side, position.contracts) == (PositionSide.SHORT, scene.lots(2))

    async def test_reading_page_by_page_gives_each_fill_once_and_in_order(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene()
        leader = await trial.trader(scene)
        await leader_trades(trial, scene, leader, MORE_THAN_A_PAGE)

        fills = await trial.fills_of(leader, scene.lots(MORE_THAN_A_PAGE))

        assert len({fill.venue_fill_id for fill in fills}) == len(fills)
        assert all(one.at <= next_one.at for one, next_one in pairwise(fills))
        assert _legs_are_possible(fills)
        again = await trial.all_fills(leader, await trial.bench.reopened())
        assert facts(fills) == facts(again)

    async def test_whoever_resumes_after_any_fill_gets_exactly_the_rest(self, trial: Trial) -> None:
        scene = await trial.scene()
        leader = await trial.trader(scene)
        await leader_trades(trial, scene, leader, 6)
        fills = await trial.fills_of(leader, scene.lots(6))
        reopened = await trial.bench.reopened()

        for place, fill in enumerate(fills):
            assert facts(await _rest(trial.venue, leader, fill)) == facts(fills[place + 1 :])
            # Another process may repeat what is known already, never leave anything out.
            known = {each.venue_fill_id for each in fills[: place + 1]}
            rest = await _rest(reopened, leader, fill)
            new = [each for each in rest if each.venue_fill_id not in known]
            assert facts(new) == facts(fills[place + 1 :])

    async def test_fills_that_come_later_are_told_after_the_last_one_known(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene()
        leader = await trial.trader(scene)
        await leader_trades(trial, scene, leader, 2)
        known = list(await trial.fills_of(leader, scene.lots(2)))

        assert not await trial.venue.leader_fills(leader, known[-1].venue_fill_id)
        await leader_trades(trial, scene, leader, 2, first=2)

        more = await trial.eventually(
            lambda: trial.venue.leader_fills(leader, known[-1].venue_fill_id),
            lambda page: sum(fill.contracts for fill in page) == scene.lots(2),
        )
        assert facts([*known, *more]) == facts(await trial.all_fills(leader))

    async def test_each_account_has_its_own_fills(self, trial: Trial) -> None:
        scene = await trial.scene()
        leader, other = await trial.trader(scene), await trial.trader(scene)
        await leader_trades(trial, scene, leader, 2)
        await trial.fills_of(leader, scene.lots(2))

        assert not await trial.venue.leader_fills(other, None)

    async def test_orders_of_ours_are_among_the_fills_of_their_account(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        report = await trial.done(trial.order(account, scene.lots(2)))

        fills = await trial.fills_of(account, scene.lots(2))

        assert {fill.order_id for fill in fills} == {report.venue_order_id}
        assert money_total(*(fill.fee for fill in fills)) == report.fee
        told = {fill.venue_fill_id for fill in report.fills}
        assert {fill.venue_fill_id for fill in fills} == told


class FundingConformance:
    async def test_funding_is_told_once_and_from_when_it_was_asked_for(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(3), side=PositionSide.LONG))
        await trial.done(trial.order(account, scene.lots(1), side=PositionSide.SHORT))
        before = await trial.venue.balance(account)
        rounds = 2
        for _ in range(rounds):
            await trial.bench.pay_funding(scene.instrument.symbol)

        payments = await trial.eventually(
            lambda: trial.venue.funding(account, None),
            lambda known: len(known) >= rounds * len(PositionSide),
        )

        assert len({payment.venue_payment_id for payment in payments}) == len(payments)
        assert [payment.at for payment in payments] == sorted(p.at for p in payments)
        first, last = payments[0].at, payments[-1].at
        assert first < last
        of_first = {p.position_side: p.payment for p in payments if p.at == first}
        assert of_first[PositionSide.LONG] * of_first[PositionSide.SHORT] < 0
        paid = money_total(*(payment.payment for payment in payments))
        after = await trial.venue.balance(account)
        assert after.contract_wallet == before.contract_wallet - paid
        later = await trial.venue.funding(account, last)
        assert list(later) == [payment for payment in payments if payment.at >= last]

    async def test_what_funding_will_cost_is_told_before_it_is_due(self, trial: Trial) -> None:
        scene = await trial.scene()
        venue = trial.venue
        if not isinstance(venue, TellsFunding):
            pytest.skip("this venue does not tell beforehand what funding will cost")
        terms = (await venue.funding_terms()).get(scene.instrument.symbol)
        if terms is None:
            pytest.skip(f"this venue tells nothing of the funding of {scene.instrument.symbol}")
        report = await trial.done(trial.order(await trial.trader(scene), scene.lots(1)))

        assert -1 < terms.rate < 1
        assert terms.next_at > max(fill.at for fill in report.fills)


def facts(fills: Iterable[LeaderFill]) -> list[LeaderFill]:
    """Return fills without the balance after them, which a venue may tell only at the time."""
    return [replace(fill, available_after=None, initial_margin=None) for fill in fills]


async def _rest(venue: Venue, account: AccountId, last: LeaderFill) -> list[LeaderFill]:
    """Return all fills after that one, page by page."""
    rest: list[LeaderFill] = []
    while page := await venue.leader_fills(account, (rest[-1] if rest else last).venue_fill_id):
        rest.extend(page)
    return rest


def _legs_are_possible(fills: Sequence[LeaderFill]) -> bool:
    """Return whether no leg ever closes more than it holds when read in this order."""
    held = dict.fromkeys(PositionSide, 0)
    for fill in fills:
        side = fill.position_side
        assert side is not None
        is_opening = fill.side is side.opening_side
        held[side] += fill.contracts if is_opening else -fill.contracts
        if held[side] < 0:
            return False
    return True
