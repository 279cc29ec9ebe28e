"""Recorded candles and trades in scenario files and as a tape between other people's orders."""

from decimal import Decimal
from pathlib import Path
from textwrap import dedent, indent

import pytest

from simexchange.clock import ManualClock
from simexchange.core.commands import Deposit, ListInstrument, OpenAccount, PlaceOrder
from simexchange.core.events import Filled
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, Liquidity, OrderKind, Side, Wallet
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.l2 import CaptureError
from simexchange.market.tape import RecordedTrade, TapeIndex, TapePlayer, read_trades
from simexchange.scenario.parser import parse_scenario
from simexchange.scenario.problem import ScenarioError
from simexchange.scenario.runner import Runner
from simexchange.simulation import Simulation

DATA = Path(__file__).parents[4] / "shared/data"
KLINES = DATA / "klines"
CAPTURE = DATA / "l2_book/btcusdt_20240808.gz"
needs_klines = pytest.mark.skipif(not KLINES.exists(), reason=f"no recorded candles at {KLINES}")
needs_capture = pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded trades at {CAPTURE}")
SECOND = 1_000_000
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
ACCOUNTS = """
    accounts:
      maker: {deposit: 1000000000}
      taker: {deposit: 1000000000}
      alice: {deposit: 100000}
"""


def scenario(market, steps, instruments="BTCUSDT: {tick: 0.1, face: 0.001}", folder="."):
    text = (
        f"scenario: a record\ninstruments:\n{indent(dedent(instruments).strip(), '  ')}\n"
        f"{dedent(ACCOUNTS)}\nmarket:\n{indent(dedent(market).strip(), '  ')}\n"
        f"steps:\n{indent(dedent(steps).strip(), '  ')}\n"
    )
    return parse_scenario(text, str(Path(folder) / "record.scenario.yaml"))


def outcome(*arguments, **options):
    return Runner(scenario(*arguments, **options)).run()


@needs_klines
def test_a_scenario_walks_three_instruments_through_a_violent_day():
    found = outcome(
        """
        maker: maker
        day: 2025-05-08
        instruments:
          BTCUSDT: {candles: BTC_USDT_USDT-1m-futures.feather, quotes: {levels: 4}}
          ETHUSDT: {candles: ETH_USDT_USDT-1m-futures.feather, quotes: {levels: 4}}
          SOLUSDT: {candles: SOL_USDT_USDT-1m-futures.feather}
        """,
        """
        - run_market: 15s
        - expect: {price: {symbol: BTCUSDT, index: 96988.4}}
        - run_market: 1m
        - buy: {account: alice, contracts: 5, symbol: ETHUSDT}
        - run_market: 1h
        - expect:
            - position: {account: alice, contracts: 5, symbol: ETHUSDT}
            - price: {symbol: SOLUSDT, index: at least 140}
            - ledger: balanced
        """,
        """
        BTCUSDT: {tick: 0.1, face: 0.001}
        ETHUSDT: {tick: 0.01, face: 0.01}
        SOLUSDT: {tick: 0.001, face: 0.1}
        """,
        folder=KLINES,
    )

    assert found.failure is None, found.failure


@pytest.mark.slow
@needs_capture
def test_a_scenario_trades_a_recorded_tape_and_fills_who_rests_in_its_way():
    found = outcome(
        """
        maker: maker
        taker: taker
        instruments: {BTCUSDT: {trades: btcusdt_20240808.gz}}
        """,
        """
        - run_market: 1s
        - expect: {price: {index: 61800.3 within 5}}
        - buy: {account: alice, contracts: 10, price: 61650, name: patient}
        - buy: {account: alice, contracts: 10, price: 50000, name: hopeful}
        - run_market: 5m
        - expect:
            - order: {account: alice, name: patient, status: filled, average_price: 61650}
            - order: {account: alice, name: hopeful, status: new}
            - ledger: balanced
        """,
        folder=CAPTURE.parent,
    )

    assert found.failure is None, found.failure


def test_a_record_that_ends_before_the_market_stops_is_a_failure_that_says_so(tmp_path):
    rows = "price,qty,time,is_buyer_maker\n65000.1,0.002,0,true\n65001,0.002,1500,true\n"
    (tmp_path / "trades.csv").write_text(rows)
    market = "{maker: maker, taker: taker, instruments: {BTCUSDT: {trades: trades.csv}}}"
    told = "- run_market: 2s\n- expect: {price: {last: 65001}}"

    assert outcome(market, told, folder=tmp_path).failure is None
    found = outcome(market, "- run_market: 3s", folder=tmp_path)

    assert "the record ends before" in str(found.failure)


