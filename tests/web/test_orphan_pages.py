"""Positions that no lane wants, on the follower's pages, the health page and the command line."""

from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.store.rows import FollowRow, OrphanRow
from tests.web.builders import NOW


def orphan(world, follow_id=1):
    return world.add(
        OrphanRow(
            follow_id=follow_id,
            symbol="BTCUSDT",
            position_side=PositionSide.SHORT,
            contracts=7,
            found_at=NOW,
        )
    )


def test_a_follower_sees_what_was_not_copied_and_may_close_it(ben, world, commands, small):
    assert "Not copied, and in your sub-account" not in ben.get("/my/copies").text
    orphan(world)

    page = ben.get("/my/copies/follows").text
    question = ben.get("/my/orphans/1/close").text
    ben.post("/my/orphans/1/close", data={"idempotency_key": "o"})

    assert "7 contracts of BTCUSDT Short" in page
    assert "/my/orphans/1/close" in page
    assert "Closes 7 contracts short at market" in question
    assert [given[:2] for given in commands.given] == [(CommandKind.CLOSE_ORPHAN, {"orphan_id": 1})]


def test_what_an_ended_follow_holds_is_closed_at_the_venue(ben, world, small):
    orphan(world)
    world.database.write_and_wait(
        lambda s: setattr(s.get(FollowRow, 1), "state", FollowState.CLOSED)
    )

    assert "The follow has ended: close them at the venue." in ben.get("/my/copies/follows").text
    assert ben.get("/my/orphans/1/close").status_code == 409


def test_nobody_closes_what_is_not_his(ben, world, small):
    orphan(world)
    world.database.write_and_wait(lambda s: setattr(s.get(FollowRow, 1), "follower_id", small.eve))

    assert "in your sub-account" not in ben.get("/my/copies/follows").text
    assert ben.get("/my/orphans/1/close").status_code == 404


def test_the_health_page_and_the_command_line_name_it(ben, world, queries, small, database_url):
    run = CliRunner().invoke
    orphan(world)

    assert "Follow 1 holds 7 contracts of BTCUSDT Short that no lane wants." in ben.get(
        "/health"
    ).get_data(as_text=True)
    assert not queries.health().is_well
    listed = run(main, ["orphans", "list", "--database", database_url]).output
    assert "BTCUSDT" in listed
    assert "short" in listed
    told = run(main, ["orphans", "close", "1", "--by", "ann", "--database", database_url])
    assert "Written down as command" in told.output
    assert run(main, ["orphans", "close", "9", "--database", database_url]).exit_code == 2
