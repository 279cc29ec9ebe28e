"""What people are told: once, until it is over, and sent out until somebody takes it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandKind
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.ledger import main_account, moved, sub_account
from copyplugin.domain.money import Money
from copyplugin.domain.notice import Audience, Channel, DeliveryState, NoticeKind
from copyplugin.errors import DeliveryFailed
from copyplugin.store import halts, ledger, notices, protection
from copyplugin.store.rows import (
    CopiedPositionRow,
    DeliveryRow,
    JobRunRow,
    LaneRow,
    LeaderPositionRow,
    NoticeRow,
    TransferRow,
)
from simexchange.core.types import PositionSide, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair

LONG = PositionSide.LONG


class Ear:
    """Takes messages, unless it is deaf."""

    def __init__(self) -> None:
        self.heard = []
        self.is_deaf = False

    async def send(self, message) -> None:
        if self.is_deaf:
            raise DeliveryFailed("nobody listens")
        self.heard.append(message)


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
async def plugin(tmp_path, market, ear):
    made = Plugin(tmp_path, market, notify_attempts_max=3)
    made.engine.around.notifiers = {Channel.WEBHOOK: ear}
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def told(plugin, market, pair):
    """Return a function that runs the herald and gives what is told now, in order."""

    async def told(*, raised: bool | None = None):
        await plugin.run_jobs("notices")
        rows = pair.rows(NoticeRow)
        if raised is not None:
            rows = [row for row in rows if (row.over_at is None) is raised]
        return [(row.audience, row.kind) for row in rows]

    return told


def an_alarm(pair, kind=AlarmKind.UNPROTECTED):
    def write(session):
        position = session.get_one(CopiedPositionRow, 1)
        protection.raise_alarm(
            session, kind, position, "No stop rests.", at=pair.plugin.clock.now()
        )

    pair.plugin.database.write_and_wait(write)


async def test_an_alarm_is_told_once_to_follower_and_operators_until_it_is_over(pair, told, plugin):
    await pair.buy(10)
    an_alarm(pair)

    first, second = await told(), await told()

    assert first == second
    assert first == [
        (Audience.FOLLOWER, NoticeKind.UNPROTECTED),
        (Audience.OPERATOR, NoticeKind.UNPROTECTED),
    ]
    await pair.sell(10)
    now = plugin.clock.now()
    plugin.database.write_and_wait(lambda s: protection.clear_alarms_of_closed(s, at=now))
    assert await told(raised=True) == []
    await pair.buy(10)
    plugin.database.write_and_wait(
        lambda s: protection.raise_alarm(
            s, AlarmKind.UNPROTECTED, s.get_one(CopiedPositionRow, 2), "Again.", at=now
        )
    )
    assert len(await told()) == 4


async def test_a_change_of_the_leaders_margin_is_a_word_to_the_follower_alone(pair, told):
    await pair.buy(10)
    an_alarm(pair, AlarmKind.LEADER_MARGIN)

    assert await told() == [(Audience.FOLLOWER, NoticeKind.LEADER_MARGIN)]


async def test_a_follow_ended_by_its_limit_is_told_and_one_ended_by_its_follower_is_not(
    plugin, market, told, pair
):
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    assert await told() == []

    other = await Pair(plugin, market).start(max_loss="20")
    await other.buy(100)
    other.set_price(SOL, "145.00")
    await plugin.run_jobs("protect")

    assert await told() == [(Audience.FOLLOWER, NoticeKind.FOLLOW_ENDED)]
    [row] = pair.rows(NoticeRow)
    assert "the largest loss of the follow was reached" in row.sentence


async def test_a_halt_is_told_to_all_it_concerns_and_is_over_when_it_is_lifted(plugin, told, pair):
    actor = "operator:ann"
    now = plugin.clock.now()
    plugin.database.write_and_wait(
        lambda s: halts.halt(
            s, HaltScope.LEADER, 1, actor=actor, reason="odd fills", until=None, at=now
        )
    )

    assert set(await told(raised=True)) == {
        (Audience.OPERATOR, NoticeKind.HALTED),
        (Audience.LEADER, NoticeKind.HALTED),
        (Audience.FOLLOWER, NoticeKind.HALTED),
    }
    plugin.database.write_and_wait(
        lambda s: halts.lift(s, HaltScope.LEADER, 1, actor=actor, at=now)
    )
    assert await told(raised=True) == []


async def test_what_no_lane_wants_is_told_while_it_is_there(plugin, market, told, pair):
    market.trade(pair.sub_account, SOL, Side.BUY, 3, LONG)
    await plugin.run_jobs("reconcile")
    both = [(Audience.OPERATOR, NoticeKind.ORPHAN), (Audience.FOLLOWER, NoticeKind.ORPHAN)]
    assert await told(raised=True) == both
    await plugin.run_jobs("reconcile")
    assert await told() == both

    market.trade(
        pair.sub_account, SOL, Side.SELL, 3, LONG, price=market.prices[SOL] - pair.tick(SOL)
    )
    await plugin.run_jobs("reconcile")

    raised = await told(raised=True)
    assert not set(both) & set(raised)


async def test_money_that_no_entry_tells_of_is_told_until_it_is_right_again(plugin, told, pair):
    ours, theirs = sub_account(pair.follow_id), main_account("1")

    def move(source, target):
        def write(session):
            postings = moved(source, target, Decimal("0.5"))
            ledger.post(
                session, kind="fund", reference=source, postings=postings, at=plugin.clock.now()
            )

        plugin.database.write_and_wait(write)

    move(theirs, ours)
    await plugin.run_jobs("reconcile")
    assert await told(raised=True) == [(Audience.OPERATOR, NoticeKind.LEDGER_DIFFERS)]

    move(ours, theirs)
    await plugin.run_jobs("reconcile")

    assert await told(raised=True) == []


async def test_positions_the_leader_holds_no_more_are_told_of(plugin, told, pair):
    await pair.buy(5)
    plugin.database.write_and_wait(
        lambda s: s.execute(update(LaneRow).values(target=5, marked=False))
    )
    plugin.database.write_and_wait(
        lambda s: s.execute(update(LeaderPositionRow).values(contracts=0))
    )

    await plugin.run_jobs("close ended")

    assert await told() == [(Audience.OPERATOR, NoticeKind.ORPHAN)]


async def test_a_job_that_fails_or_stays_behind_is_told_until_a_run_goes_well(plugin, told, pair):
    def runs(error, backlog):
        def write(session):
            row = session.get_one(JobRunRow, "copy")
            row.last_error, row.backlog, row.failing_since = error, backlog, plugin.clock.now()

        plugin.database.write_and_wait(write)

    await plugin.run_jobs("copy")
    runs("KeyError: secret", 5000)
    assert set(await told(raised=True)) == {
        (Audience.OPERATOR, NoticeKind.JOB_FAILED),
        (Audience.OPERATOR, NoticeKind.JOB_BEHIND),
    }
    assert not any("secret" in row.sentence for row in pair.rows(NoticeRow))

    await plugin.run_jobs("copy")

    assert await told(raised=True) == []


async def test_a_message_is_a_row_before_it_is_sent_and_goes_out_once(plugin, told, pair, ear):
    await pair.buy(10)
    an_alarm(pair)
    await told()
    await told()

    assert [message.audience for message in ear.heard] == [Audience.FOLLOWER, Audience.OPERATOR]
    assert [message.account for message in ear.heard] == [str(pair.follower), None]
    rows = pair.rows(DeliveryRow)
    assert [row.state for row in rows] == [DeliveryState.DELIVERED] * 2
    assert [row.id for row in rows] == [message.number for message in ear.heard]


async def test_what_nobody_takes_is_tried_later_and_later_and_then_given_up(
    plugin, market, told, pair, ear
):
    await pair.buy(10)
    an_alarm(pair, AlarmKind.LEADER_MARGIN)
    ear.is_deaf = True
    waits = []

    for _ in range(3):
        await told()
        [row] = pair.rows(DeliveryRow)
        waits.append(row.next_at - plugin.clock.now())
        await told()
        assert row.attempts == pair.rows(DeliveryRow)[0].attempts, "too early"
        market.clock.advance(seconds=int(waits[-1].total_seconds()))

    assert waits == [timedelta(seconds=seconds) for seconds in (5, 10, 20)]
    [row] = pair.rows(DeliveryRow)
    assert (row.state, row.attempts, row.last_error) == (
        DeliveryState.GIVEN_UP,
        3,
        "nobody listens",
    )


async def test_a_message_whose_outcome_was_lost_is_sent_again_with_its_number(
    plugin, told, pair, ear, monkeypatch
):
    await pair.buy(10)
    an_alarm(pair, AlarmKind.LEADER_MARGIN)
    real = notices.delivered

    def dies(*_args, **_more):
        raise RuntimeError("the power went")

    monkeypatch.setattr(notices, "delivered", dies)
    with pytest.raises(ExceptionGroup):
        await told()
    monkeypatch.setattr(notices, "delivered", real)
    await told()

    first, second, *others = ear.heard
    assert first == second
    assert [message.kind for message in others] == [NoticeKind.JOB_FAILED]  # of telling itself


async def test_a_new_process_tells_what_happened_while_nobody_told(plugin, market, told, pair, ear):
    other = await Pair(plugin, market).start(max_loss="20")
    await other.buy(100)
    other.set_price(SOL, "145.00")
    await plugin.run_jobs("protect")
    await plugin.die()
    plugin.open()
    plugin.engine.around.notifiers = {Channel.WEBHOOK: ear}
    await plugin.start()

    await plugin.run_jobs("notices")
    await plugin.run_jobs("notices")

    assert [message.kind for message in ear.heard] == [NoticeKind.FOLLOW_ENDED]
    assert other.follow.copy_amount == Decimal(1000)


async def test_everybody_marks_his_own_notices_as_read_and_no_others(plugin, told, pair):
    await pair.buy(10)
    an_alarm(pair)
    await told()
    mine = {"audience": "follower", "audience_id": 1, "up_to": 99}
    of_operators = {"audience": "operator", "audience_id": 0, "up_to": 99}
    read = CommandKind.READ_NOTICES

    for actor, given in (
        ("follower:2", mine),
        ("leader:1", mine),
        ("operator:ann", mine),
        ("follower:1", of_operators),
    ):
        refused = await plugin.command(read, actor=actor, **given)
        assert refused.message == "These notices are not for you.", actor
    await plugin.command(read, actor="follower:1", **mine)
    assert [row.read_at is None for row in pair.rows(NoticeRow)] == [False, True]

    done = await plugin.command(read, actor="operator:ann", **of_operators)

    assert done.result == {"read": 1}
    assert all(row.read_at for row in pair.rows(NoticeRow))


async def test_shares_are_found_by_their_time_even_late_or_by_a_clock_that_was_set_back(
    pair, told, plugin, market
):
    def pay(number, at):
        row = TransferRow(
            id=f"m{number}",
            follow_id=pair.follow.id,
            kind=TransferKind.SHARE,
            from_account="1",
            from_wallet=Wallet.CONTRACT,
            to_account="2",
            to_wallet=Wallet.SPOT,
            money=Money(Decimal(1)),
            state=TransferState.DONE,
            created_at=at,
            done_at=at,
        )
        plugin.database.write_and_wait(lambda session: session.add(row))

    async def subjects():
        await told()
        return sorted(row.subject for row in pair.rows(NoticeRow))

    assert await subjects() == []
    market.clock.advance(seconds=3_600)
    pay(1, plugin.clock.now())
    assert await subjects() == ["transfer:m1"]
    pay(2, plugin.clock.now() - timedelta(minutes=4))  # its transaction came late
    assert await subjects() == ["transfer:m1", "transfer:m2"]
    pay(3, plugin.clock.now() - timedelta(minutes=6))  # so far back nothing is read anew
    assert await subjects() == ["transfer:m1", "transfer:m2"]
    plugin.clock.was_set_by = -timedelta(hours=2)
    pay(4, plugin.clock.now())
    assert await subjects() == ["transfer:m1", "transfer:m2", "transfer:m3", "transfer:m4"]
