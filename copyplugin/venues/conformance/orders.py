"""Orders: filled to the last unit, refused with the right error, sent once whatever happens."""

from dataclasses import replace

import pytest

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.money import MONEY_STEP, Money, money_total, product, total
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.venues.conformance.steps import Scene, Trial

SIDES = pytest.mark.parametrize("side", list(PositionSide))


def assert_adds_up(report: OrderReport, scene: Scene) -> None:
    """Check that a report is the sum of its fills, exactly."""
    notional = scene.instrument.notional
    assert sum(fill.contracts for fill in report.fills) == report.filled
    assert report.filled_value == total(
        *(notional(fill.contracts, fill.price) for fill in report.fills)
    )
    assert report.fee == money_total(*(fill.fee for fill in report.fills))
    assert report.realized_pnl == money_total(*(fill.realized_pnl for fill in report.fills))
    assert len({fill.venue_fill_id for fill in report.fills}) == len(report.fills)
    assert all(fill.at.utcoffset() is not None for fill in report.fills)


class OrderConformance:
    @SIDES
    async def test_a_market_order_fills_at_what_is_offered(
        self, trial: Trial, side: PositionSide
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(3), side=side)

        report = await trial.done(request)

        assert report.client_order_id == request.client_order_id
        assert report.filled == scene.lots(3)
        assert {fill.price for fill in report.fills} == {scene.price_for(side)}
        assert_adds_up(report, scene)

    @SIDES
    async def test_a_position_is_what_was_filled(self, trial: Trial, side: PositionSide) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        filled = (await trial.done(trial.order(account, scene.lots(3), side=side))).filled_value
        await trial.holds(account, scene.lots(3), side)

        (position,) = await trial.venue.positions(account)

        assert position.symbol == scene.instrument.symbol
        assert position.position_side is side
        assert position.entry_cost == filled
        assert position.average_entry_price == scene.price_for(side)
        assert position.margin > 0
        assert position.liquidation_price is not None
        is_below = position.liquidation_price < scene.mark
        assert is_below is (side is PositionSide.LONG)

    @SIDES
    async def test_a_position_closed_in_parts_earns_what_its_fills_say(
        self, trial: Trial, side: PositionSide
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        before = await trial.venue.balance(account)
        opened = await trial.done(trial.order(account, scene.lots(5), side=side))
        reports = [opened]
        for percent, lots in ((1, 2), (-2, 3)):
            await trial.scene(percent=percent)
            closing = trial.order(account, scene.lots(lots), side=side, closing=True)
            reports.append(await trial.done(closing))
        await trial.holds(account, 0, side)

        earned = money_total(*(report.realized_pnl for report in reports))
        paid = money_total(*(report.fee for report in reports))
        bought = total(*(r.filled_value for r in reports[1:])) - opened.filled_value
        assert earned == (bought if side is PositionSide.LONG else -bought)
        after = await trial.eventually(
            lambda: trial.venue.balance(account), lambda balance: balance.contract_available > 0
        )
        assert after.contract_wallet == money_total(before.contract_wallet, earned, Money(-paid))
        assert after.equity == after.contract_wallet

    async def test_the_fee_is_the_one_that_the_instrument_states(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        report = await trial.done(trial.order(account, scene.lots(3)))

        stated = product(report.filled_value, scene.instrument.taker_fee)
        assert abs(report.fee - stated) <= MONEY_STEP * len(report.fills)

    async def test_long_and_short_are_held_apart(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(4), side=PositionSide.LONG))
        await trial.done(trial.order(account, scene.lots(2), side=PositionSide.SHORT))

        await trial.done(trial.order(account, scene.lots(1), side=PositionSide.LONG, closing=True))

        await trial.holds(account, scene.lots(3), PositionSide.LONG)
        await trial.holds(account, scene.lots(2), PositionSide.SHORT)

    async def test_an_order_bounded_in_price_takes_no_worse_one(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        report = await trial.done(trial.order(account, scene.lots(2), limit_price=scene.bid))

        assert (report.filled, report.fills, report.fee) == (0, (), 0)
        assert report.reason
        assert await trial.held(account) == 0

    async def test_an_order_that_finds_less_than_it_wants_ends_with_what_it_got(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene(lots=2)
        account = await trial.trader(scene)

        report = await trial.done(trial.order(account, scene.lots(3), limit_price=scene.ask))

        assert report.filled == scene.lots(2)
        assert report.reason
        assert_adds_up(report, scene)
        await trial.holds(account, scene.lots(2))

    async def test_an_order_is_found_by_its_id_after_it_has_ended(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2))
        placed = await trial.done(request)

        found = await trial.ended(request)
        reopened = await trial.bench.reopened()
        found_later = await reopened.find_order(account, request.symbol, request.client_order_id)

        assert found == placed
        assert found_later == placed

    async def test_an_order_that_never_arrived_is_not_found(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        assert await trial.found(trial.order(account, scene.lots(1))) is None

    async def test_an_order_is_found_in_its_own_account_only(self, trial: Trial) -> None:
        scene = await trial.scene()
        account, other = await trial.trader(scene), await trial.trader(scene)
        request = trial.order(account, scene.lots(1))
        await trial.done(request)

        found = await trial.found(replace(request, account=other))

        assert found is None
        assert await trial.held(other) == 0

    async def test_an_id_used_again_executes_nothing_and_is_never_a_rejection(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2))
        placed = await trial.done(request)

        try:
            again: OrderReport | None = await trial.venue.place_order(request)
        except OutcomeUnknown:
            again = None

        assert again is None or again.venue_order_id == placed.venue_order_id
        assert await trial.ended(request) == placed
        assert await trial.held(account) == scene.lots(2)


class RefusalConformance:
    """What the venue certainly refuses is an `OrderRejected`, and nothing has happened."""

    async def _refused(self, trial: Trial, request: OrderRequest) -> OrderRejected:
        before = await trial.venue.balance(request.account)
        with pytest.raises(OrderRejected) as caught:
            await trial.venue.place_order(request)
        assert caught.value.reason
        assert caught.value.sentence
        assert await trial.venue.balance(request.account) == before
        assert await trial.held(request.account, request.position_side) == 0
        return caught.value

    async def test_a_reducing_order_without_a_position_is_rejected(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        await self._refused(trial, trial.order(account, scene.lots(1), closing=True))

    async def test_an_order_that_the_money_does_not_carry_is_rejected(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        await self._refused(trial, trial.order(account, scene.lots(300)))

    async def test_an_order_for_something_not_traded_is_rejected(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(1))

        await self._refused(trial, replace(request, symbol=Symbol("NOSUCHTHING")))

    async def test_an_order_worth_too_little_is_rejected(self, trial: Trial) -> None:
        scene = await trial.scene()
        smallest = scene.instrument.smallest_order(scene.mark)
        if smallest == 1:
            pytest.skip("one contract may be ordered alone")
        account = await trial.trader(scene)

        await self._refused(trial, trial.order(account, smallest - 1))

    async def test_an_order_rejected_once_may_be_sent_under_its_id_again(
        self, trial: Trial
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2), closing=True)
        await self._refused(trial, request)
        await trial.done(trial.order(account, scene.lots(2)))

        try:
            report = await trial.done(request)
        except OrderRejected:
            await trial.holds(account, scene.lots(2))
        else:
            assert report.status is OrderStatus.DONE
            await trial.holds(account, 0)
