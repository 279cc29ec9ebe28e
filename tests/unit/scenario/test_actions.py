"""Each verb of a scenario becomes the commands of the core that it stands for."""

import pytest

from simexchange.core.commands import (
    AdjustMargin,
    AmendOrder,
    AmendPlanOrder,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Deposit,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
    SetFeeTier,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
    SkipFunding,
    Transfer,
    Withdraw,
)
from simexchange.core.types import (
    HOUR_US,
    MONEY_SCALE,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)
from simexchange.scenario.actions import ACTIONS
from simexchange.scenario.model import Act
from simexchange.scenario.parser import parse_scenario

BTC, ETH, ALICE, BOB = "BTCUSDT", "ETHUSDT", 1, 2
START = 1_767_225_600_000_000  # 2026-01-01 00:00:00
HEAD = """\
scenario: verbs
instruments:
  BTCUSDT: {tick: 0.1, face: 0.001}
  ETHUSDT: {tick: 0.01, face: 0.01}
accounts: {alice: {}, bob: {owner: alice}}
steps:
  - buy: {account: alice, symbol: BTCUSDT, contracts: 1, name: old}
"""

TABLE = [
    # orders
    (
        "buy: {account: alice, symbol: BTCUSDT, contracts: 3}",
        PlaceOrder(ALICE, BTC, Side.BUY, 3, OrderKind.MARKET),
    ),
    (
        (
            "sell: {account: bob, symbol: ETHUSDT, base: 0.05, price: 3000.01, time_in_force: fok, "
            "reduce_only: yes, position_side: short, name: x, self_trade_prevention: cancel_both}"
        ),
        PlaceOrder(
            BOB,
            ETH,
            Side.SELL,
            5,
            OrderKind.LIMIT,
            300_001,
            TimeInForce.FOK,
            reduce_only=True,
            position_side=PositionSide.SHORT,
            client_order_id="x",
            self_trade_prevention=SelfTradePrevention.BOTH,
        ),
    ),
    (
        "amend: {account: alice, symbol: BTCUSDT, name: old, price: 65000, base: 0.002}",
        AmendOrder(ALICE, BTC, client_order_id="old", price=650_000, contracts=2),
    ),
    (
        "cancel: {account: alice, symbol: BTCUSDT, name: old}",
        CancelOrder(ALICE, BTC, client_order_id="old"),
    ),
    ("cancel_all: {account: alice}", CancelAll(ALICE)),
    ("cancel_all: {account: alice, symbol: ETHUSDT}", CancelAll(ALICE, ETH)),
    # plan orders
    (
        (
            "plan: {account: alice, symbol: BTCUSDT, side: sell, contracts: 2, trigger: 60000, "
            "trigger_by: index, direction: falls, price: 59000, time_in_force: ioc, group: g}"
        ),
        PlacePlanOrder(
            ALICE,
            BTC,
            Side.SELL,
            2,
            600_000,
            TriggerBy.INDEX,
            TriggerDirection.FALLS,
            OrderKind.LIMIT,
            590_000,
            TimeInForce.IOC,
            group="g",
        ),
    ),
    (
        (
            "plan: {account: alice, symbol: BTCUSDT, side: buy, close_position: yes, "
            "attached: yes, trail: 1%, activation: 60000, expires_after: 1h, position_side: short, "
            "name: p, reduce_only: yes, refuse_if_through: yes}"
        ),
        PlacePlanOrder(
            ALICE,
            BTC,
            Side.BUY,
            0,
            0,
            client_order_id="p",
            close_position=True,
            attached=True,
            callback_rate=1_000_000,
            activation_price=600_000,
            expires_at=START + HOUR_US,
            position_side=PositionSide.SHORT,
            reduce_only=True,
            refuse_if_through=True,
        ),
    ),
    (
        (
            "amend_plan: {account: alice, symbol: BTCUSDT, name: old, trigger: 1, price: 2, "
            "base: 0.003}"
        ),
        AmendPlanOrder(ALICE, BTC, client_order_id="old", trigger_price=10, price=20, contracts=3),
    ),
    (
        "cancel_plan: {account: alice, symbol: BTCUSDT, name: old}",
        CancelPlanOrder(ALICE, BTC, client_order_id="old"),
    ),
    # money
    ("deposit: {account: alice, amount: 1.5}", Deposit(ALICE, Wallet.CONTRACT, 150_000_000)),
    (
        "withdraw: {account: alice, amount: 2, wallet: spot}",
        Withdraw(ALICE, Wallet.SPOT, 200_000_000),
    ),
    (
        "transfer: {from: alice, to: bob, amount: 1, from_wallet: spot, id: a}",
        Transfer(ALICE, Wallet.SPOT, BOB, Wallet.CONTRACT, 100_000_000, "a"),
    ),
    (
        "transfer: {from: alice, to: bob, amount: 1}",
        Transfer(ALICE, Wallet.CONTRACT, BOB, Wallet.CONTRACT, 100_000_000, "transfer 1"),
    ),
    # settings
    (
        "leverage: {account: alice, symbol: BTCUSDT, leverage: 20, position_side: long}",
        SetLeverage(ALICE, BTC, 20, PositionSide.LONG),
    ),
    (
        "margin_mode: {account: alice, symbol: BTCUSDT, mode: cross}",
        SetMarginMode(ALICE, BTC, MarginMode.CROSS),
    ),
    ("position_mode: {account: alice, mode: hedge}", SetPositionMode(ALICE, PositionMode.HEDGE)),
    (
        "adjust_margin: {account: alice, symbol: BTCUSDT, amount: -0.5}",
        AdjustMargin(ALICE, BTC, PositionSide.NET, -50_000_000),
    ),
    ("fee_tier: {account: alice, maker_fee: -0.01%}", SetFeeTier(ALICE, -10_000, None)),
    # prices and funding
    ("mark: {BTCUSDT: 65000.1}", SetMark(BTC, 650_001)),
    ("mark: {BTCUSDT: formula}", SetMark(BTC, None)),
    ("index: {ETHUSDT: 3000.01}", SetIndex(ETH, 300_001)),
    ("index: {ETHUSDT: [3000, 3001, 9000]}", SetIndexSources(ETH, (300_000, 300_100, 900_000))),
    ("funding_rate: {BTCUSDT: 0.01%}", SetFundingRate(BTC, 10_000)),
    ("funding_rate: {BTCUSDT: formula}", SetFundingRate(BTC, None)),
    ("funding_interval: {BTCUSDT: 1h}", SetFundingInterval(BTC, HOUR_US)),
    # faults
    ("skip_funding: BTCUSDT", SkipFunding(BTC)),
    ("reject_next: {account: alice}", ForceReject(ALICE, "order", 1)),
    ("reject_next: {account: alice, what: fire, count: 3}", ForceReject(ALICE, "fire", 3)),
]


