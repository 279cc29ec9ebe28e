"""Who switches a notice off is told it no more that way; what concerns money stays on the page."""

from decimal import Decimal

import pytest

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.notice import (
    STAYS_ON_THE_PAGE,
    TOLD_TO,
    Audience,
    Channel,
    NoticeKind,
    Way,
    may_be_silenced,
    ways_to,
)
from copyplugin.store import protection
from copyplugin.store.notice_choices import silenced
from copyplugin.store.queries.notices import notice_list, unread
from copyplugin.store.rows import CopiedPositionRow, DeliveryRow, NoticeRow, NoticeSilenceRow
from tests.simulation.copy_world import Plugin
from tests.simulation.test_lost_positions import hold_ten_and_be_liquidated
from tests.simulation.test_notices import Ear

ME = {"audience": "follower", "audience_id": 1, "actor": "follower:1"}


@pytest.fixture
def ears():
    return {Channel.WEBHOOK: Ear(), Channel.EMAIL: Ear()}


@pytest.fixture
async def plugin(migrated_url, tmp_path, market, ears):
    made = Plugin(tmp_path, market, url=migrated_url)
    made.engine.around.notifiers = ears
    await made.start()
    yield made
    made.close()


async def choose(plugin, *off, **whose):
    return await plugin.command(CommandKind.CHOOSE_NOTICES, off=list(off), **(ME | whose))


def raise_alarm(pair, kind):
    def write(session):
        position = session.get_one(CopiedPositionRow, 1)
        now = pair.plugin.clock.now()
        protection.raise_alarm(session, kind, position, "It is so.", at=now)

    pair.plugin.database.write_and_wait(write)


def seen(plugin):
    with plugin.database.read() as session:
        found = notice_list(session, Audience.FOLLOWER, 1, page=1, page_size=50)
        assert found.unread == unread(session, Audience.FOLLOWER, 1)
        return [notice.kind for notice in found.notices], found.unread


async def test_what_is_switched_off_on_the_page_is_not_shown_and_not_counted(plugin, pair):
    await pair.buy(10)
    raise_alarm(pair, AlarmKind.LEADER_MARGIN)
    await choose(plugin, "page:leader_margin")

    await plugin.run_jobs("notices")

    assert seen(plugin) == ([], 0)
    await choose(plugin)
    assert seen(plugin) == ([NoticeKind.LEADER_MARGIN], 1)


async def test_a_way_out_that_is_switched_off_is_not_taken_and_the_page_still_tells(
    plugin, pair, ears
):
    await pair.buy(10)
    await choose(plugin, "webhook:leader_margin", "webhook:unprotected")
    raise_alarm(pair, AlarmKind.LEADER_MARGIN)
    raise_alarm(pair, AlarmKind.UNPROTECTED)

    await plugin.run_jobs("notices")

    heard = [(message.audience, message.kind) for message in ears[Channel.WEBHOOK].heard]
    assert heard == [(Audience.OPERATOR, NoticeKind.UNPROTECTED)]  # whose choice it was not
    assert set(seen(plugin)[0]) == {NoticeKind.LEADER_MARGIN, NoticeKind.UNPROTECTED}


async def test_operators_choose_for_all_of_them(plugin, pair, ears):
    await pair.buy(10)
    operators = {"audience": "operator", "audience_id": 0, "actor": "operator:ann"}
    await choose(plugin, "email:unprotected", **operators)
    raise_alarm(pair, AlarmKind.UNPROTECTED)

    await plugin.run_jobs("notices")

    assert ears[Channel.EMAIL].heard == []
    assert len(ears[Channel.WEBHOOK].heard) == 2
    assert [row.channel for row in pair.rows(DeliveryRow)] == [Channel.WEBHOOK] * 2


