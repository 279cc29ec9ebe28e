"""Invariants 1 to 15 by their numbers, each over streams that mix everything the exchange can do.

What each says stands in `simexchange.campaign.witness.INVARIANTS`. A witness adds up the events and
looks at the exchange; that each of its laws can fail is shown by a run in which one event is told
wrong. `simexchange campaign` runs the same over as many commands as wanted.
"""

from fractions import Fraction

import msgspec
import pytest

from simexchange import rules
from simexchange.campaign.drain import drain
from simexchange.campaign.instruments import TIERS
from simexchange.campaign.stream import Stream, fund_of
from simexchange.campaign.witness import INVARIANTS, Witness
from simexchange.core import events as e
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.margin import maintenance_margin
from simexchange.core.types import RATE_SCALE, MarginMode, PositionSide
from tests.laws.core.command_streams import make_run
from tests.laws.core_and_rules.held import tier_table

SEEDS = range(1, 7)
COMMANDS = 700


def run(seed, falsify=None, commands=COMMANDS):
    """Return the stream after a run that a witness saw; `falsify` may change what it is told."""
    stream = Stream(seed, Exchange(ExchangeConfig(check_every=10, insurance_fund=fund_of(seed))))
    witness = Witness(stream.exchange)

    def see(command, events):
        witness.see(command, events if falsify is None else falsify(events))

    stream.listeners.append(see)
    stream.set_up()
    while len(stream.log) < commands:
        stream.step()
    witness.look()
    return stream


def once(kind, wanted=lambda _: True, **changes):
    """Return a falsifier of the first event of a kind that is wanted; None takes it away."""
    done = []

    def falsify(events):
        told = []
        for event in events:
            if not done and isinstance(event, kind) and wanted(event):
                done.append(event)
                if changes:
                    values = {name: change(event) for name, change in changes.items()}
                    told.append(msgspec.structs.replace(event, **values))
            else:
                told.append(event)
        return told

    return falsify


FALSE = {
    1: once(e.Deposited, money=lambda d: d.money + 1),
    2: once(e.Filled, lambda f: f.closed_contracts == 0),
    3: once(e.FundingSettled, residue=lambda s: s.residue + 1),
    4: once(e.Filled, lambda f: f.realized_pnl < 0, realized_pnl=lambda _: 0),
    5: once(e.FundingPaid, account=lambda p: p.account + 1),
    6: once(e.Deleveraged, rank=lambda d: d.rank + 1),
    7: once(e.Filled, contracts=lambda f: f.contracts + 1),
    8: once(e.OrderCancelled, lambda c: c.remaining > 1, remaining=lambda c: c.remaining - 1),
    9: once(
        e.Filled,
        lambda f: 0 < f.closed_contracts == f.contracts and f.position_contracts,
        entry_cost=lambda f: f.entry_cost + 10**9,
    ),
    11: once(e.OrderAccepted, lambda o: not o.reduce_only, reduce_only=lambda _: True),
    13: once(e.PositionLiquidated, contracts=lambda p: p.contracts + 1),
    14: once(e.Transferred, lambda t: not t.repeated, money=lambda t: t.money + 1),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_1_to_9_and_11_to_14_hold_over_a_stream_of_everything(seed):
    """1 money, 2 open interest, 3 funding, 4 wallets, 5 bystanders, 6 deleveraging, 7 the book,
    8 orders, 9 positions, 11 reduce-only, 12 prices, 13 liquidation, 14 transfers."""
    assert run(seed).exchange.positions(1) is not None


@pytest.mark.parametrize("number", FALSE)
def test_an_event_that_is_told_wrong_breaks_the_invariants(number):
    """Every law of the witness can fail: the first event of its kind in some seed is changed."""
    broken = []
    for seed in SEEDS:
        try:
            run(seed, FALSE[number], commands=2_000)
        except AssertionError as error:
            broken.append(str(error))
            break
    assert broken, f"nobody noticed: {INVARIANTS[number]}"
    assert broken[0].startswith("invariant ")


@pytest.mark.parametrize("seed", SEEDS)
def test_invariant_10_a_drained_exchange_holds_nothing_back(seed):
    stream = run(seed)

    drain(stream)


def test_invariant_12_maintenance_margin_does_not_jump_where_tiers_meet():
    table = tier_table(TIERS)
    for tier in TIERS[1:]:
        below, at = (maintenance_margin(TIERS, tier.floor + step) for step in (-1, 0))
        assert at - below <= 1
        edge = Fraction(rules.exact(table.maintenance_margin(Fraction(tier.floor, 10**8))))
        assert at == -(-edge * 10**8 // 1)
        lower = TIERS[TIERS.index(tier) - 1]
        assert tier.floor * lower.maintenance_rate // RATE_SCALE - lower.deduction == at


def test_invariant_12_a_price_that_is_reported_wrong_is_noticed():
    stream = run(2)
    witness = Witness(stream.exchange)
    views = [
        view
        for number in stream.exchange.accounts
        for view in stream.exchange.positions(number)
        if view.margin_mode is MarginMode.ISOLATED and view.liquidation_price is not None
    ]
    assert views
    for view in views:
        long = view.contracts > 0 and view.position_side is not PositionSide.SHORT
        mark = stream.exchange.mark_price(view.symbol)
        wrong = msgspec.structs.replace(view, liquidation_price=mark + (5 if long else -5))
        with pytest.raises(AssertionError, match=r"^invariant 12 "):
            witness._look_at_position(wrong)


def test_invariant_15_a_run_is_the_same_bytes_again_and_after_a_stop():
    first, second = make_run(9, 400), make_run(9, 400)
    assert first.exchange.event_hash == second.exchange.event_hash
    assert first.exchange.state_hash() == second.exchange.state_hash()

    again = Exchange(first.exchange.config)
    for command, at in first.log:
        again.apply(command, at)

    assert again.event_hash == first.exchange.event_hash


def test_every_invariant_has_its_law():
    here = {number for number in INVARIANTS if number in FALSE}
    assert here | {10, 12, 15} == set(INVARIANTS) == set(range(1, 16))