def last_act(step):
    act = parse_scenario(f"{HEAD}  - {step}\n", "a.scenario.yaml").steps[-1]
    assert isinstance(act, Act)
    return act


@pytest.mark.parametrize(("step", "command"), TABLE)
def test_a_verb_becomes_its_command(step, command):
    assert last_act(step).commands == (command,)


def test_every_verb_is_in_the_table():
    told = {step.split(":")[0] for step, _ in TABLE}

    assert set(ACTIONS) - told == {"note", "quote"}


def test_a_note_does_nothing():
    assert last_act("note: hello").commands == ()


def test_a_quote_takes_the_place_of_all_that_the_account_quoted_before():
    act = last_act("quote: {account: bob, symbol: BTCUSDT, around: 1, contracts: 2, step: 0.5}")

    cancel, *orders = act.commands
    assert cancel == CancelAll(BOB, BTC)
    assert [(order.side, order.price) for order in orders[:3]] == [
        (Side.BUY, 5),
        (Side.SELL, 15),
        (Side.SELL, 20),  # a bid at 0 is left out
    ]
    assert len([order for order in orders if order.side is Side.SELL]) == 10
    assert all(order.contracts == 2 for order in orders)
    assert all(order.time_in_force is TimeInForce.POST_ONLY for order in orders)


def test_the_deductions_of_tiers_make_maintenance_margin_continuous():
    scenario = parse_scenario(
        "scenario: x\ninstruments: {BTCUSDT: {tick: 0.1, face: 0.001, tiers: ["
        "{from: 0, maintenance: 0.4%, maximum_leverage: 125},"
        "{from: 50000, maintenance: 0.5%, maximum_leverage: 100},"
        "{from: 250000, maintenance: 1%, maximum_leverage: 50}]}}\nsteps: []\n",
        "a.scenario.yaml",
    )

    tiers = scenario.names.instruments["BTCUSDT"].tiers
    assert [tier.deduction // MONEY_SCALE for tier in tiers] == [0, 50, 1_300]
    assert scenario.names.instruments["BTCUSDT"].max_leverage == 125