@pytest.mark.parametrize(
    ("market", "sentence"),
    [
        ("instruments: {BTCUSDT: {candles: none.feather}}", "there is no file"),
        ("instruments: {BTCUSDT: {}}", "needs start, or candles, or trades"),
        ("instruments: {BTCUSDT: {start: 1, candles: x}}", "needs start, or candles, or trades"),
        ("instruments: {BTCUSDT: {trades: x.csv}}", "trades need a maker"),
        (
            "{maker: maker, taker: maker, instruments: {BTCUSDT: {trades: x.csv}}}",
            "maker and taker are two accounts",
        ),
        (
            "{maker: maker, taker: taker, instruments: {BTCUSDT: {trades: x.csv, quotes: {}}}}",
            "a tape brings its own offers",
        ),
        ("{day: 2025-05-08, instruments: {BTCUSDT: {start: 65000}}}", "day goes with candles"),
        ("{taker: alice, instruments: {BTCUSDT: {start: 65000}}}", "taker goes with trades"),
        ("{step: 1s, instruments: {BTCUSDT: {candles: x}}}", "say how long a step is"),
        ("instruments: {BTCUSDT: {candles: x, jump: 1%}}", "jump goes with start"),
    ],
)
def test_a_market_that_contradicts_itself_is_refused_before_anything_runs(market, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        scenario(market, "- run_market: 1m")


# --------------------------------------------------------------------------- the tape itself


class Floor:
    """Account 1 offers, 2 takes, 3 is a stranger with orders of his own."""

    def __init__(self, *trades):
        self.exchange = Exchange()
        self.simulation = Simulation(self.exchange, ManualClock(0))
        self.fills = []
        self.simulation.subscribe(self.note)
        self.simulation.apply(ListInstrument(BTC))
        for number in (1, 2, 3):
            self.simulation.apply(OpenAccount())
            self.simulation.apply(Deposit(number, Wallet.CONTRACT, 10**9 * MONEY_SCALE))
        self.index = TapeIndex({"BTCUSDT": trades}, step_us=SECOND)
        player = TapePlayer(self.index, offers=1, takes=2)
        self.driver = MarketDriver(self.simulation, self.index, (), [player])

    def note(self, events):
        self.fills += [
            (e.account, e.side, e.contracts, e.price)
            for e in events
            if isinstance(e, Filled) and e.liquidity is Liquidity.MAKER
        ]

    def rest(self, side, contracts, price):
        self.simulation.apply(PlaceOrder(3, "BTCUSDT", side, contracts, OrderKind.LIMIT, price))


def trade(at, price, contracts, side=Side.BUY):
    return RecordedTrade(at, price, contracts, side)


def test_a_stranger_at_a_better_price_trades_before_the_tape_and_one_beyond_it_does_not():
    floor = Floor(trade(0, 1_000, 10), trade(5, 1_001, 10))
    floor.rest(Side.SELL, 4, 1_000)
    floor.rest(Side.SELL, 4, 1_002)

    floor.driver.step()

    assert floor.fills == [
        (3, Side.SELL, 4, 1_000),
        (1, Side.SELL, 6, 1_000),
        (1, Side.SELL, 10, 1_001),
    ]
    assert floor.exchange.open_orders(1) == []
    assert [order.price for order in floor.exchange.open_orders(3)] == [1_002]


def test_a_bid_that_the_tape_falls_through_is_filled_at_its_own_price():
    floor = Floor(trade(0, 1_000, 10, Side.SELL), trade(1, 990, 10, Side.SELL))
    floor.rest(Side.BUY, 5, 995)

    floor.driver.step()

    assert (3, Side.BUY, 5, 995) in floor.fills
    assert floor.exchange.open_orders(3) == []


def test_a_step_takes_in_its_own_time_and_the_record_ends_after_its_last_trade():
    floor = Floor(trade(0, 10, 1), trade(SECOND - 1, 11, 1), trade(3 * SECOND, 12, 1))

    floor.driver.step()
    assert len(floor.fills) == 2
    floor.driver.step()
    floor.driver.step()
    assert (len(floor.fills), floor.index.prices["BTCUSDT"]) == (2, 11)
    floor.driver.step()
    assert (len(floor.fills), floor.index.prices["BTCUSDT"]) == (3, 12)
    assert floor.index.steps == 4
    with pytest.raises(EndOfRecord):
        floor.driver.step()


def test_instruments_trade_beside_one_another_from_the_earliest_trade_on():
    index = TapeIndex(
        {"A": [trade(5 * SECOND, 1, 1)], "B": [trade(0, 2, 1), trade(6 * SECOND, 3, 1)]},
        step_us=SECOND,
    )
    seen = [dict(index.step()) for _ in range(index.steps)]

    assert seen[0] == {"A": 1, "B": 2}
    assert seen[-1] == {"A": 1, "B": 3}
    assert len(seen) == 7


def test_an_archive_of_trades_is_read_whatever_the_order_of_its_columns(tmp_path):
    path = tmp_path / "trades.csv"
    path.write_text(
        "id,price,qty,quote_qty,time,is_buyer_maker\n"
        "2,65000.20,0.003,1,1700000000500,true\n"
        "1,65000.1,0.002,1,1700000000000,False\n"
        "3,0,0,0,1700000000900,false\n"
    )

    assert read_trades(path, BTC) == (
        RecordedTrade(1_700_000_000_000_000, 650_001, 2, Side.BUY),
        RecordedTrade(1_700_000_000_500_000, 650_002, 3, Side.SELL),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("price,qty,time\n1,1,1\n", "has no column is_buyer_maker"),
        ("price,qty,time,is_buyer_maker\n", "has no trade"),
        ("price,qty,time,is_buyer_maker\n65000.13,0.001,1,true\n", "is not a multiple of the tick"),
        ("price,qty,time,is_buyer_maker\n65000,0.0001,1,true\n", "is not a whole number of contr"),
        ("price,qty,time,is_buyer_maker\n-1,0.001,1,true\n", "is no trade of a perpetual"),
        ("price,qty,time,is_buyer_maker\nmuch,0.001,1,true\n", "line 2: .* is not a trade"),
        ("price,qty,time,is_buyer_maker\n65000,0.001,1,maybe\n", "line 2: .* is not a trade"),
        ("price,qty,time,is_buyer_maker\n65000\n", "line 2: .* is not a trade"),
    ],
)
def test_trades_that_cannot_be_used_are_refused_with_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "trades.csv"
    path.write_text(text)

    with pytest.raises(CaptureError, match=sentence):
        read_trades(path, BTC)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for name in ("none.csv", "none.gz"):
        with pytest.raises(CaptureError, match="cannot be read"):
            read_trades(tmp_path / name, BTC)
