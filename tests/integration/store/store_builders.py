"""Valid rows with readable defaults, for the tests of the store."""

from datetime import UTC, datetime
from decimal import Decimal

from copyplugin.domain.account import AccountBalance
from copyplugin.domain.copy_rule import CopyMode, CopyRule
from copyplugin.domain.fill import (
    FillCause,
    LeaderFill,
    Liquidity,
    MarginMode,
    OrderSide,
    PositionSide,
)
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import LeaderTerms, TradeState
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.store.database import Session
from copyplugin.store.followers import register_follower
from copyplugin.store.follows import start
from copyplugin.store.leaders import add_leader
from copyplugin.store.market import put_instruments
from copyplugin.store.places import NewFollow, reserve_follow
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowerRow,
    FollowRow,
    LaneRow,
    LeaderRow,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BTC = Symbol("BTCUSDT")
ETH = Symbol("ETHUSDT")


def money(text: str | int) -> Money:
    return Money(Decimal(text))


def make_instrument(symbol: Symbol = BTC, **changes) -> Instrument:
    return Instrument(
        **{
            "symbol": symbol,
            "base": symbol.removesuffix("USDT"),
            "settle": "USDT",
            "tick_size": Decimal("0.1"),
            "contract_size": Decimal("0.001"),
            "contracts_min": Contracts(1),
            "contracts_max": Contracts(100_000),
            "notional_min": money(5),
            "leverage_max": Ratio(Decimal(100)),
            "maker_fee": Ratio(Decimal("0.0002")),
            "taker_fee": Ratio(Decimal("0.0006")),
        }
        | changes
    )


def make_terms(**changes) -> LeaderTerms:
    return LeaderTerms(**{"nickname": "Ada", "symbols": frozenset({BTC})} | changes)


def make_leader(session: Session, account: str = "10001", **terms) -> LeaderRow:
    put_instruments(session, [make_instrument(BTC), make_instrument(ETH)], at=NOW)
    return add_leader(session, AccountId(account), make_terms(**terms), at=NOW)


def make_follower(session: Session, account: str = "20001") -> FollowerRow:
    return register_follower(session, AccountId(account), name=f"user {account}", at=NOW)


def wish_of(leader: LeaderRow, follower: FollowerRow, **changes) -> NewFollow:
    rule = CopyRule(mode=changes.pop("mode", CopyMode.FIXED))
    return NewFollow(
        **{
            "leader_id": leader.id,
            "follower_id": follower.id,
            "rule": rule,
            "copy_amount": money(100),
            "symbols": frozenset({BTC}),
        }
        | changes
    )


def reserve(session: Session, leader: LeaderRow, follower: FollowerRow, **changes) -> FollowRow:
    return reserve_follow(
        session, wish_of(leader, follower, **changes), proportional_allowed=True, at=NOW
    )


def make_follow(
    session: Session, leader: LeaderRow, account: str = "20001", **changes
) -> FollowRow:
    follow = reserve(session, leader, make_follower(session, account), **changes)
    start(session, follow, sub_account=AccountId(f"s{account}-{follow.id}"), at=NOW)
    return follow


def make_lane(session: Session, follow: FollowRow, **changes) -> LaneRow:
    lane = LaneRow(
        **{
            "follow_id": follow.id,
            "symbol": BTC,
            "position_side": PositionSide.LONG,
            "shard": follow.shard,
        }
        | changes
    )
    session.add(lane)
    session.flush()
    return lane


def make_position(session: Session, lane: LaneRow, **changes) -> CopiedPositionRow:
    """Return a closed position that bought 10 at 1000 and sold them at 1100."""
    position = CopiedPositionRow(
        **{
            "follow_id": lane.follow_id,
            "lane_id": lane.id,
            "symbol": lane.symbol,
            "position_side": lane.position_side,
            "state": TradeState.CLOSED,
            "opened_contracts": Contracts(10),
            "opened_value": money(1000),
            "closed_contracts": Contracts(10),
            "closed_value": money(1100),
            "realized_pnl": money(100),
            "fees": money(2),
            "funding": money(1),
            "leverage": Ratio(Decimal(10)),
            "margin_mode": MarginMode.ISOLATED,
            "opened_at": NOW,
            "closed_at": NOW,
        }
        | changes
    )
    session.add(position)
    session.flush()
    return position


def make_fill(number: int = 1, **changes) -> LeaderFill:
    return LeaderFill(
        **{
            "venue_fill_id": VenueFillId(str(number)),
            "order_id": VenueOrderId("7"),
            "account": AccountId("10001"),
            "symbol": BTC,
            "side": OrderSide.BUY,
            "position_side": PositionSide.LONG,
            "contracts": Contracts(5),
            "price": Price(Decimal(20_000)),
            "fee": money("0.06"),
            "realized_pnl": money(0),
            "liquidity": Liquidity.TAKER,
            "at": NOW,
            "leverage": Ratio(Decimal(10)),
            "margin_mode": MarginMode.ISOLATED,
            "cause": FillCause.TRADE,
        }
        | changes
    )


def make_balance(amount: str | int) -> AccountBalance:
    return AccountBalance(
        spot_available=money(0),
        contract_wallet=money(amount),
        contract_available=money(amount),
        equity=money(amount),
    )
