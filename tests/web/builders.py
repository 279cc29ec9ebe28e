"""Rows for the pages' tests: a small world with two leaders, two followers and what they did."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy.orm import Session

from copyplugin.domain.command import CommandState
from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.fill import Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.money import Money, Price, Ratio
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.share import leader_share, position_profit
from copyplugin.domain.transition import Effect
from copyplugin.store import rows
from copyplugin.store.database import Database

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
BTC, ETH = "BTCUSDT", "ETHUSDT"
FACE = {BTC: Decimal("0.001"), ETH: Decimal("0.01")}


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def money(text: str | int | Decimal) -> Money:
    return Money(Decimal(text))


def ratio(text: str) -> Ratio:
    return Ratio(Decimal(text))


@dataclass
class Outcome:
    command_id: int
    state: CommandState
    message: str | None


@dataclass
class FakeCommands:
    """Stores command rows like the engine's door does, and answers what a test told it to."""

    database: Database
    clock: FixedClock
    state: CommandState = CommandState.DONE
    message: str | None = "Done as asked."
    given: list[tuple[str, dict[str, object], str, str]] = field(default_factory=list)

    def submit(self, kind, arguments, *, actor, idempotency_key):
        self.given.append((kind, dict(arguments), actor, idempotency_key))

        def store(session: Session) -> int:
            row = rows.CommandRow(
                idempotency_key=idempotency_key,
                actor=actor,
                kind=kind,
                arguments=dict(arguments),
                state=self.state,
                message=None if self.state is CommandState.PENDING else self.message,
                created_at=self.clock.now(),
                done_at=None if self.state is CommandState.PENDING else self.clock.now(),
            )
            session.add(row)
            session.flush()
            return row.id

        command_id = self.database.write_and_wait(store)
        return Outcome(command_id, self.state, self.message)


