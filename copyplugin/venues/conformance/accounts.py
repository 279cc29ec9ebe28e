"""Accounts: what is traded, whose account is whose, settings, money and the ways it moves."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import MONEY_STEP, Money, Ratio
from copyplugin.errors import OrderRejected, RequestRejected, TransferRejected
from copyplugin.ports import MovesMoney
from copyplugin.venues.conformance.steps import LEVERAGE, Trial

RICH = Money(Decimal("1234.56789"))
NOTHING = Money(Decimal(0))


class AccountConformance:
    async def test_what_is_traded_has_a_grid_limits_and_fees(self, trial: Trial) -> None:
        scene = await trial.scene()

        instrument = (await trial.venue.instruments())[trial.bench.symbol]

        assert instrument == scene.instrument
        assert instrument.symbol == trial.bench.symbol
        assert instrument.settle == "USDT"
        assert instrument.round_price_down(scene.mark) == scene.mark
        assert -1 < instrument.maker_fee <= instrument.taker_fee < 1

    async def test_the_mark_price_follows_the_market(self, trial: Trial) -> None:
        scene = await trial.scene(percent=3)

        marks = await trial.eventually(
            trial.venue.marks, lambda known: known[trial.bench.symbol] == scene.mark
        )

        assert set(marks) <= set(await trial.venue.instruments())

    async def test_the_depth_is_what_rests_within_the_bound(self, trial: Trial) -> None:
        scene = await trial.scene()
        count = scene.lots(7)
        await trial.bench.quote(trial.bench.symbol, bid=scene.bid, ask=scene.ask, contracts=count)

        depth = await trial.venue.depth(trial.bench.symbol, Ratio(Decimal("0.01")))

        assert depth.buy == scene.instrument.notional(count, scene.ask)
        assert depth.sell == scene.instrument.notional(count, scene.bid)

    async def test_an_account_is_known_by_its_uid(self, trial: Trial) -> None:
        account = await trial.bench.open_account(spot=RICH, contract=RICH)

        assert await trial.venue.knows_account(account)
        assert not await trial.venue.knows_account(AccountId("nobody"))

    async def test_a_new_account_has_what_was_paid_in_and_no_position(self, trial: Trial) -> None:
        account = await trial.bench.open_account(spot=RICH, contract=Money(RICH * 2))

        balance = await trial.venue.balance(account)

        assert balance.spot_available == RICH
        assert balance.contract_wallet == RICH * 2
        assert balance.contract_available == RICH * 2
        assert balance.equity == RICH * 2
        assert not await trial.venue.positions(account)
        assert not await trial.venue.leader_fills(account, None)
        assert not await trial.venue.funding(account, None)

    async def test_a_position_ties_up_money_and_the_mark_moves_equity(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(4)))
        await trial.holds(account, scene.lots(4))
        before = await trial.venue.balance(account)

        raised = await trial.scene(percent=2)

        gain = scene.instrument.notional(scene.lots(4), raised.mark) - scene.instrument.notional(
            scene.lots(4), scene.ask
        )
        after = await trial.eventually(
            lambda: trial.venue.balance(account),
            lambda balance: balance.equity == before.contract_wallet + gain,
        )
        (position,) = await trial.venue.positions(account)
        assert after.contract_wallet == before.contract_wallet
        assert after.contract_available < before.contract_wallet
        assert position.unrealized_pnl == gain

    async def test_settings_that_are_so_already_are_no_error(self, trial: Trial) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        for _ in range(2):
            await trial.venue.set_hedge_mode(account)
            await trial.venue.configure(
                account, scene.instrument.symbol, LEVERAGE, MarginMode.ISOLATED
            )

    @pytest.mark.parametrize("margin_mode", list(MarginMode))
    @pytest.mark.parametrize("leverage", [3, 10])
    async def test_a_position_has_the_leverage_and_margin_mode_it_was_given(
        self, trial: Trial, margin_mode: MarginMode, leverage: int
    ) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.venue.configure(
            account, scene.instrument.symbol, Ratio(Decimal(leverage)), margin_mode
        )
        for side in PositionSide:
            await trial.done(trial.order(account, scene.lots(1), side=side))
            await trial.holds(account, scene.lots(1), side)

        positions = await trial.venue.positions(account)

        assert {position.leverage for position in positions} == {leverage}
        assert {position.margin_mode for position in positions} == {margin_mode}

    async def test_margin_is_added_to_a_position_and_taken_out_again(self, trial: Trial) -> None:
        if not trial.venue.capabilities.adjusts_margin:
            pytest.skip("the venue adjusts no margin")
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(4)))
        await trial.holds(account, scene.lots(4))
        (before,) = await trial.venue.positions(account)
        assert before.liquidation_price is not None
        added = Decimal(0)

        for step in (Decimal(12), Decimal(-6)):
            await trial.venue.adjust_margin(
                account, scene.instrument.symbol, PositionSide.LONG, Money(step)
            )
            added += step
            (after,) = await trial.eventually(
                lambda: trial.venue.positions(account),
                lambda held, wanted=before.margin + added: held[0].margin == wanted,
            )
            assert after.contracts == before.contracts
            assert after.liquidation_price is not None
            assert after.liquidation_price < before.liquidation_price

    async def test_margin_that_is_not_there_or_not_free_is_refused(self, trial: Trial) -> None:
        if not trial.venue.capabilities.adjusts_margin:
            pytest.skip("the venue adjusts no margin")
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(4)))
        await trial.holds(account, scene.lots(4))
        (before,) = await trial.venue.positions(account)
        balance = await trial.venue.balance(account)
        too_much = (Money(balance.contract_available + 1), Money(-before.margin))

        for money in too_much:
            with pytest.raises(OrderRejected):
                await trial.venue.adjust_margin(
                    account, scene.instrument.symbol, PositionSide.LONG, money
                )

        assert list(await trial.venue.positions(account)) == [before]

    @pytest.mark.parametrize("leverage", ["0.5", "100000"])
    async def test_an_impossible_leverage_is_refused(self, trial: Trial, leverage: str) -> None:
        scene = await trial.scene()
        account = await trial.trader(scene)

        with pytest.raises(RequestRejected):
            await trial.venue.configure(
                account, scene.instrument.symbol, Ratio(Decimal(leverage)), MarginMode.ISOLATED
            )

    async def test_a_sub_account_is_its_owners_and_has_one_label(self, trial: Trial) -> None:
        _needs_sub_accounts(trial)
        owner = await trial.bench.open_account(spot=RICH, contract=NOTHING)
        other_owner = await trial.bench.open_account(spot=RICH, contract=NOTHING)

        first = await trial.venue.open_sub_account(owner, "follow-1")

        assert await trial.venue.open_sub_account(owner, "follow-1") == first
        reopened = await trial.bench.reopened()
        assert await reopened.open_sub_account(owner, "follow-1") == first
        others = {
            await trial.venue.open_sub_account(owner, "follow-2"),
            await trial.venue.open_sub_account(other_owner, "follow-1"),
        }
        assert len(others) > 1
        assert not others & {first, owner, other_owner}
        assert await trial.venue.knows_account(first)
        assert (await trial.venue.balance(first)).equity == 0

    async def test_a_sub_account_trades_like_any_other(self, trial: Trial) -> None:
        _needs_sub_accounts(trial)
        _needs_transfers(trial)
        scene = await trial.scene()
        funds = trial.funds(scene)
        owner = await trial.bench.open_account(spot=funds, contract=NOTHING)
        sub = await trial.venue.open_sub_account(owner, "follow-1")
        await trial.venue.transfer(funding_of(trial, owner, sub, funds))
        await trial.venue.set_hedge_mode(sub)
        await trial.venue.configure(sub, scene.instrument.symbol, LEVERAGE, MarginMode.ISOLATED)

        report = await trial.done(trial.order(sub, scene.lots(2)))

        assert report.filled == scene.lots(2)
        await trial.holds(sub, scene.lots(2))
        assert not await trial.venue.positions(owner)


class TransferConformance:
    async def test_a_transfer_moves_money_exactly(self, trial: Trial) -> None:
        owner, sub = await family(trial)
        money = Money(Decimal("100.12345678"))

        await trial.venue.transfer(funding_of(trial, owner, sub, money))

        await has(trial, owner, spot=Money(RICH - money), contract=None)
        await has(trial, sub, spot=None, contract=money)
        await trial.venue.transfer(
            TransferRequest(
                transfer_id=trial.next_transfer_id(),
                from_account=sub,
                from_wallet=Wallet.CONTRACT,
                to_account=owner,
                to_wallet=Wallet.SPOT,
                money=money,
            )
        )
        await has(trial, owner, spot=RICH, contract=None)
        await has(trial, sub, spot=None, contract=NOTHING)

    async def test_the_smallest_unit_can_be_moved(self, trial: Trial) -> None:
        owner, sub = await family(trial)

        await trial.venue.transfer(funding_of(trial, owner, sub, Money(MONEY_STEP)))

        await has(trial, sub, spot=None, contract=Money(MONEY_STEP))

    async def test_a_transfer_repeated_under_its_id_moves_money_once(self, trial: Trial) -> None:
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(Decimal(10)))

        for venue in (trial.venue, trial.venue, await trial.bench.reopened()):
            await venue.transfer(request)

        await has(trial, owner, spot=Money(RICH - 10), contract=None)
        await has(trial, sub, spot=None, contract=Money(Decimal(10)))

    async def test_the_outcome_of_a_transfer_is_known_to_whoever_asks(self, trial: Trial) -> None:
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(Decimal(10)))
        asked = trial.venue.transfer_outcome

        # While one that is missing may still be on its way, the question has no answer.
        unknown = TransferOutcome.UNKNOWN_TO_VENUE
        assert await trial.surely(lambda: asked(request)) is unknown
        await trial.venue.transfer(request)

        assert await asked(request) is TransferOutcome.DONE
        reopened = await trial.bench.reopened()
        assert await reopened.transfer_outcome(request) is TransferOutcome.DONE
        never = replace(request, transfer_id=trial.next_transfer_id())
        assert await trial.surely(lambda: reopened.transfer_outcome(never)) is unknown

    async def test_money_that_is_not_there_is_not_moved(self, trial: Trial) -> None:
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(RICH + 1))

        with pytest.raises(TransferRejected):
            await trial.venue.transfer(request)

        outcome = await trial.surely(lambda: trial.venue.transfer_outcome(request))
        assert outcome is TransferOutcome.UNKNOWN_TO_VENUE
        await has(trial, owner, spot=RICH, contract=None)
        await has(trial, sub, spot=None, contract=NOTHING)

    async def test_money_between_the_wallets_of_one_account_moves_too(self, trial: Trial) -> None:
        owner, _ = await family(trial)

        await trial.venue.transfer(funding_of(trial, owner, owner, Money(Decimal(7))))

        await has(trial, owner, spot=None, contract=Money(Decimal(7)))
        await has(trial, owner, spot=Money(RICH - 7), contract=None)


def funding_of(trial: Trial, owner: AccountId, sub: AccountId, money: Money) -> TransferRequest:
    """Return a new transfer from the owner's spot wallet to the contract wallet."""
    return TransferRequest(
        transfer_id=trial.next_transfer_id(),
        from_account=owner,
        from_wallet=Wallet.SPOT,
        to_account=sub,
        to_wallet=Wallet.CONTRACT,
        money=money,
    )


async def family(trial: Trial) -> tuple[AccountId, AccountId]:
    """Return an owner with spot money and a sub-account of his without any."""
    _needs_transfers(trial)
    _needs_sub_accounts(trial)
    owner = await trial.bench.open_account(spot=RICH, contract=NOTHING)
    return owner, await trial.venue.open_sub_account(owner, "follow-1")


async def has(
    trial: Trial, account: AccountId, *, spot: Money | None, contract: Money | None
) -> None:
    """Wait until the account has that much in its wallets; None: whatever it has."""

    async def ask() -> tuple[Money, Money]:
        balance = await trial.venue.balance(account)
        return balance.spot_available, balance.contract_available

    await trial.eventually(
        ask, lambda found: spot in {None, found[0]} and contract in {None, found[1]}
    )


def _needs_transfers(trial: Trial) -> None:
    if trial.venue.capabilities.moves_money is MovesMoney.NONE:
        pytest.skip("the venue moves no money for us")


def _needs_sub_accounts(trial: Trial) -> None:
    if not trial.venue.capabilities.opens_sub_accounts:
        pytest.skip("the venue opens no sub-accounts")