@pytest.mark.parametrize(
    ("off", "sentence"),
    [
        ("page:taken", "Taken concerns money and stays on the page"),
        ("page:halted", "Halted concerns money and stays on the page"),
        ("page:job_behind", "'page:job_behind' names no notice: write WAY:KIND"),  # not told him
        ("email:halted", "'email:halted' names no notice"),  # no address of his is known
        ("leader_margin", "'leader_margin' names no notice"),
        ("", "'' names no notice"),
    ],
)
async def test_what_cannot_be_switched_off_is_refused_with_a_sentence(plugin, pair, off, sentence):
    await choose(plugin, "webhook:halted")

    answer = await choose(plugin, "webhook:leader_margin", off)

    assert answer.state is CommandState.REFUSED
    assert sentence in answer.message
    [row] = pair.rows(NoticeSilenceRow)  # all or nothing: as it was
    assert (row.kind, row.way) == (NoticeKind.HALTED, Way.WEBHOOK)


@pytest.mark.parametrize("actor", ["follower:2", "leader:1", "operator:ann", "administrator:eve"])
async def test_nobody_chooses_for_somebody_else(plugin, pair, actor):
    answer = await choose(plugin, "webhook:halted", actor=actor)

    assert answer.message == "These notices are not for you."
    assert pair.rows(NoticeSilenceRow) == []


def test_every_kind_is_told_to_somebody_and_what_stays_is_only_what_is_told():
    told = frozenset[NoticeKind]().union(*TOLD_TO.values())

    assert told == set(NoticeKind)
    for audience in Audience:
        for kind in NoticeKind:
            for way in Way:
                allowed = may_be_silenced(audience, kind, way)
                expected = kind in TOLD_TO[audience] and way in ways_to(audience)
                if way is Way.PAGE:
                    expected &= kind not in STAYS_ON_THE_PAGE
                assert allowed is expected
    assert {kind for kind in NoticeKind if kind.is_urgent} <= STAYS_ON_THE_PAGE


async def test_what_was_stored_for_money_by_other_hands_hides_nothing(plugin, pair):
    await pair.buy(10)
    raise_alarm(pair, AlarmKind.UNPROTECTED)
    row = NoticeSilenceRow(
        audience=Audience.FOLLOWER, audience_id=1, kind=NoticeKind.UNPROTECTED, way=Way.PAGE
    )
    plugin.database.write_and_wait(lambda session: session.add(row))

    await plugin.run_jobs("notices")

    assert seen(plugin)[0] == [NoticeKind.UNPROTECTED]


async def test_a_choice_is_kept_whole_and_asked_again_changes_nothing(plugin, pair):
    first = await choose(plugin, "webhook:halted", "webhook:halted", "page:follow_paused")
    second = await choose(plugin, "page:follow_paused", "webhook:halted")

    assert first.message == second.message == "Your choice is kept: 2 switched off."
    with plugin.database.read() as session:
        kept = silenced(session, Audience.FOLLOWER, 1)
    assert kept == {(NoticeKind.FOLLOW_PAUSED, Way.PAGE), (NoticeKind.HALTED, Way.WEBHOOK)}


async def test_a_liquidation_is_told_once_to_its_follower_with_what_it_cost(
    plugin, pair, market, ears
):
    await hold_ten_and_be_liquidated(pair, market)
    await plugin.run_jobs("reconcile")

    await plugin.run_jobs("notices")
    await plugin.run_jobs("notices")

    [row] = [row for row in pair.rows(NoticeRow) if row.kind is NoticeKind.TAKEN]
    [position] = pair.positions
    lost = position.realized_pnl
    assert lost < 0
    assert row.sentence.startswith(
        "The venue liquidated 10 contracts of your long position in SOLUSDT, copied from "
    )
    assert f"result {Decimal(lost).normalize():f} USDT" in row.sentence
    assert (row.audience, row.audience_id) == (Audience.FOLLOWER, 1)
    told = [message.kind for message in ears[Channel.WEBHOOK].heard]
    assert told.count(NoticeKind.TAKEN) == 1
