"""Values of the domain, drawn by Hypothesis."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from copyplugin.domain.copy_rule import CopyMode, CopyRule
from copyplugin.domain.fill import LeaderFill, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.open_size import Circumstances, size_of_open
from copyplugin.domain.sizing import LeaderOpening
from copyplugin.domain.skip import Skip

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

sides = st.sampled_from(PositionSide)
contracts = st.integers(1, 10**9).map(Contracts)
money = st.integers(0, 10**17).map(lambda n: Money(Decimal(n).scaleb(-8)))
wealth = money | st.integers(10**11, 10**17).map(lambda n: Money(Decimal(n).scaleb(-8)))
signed_money = st.integers(-(10**17), 10**17).map(lambda n: Money(Decimal(n).scaleb(-8)))
prices = st.integers(1, 10**12).map(lambda n: Price(Decimal(n).scaleb(-6)))
coin_prices = st.integers(10**5, 10**9).map(lambda n: Price(Decimal(n).scaleb(-6)))
ratios = st.integers(0, 10**6).map(lambda n: Ratio(Decimal(n).scaleb(-6)))
leverages = st.integers(1, 200).map(lambda n: Ratio(Decimal(n)))
share_ratios = st.integers(1, 99).map(lambda n: Ratio(Decimal(n).scaleb(-2)))
times = st.integers(-(10**7), 10**7).map(lambda seconds: NOON + timedelta(seconds=seconds))


@st.composite
def instruments(draw):
    contracts_min = draw(st.integers(1, 100))
    return Instrument(
        symbol=Symbol("BTCUSDT"),
        base="BTC",
        settle="USDT",
        tick_size=draw(st.sampled_from([Decimal("0.5"), Decimal("0.1"), Decimal("0.0001")])),
        contract_size=draw(st.sampled_from([Decimal("0.0001"), Decimal("0.01"), Decimal(1)])),
        contracts_min=Contracts(contracts_min),
        contracts_max=Contracts(contracts_min + draw(st.integers(0, 10**9))),
        notional_min=Money(Decimal(draw(st.integers(0, 100)))),
        leverage_max=Ratio(Decimal(200)),
        maker_fee=Ratio(Decimal("0.0002")),
        taker_fee=draw(st.sampled_from([Ratio(Decimal("0.0006")), Ratio(Decimal("-0.0001"))])),
    )


@st.composite
def openings(draw):
    number = Contracts(draw(st.integers(1, 10**4)))
    return LeaderOpening(
        contracts=number,
        price_sum=number * draw(coin_prices),
        leverage=draw(leverages),
        initial_margin=draw(money),
        balance_before=draw(money.filter(lambda amount: amount > 0)),
    )


any_mode = st.none() | sides


@st.composite
def fills(draw, position_sides=any_mode):
    return LeaderFill(
        venue_fill_id=VenueFillId(str(draw(st.integers(1, 10**6)))),
        order_id=VenueOrderId("1"),
        account=AccountId("1"),
        symbol=Symbol("BTCUSDT"),
        side=draw(st.sampled_from(OrderSide)),
        position_side=draw(position_sides),
        contracts=Contracts(draw(st.integers(1, 50))),
        price=draw(prices),
        fee=Money(Decimal(0)),
        realized_pnl=Money(Decimal(0)),
        liquidity=Liquidity.TAKER,
        at=NOON,
        leverage=draw(leverages),
        margin_mode=MarginMode.CROSS,
    )


def rule_of(mode, **terms) -> CopyRule:
    """Return a rule of this mode with numbers that fit it."""
    given = {
        CopyMode.MULTIPLE: {"factor": Ratio(Decimal("1.5"))},
        CopyMode.FIXED_MARGIN: {"order_margin": Money(Decimal(100))},
    }.get(mode, {})
    return CopyRule(mode=mode, **(given | terms))


def contracts_for_open(mode, opening, *, available, instrument) -> Contracts | Skip:
    """Return what an open of this mode comes to, all balances known."""
    size = size_of_open(
        rule_of(mode),
        opening,
        Circumstances(available=available, equity=available, leader_equity=opening.balance_before),
        instrument,
    )
    return size.contracts if size.skip is None else size.skip