@dataclass
class World:
    """Adds rows in small transactions; ids are handed back."""

    database: Database
    _number: count = field(default_factory=lambda: count(1))

    def add(self, row):
        def store(session: Session):
            session.add(row)
            session.flush()
            return row

        return self.database.write_and_wait(store)

    def instrument(self, symbol: str = BTC, *, mark: str | None = "60000.0", trading=True) -> str:
        self.add(
            rows.InstrumentRow(
                symbol=symbol,
                base=symbol.removesuffix("USDT"),
                settle="USDT",
                tick_size=Decimal("0.1"),
                contract_size=FACE[symbol],
                contracts_min=1,
                contracts_max=100_000,
                notional_min=money(5),
                leverage_max=ratio("100"),
                maker_fee=ratio("0.0002"),
                taker_fee=ratio("0.00055"),
                trading=trading,
                updated_at=NOW,
            )
        )
        if mark is not None:
            self.mark(symbol, mark)
        return symbol

    def mark(self, symbol: str, price: str) -> None:
        def store(session: Session) -> None:
            session.merge(rows.MarkPriceRow(symbol=symbol, price=Price(Decimal(price)), at=NOW))

        self.database.write_and_wait(store)

    def leader(self, nickname: str = "Ada", *, symbols=(BTC, ETH), **more) -> int:
        number = next(self._number)
        values = {
            "account": f"L{number}",
            "share_ratio": ratio("0.10"),
            "min_copy_amount": money(10),
            "max_copy_amount": money(1000),
            "leading_since": NOW - timedelta(days=90),
            "created_at": NOW - timedelta(days=90),
        } | more
        row = self.add(rows.LeaderRow(nickname=nickname, **values))
        for symbol in symbols:
            self.add(rows.LeaderInstrumentRow(leader_id=row.id, symbol=symbol))
        return row.id

    def statistics(self, leader_id: int, **more) -> None:
        values = {
            "total_profit": money("120.50"),
            "total_margin": money("1000"),
            "trades_closed": 10,
            "trades_won": 6,
            "trades_closed_14_days": 4,
            "trades_won_14_days": 3,
            "trades_opened": 11,
            "positions_copied": 20,
            "trade_frequency": 7,
            "copiers": 1,
            "follows_ever": 3,
            "followers_ever": 2,
            "computed_at": NOW,
        } | more
        self.add(rows.LeaderStatisticsRow(leader_id=leader_id, **values))

    def equity(self, leader_id: int, *points: str) -> None:
        for index, equity in enumerate(points):
            self.add(
                rows.LeaderEquityRow(
                    leader_id=leader_id,
                    at=NOW - timedelta(minutes=5 * (len(points) - index)),
                    equity=money(equity),
                    profit=money(Decimal(equity) - 1000),
                )
            )

    def leader_trade(self, leader_id: int, *, is_open=False, side=PositionSide.LONG, **more) -> int:
        values = {
            "leverage": ratio("10"),
            "opened_contracts": 100,
            "opened_value": money("6000"),
            "margin": money("600"),
            "opened_at": NOW - timedelta(hours=2),
        } | more
        if not is_open:
            values = {
                "closed_contracts": 100,
                "closed_value": money("6060"),
                "realized_pnl": money("60"),
                "fees": money("6.633"),
                "closed_at": NOW - timedelta(hours=1),
            } | values
        state = TradeState.OPEN if is_open else TradeState.CLOSED
        return self.add(
            rows.LeaderTradeRow(
                leader_id=leader_id, symbol=BTC, position_side=side, state=state, **values
            )
        ).id

    def follower(self, name: str = "Ben", *, spot: str | None = "500") -> int:
        number = next(self._number)
        account = f"F{number}"
        row = self.add(rows.FollowerRow(account=account, name=name, created_at=NOW))
        if spot is not None:
            self.wallet(account, spot)
        return row.id

    def wallet(self, account: str, spot: str) -> None:
        self.add(
            rows.WalletSnapshotRow(
                account=account,
                spot_available=money(spot),
                contract_wallet=money(0),
                contract_available=money(0),
                at=NOW,
            )
        )

    def follow(self, leader_id: int, follower_id: int, *, state=FollowState.COPYING, **more) -> int:
        number = next(self._number)
        values = {
            "sub_account": f"S{number}",
            "mode": CopyMode.FIXED,
            "copy_amount": money("100"),
            "share_ratio": ratio("0.10"),
            "shard": 1,
            "created_at": NOW - timedelta(hours=number),
            "started_at": NOW - timedelta(hours=number),
        } | more
        row = self.add(
            rows.FollowRow(leader_id=leader_id, follower_id=follower_id, state=state, **values)
        )
        self.add(rows.FollowInstrumentRow(follow_id=row.id, symbol=BTC))
        return row.id

    def lane(self, follow_id: int, side=PositionSide.LONG, *, target=0, actual=0, symbol=BTC):
        return self.add(
            rows.LaneRow(
                follow_id=follow_id,
                symbol=symbol,
                position_side=side,
                shard=1,
                target=target,
                actual=actual,
            )
        ).id

    def open_position(self, follow_id: int, lane_id: int, *, side=PositionSide.LONG, **more) -> int:
        values = {
            "symbol": BTC,
            "opened_contracts": 50,
            "opened_value": money("2995"),
            "fees": money("1.64725"),
            "leverage": ratio("10"),
            "margin_mode": MarginMode.ISOLATED,
            "opened_at": NOW - timedelta(minutes=30),
        } | more
        row = rows.CopiedPositionRow(
            follow_id=follow_id, lane_id=lane_id, position_side=side, **values
        )
        return self.add(row).id

    def closed_position(
        self,
        follow_id: int,
        lane_id: int,
        leader_id: int,
        *,
        realized_pnl="10",
        fees="1",
        funding="0",
        settled=True,
        share_ratio="0.10",
    ) -> int:
        profit = position_profit(
            realized_pnl=money(realized_pnl), fees=money(fees), funding=money(funding)
        )
        share = leader_share(profit, ratio(share_ratio))
        state = ShareState.NONE
        if profit > 0:
            state = ShareState.SETTLED if settled else ShareState.DUE
        row = self.add(
            rows.CopiedPositionRow(
                follow_id=follow_id,
                lane_id=lane_id,
                symbol=BTC,
                position_side=PositionSide.LONG,
                state=TradeState.CLOSED,
                opened_contracts=10,
                opened_value=money("600"),
                closed_contracts=10,
                closed_value=money(Decimal(600) + Decimal(realized_pnl)),
                realized_pnl=money(realized_pnl),
                fees=money(fees),
                funding=money(funding),
                leverage=ratio("10"),
                margin_mode=MarginMode.ISOLATED,
                opened_at=NOW - timedelta(hours=3),
                closed_at=NOW - timedelta(hours=2),
                share_state=state,
            )
        )
        if state is ShareState.SETTLED:
            self.add(
                rows.SettlementRow(
                    copied_position_id=row.id,
                    follow_id=follow_id,
                    leader_id=leader_id,
                    profit=profit,
                    share_ratio=ratio(share_ratio),
                    share=share,
                    leader_part=share,
                    at=NOW,
                )
            )
        return row.id

    def signal(self, leader_id: int, *, effect=Effect.OPEN, price="59900", contracts=50) -> int:
        number = next(self._number)
        order_id = f"O{number}"
        at = NOW - timedelta(minutes=30)
        self.add(
            rows.LeaderFillRow(
                leader_id=leader_id,
                venue_fill_id=f"V{number}",
                order_id=order_id,
                symbol=BTC,
                order_side=OrderSide.BUY,
                position_side=PositionSide.LONG,
                contracts=contracts,
                price=Price(Decimal(price)),
                fee=money(1),
                realized_pnl=money(0),
                liquidity=Liquidity.TAKER,
                leverage=ratio("10"),
                margin_mode=MarginMode.ISOLATED,
                at=at,
                received_at=at + timedelta(milliseconds=5),
            )
        )
        return self.add(
            rows.SignalRow(
                leader_id=leader_id,
                order_id=order_id,
                symbol=BTC,
                position_side=PositionSide.LONG,
                effect=effect,
                increases=effect.increases,
                contracts_before=0 if effect.increases else contracts,
                contracts_after=contracts if effect.increases else 0,
                contracts=contracts,
                price_sum=Decimal(price) * contracts,
                leverage=ratio("10"),
                margin_mode=MarginMode.ISOLATED,
                first_fill_at=at,
                last_fill_at=at,
                received_at=at,
            )
        ).id

    def copy_order(self, lane_id: int, signal_id: int, position_id: int, **more) -> int:
        number = next(self._number)
        at = NOW - timedelta(minutes=30)
        values = {
            "purpose": OrderPurpose.COPY,
            "order_side": OrderSide.BUY,
            "reduce_only": False,
            "contracts": 50,
            "state": CopyOrderState.DONE,
            "filled": 50,
            "filled_value": money("2998"),
            "fee": money("1.6489"),
            "decided_at": at + timedelta(milliseconds=8),
            "sent_at": at + timedelta(milliseconds=9),
            "acknowledged_at": at + timedelta(milliseconds=30),
            "filled_at": at + timedelta(milliseconds=30),
        } | more
        row = rows.CopyOrderRow(
            lane_id=lane_id,
            sequence=number,
            client_order_id=f"c{number}",
            signal_id=signal_id,
            copied_position_id=position_id,
            **values,
        )
        order_id = self.add(row).id
        self.add(
            rows.OrderFillRow(
                order_id=order_id,
                venue_fill_id=f"own{number}",
                contracts=50,
                price=Price(Decimal(59960)),
                fee=money("1.6489"),
                realized_pnl=money(0),
                liquidity=Liquidity.TAKER,
                at=at + timedelta(milliseconds=30),
            )
        )
        return order_id

    def decision(self, signal_id: int, lane_id: int, **more) -> None:
        values = {
            "revision": 1,
            "wanted": 50,
            "target_before": 0,
            "target_after": 50,
            "decided_at": NOW - timedelta(minutes=30) + timedelta(milliseconds=7),
        } | more
        self.add(rows.CopyDecisionRow(signal_id=signal_id, lane_id=lane_id, **values))

    def skip(self, signal_id: int, lane_id: int, reason, detail: dict[str, str] | None = None):
        self.add(
            rows.CopyDecisionRow(
                signal_id=signal_id,
                lane_id=lane_id,
                revision=1,
                wanted=50,
                skip_reason=reason,
                skip_detail=detail,
                target_before=0,
                target_after=0,
                decided_at=NOW,
            )
        )

    def setting(self, key: str, value: str) -> None:
        self.add(rows.SettingRow(key=key, value=value, changed_by="test", changed_at=NOW))


@dataclass
class SmallWorld:
    """Ids of what `small_world` made."""

    world: World
    ada: int
    bob: int
    ben: int
    eve: int
    follow: int
    position: int


def small_world(world: World) -> SmallWorld:
    """Ben follows Ada with an open and a closed position; Eve follows nobody."""
    world.instrument(BTC)
    world.instrument(ETH, mark="3000.0")
    ada, bob = world.leader("Ada"), world.leader("Bob", max_followers=2)
    world.statistics(ada)
    world.statistics(bob, total_profit=money("80"), total_margin=money("200"))
    world.equity(ada, "1000", "1010.25", "1005", "1120.50")
    world.leader_trade(ada)
    world.leader_trade(ada, is_open=True)
    ben, eve = world.follower("Ben"), world.follower("Eve")
    follow = world.follow(ada, ben)
    lane = world.lane(follow, target=50, actual=50)
    position = world.open_position(follow, lane)
    world.closed_position(follow, lane, ada)
    world.copy_order(lane, world.signal(ada), position)
    return SmallWorld(world, ada, bob, ben, eve, follow, position)
