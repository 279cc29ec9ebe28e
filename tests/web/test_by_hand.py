"""Where a venue does not move everything by itself, the pages say so before anything is begun."""

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.ports import MovesMoney
from copyplugin.store.rows import FollowerRow
from copyplugin.store.venue_terms import Allotment, VenueTerms, put_allotment, put_venue_terms
from tests.web.builders import NOW, money

BY_HAND = "What you do by hand"


@pytest.fixture
def form(ben, small):
    return f"/koltrade/{small.bob}/copy"


def tell(database, moves, *, escrow_seconds=0):
    terms = VenueTerms(name="still", moves_money=moves, escrow_seconds=escrow_seconds)
    database.write_and_wait(lambda session: put_venue_terms(session, terms, at=NOW))


def let_stand_ready(database, small, held):
    with database.read() as session:
        main = session.get_one(FollowerRow, small.ben).account
    ready = Allotment(account="7007", held=money(held), at=NOW)
    database.write_and_wait(lambda session: put_allotment(session, main, ready))


def page(client, address):
    return client.get(address).get_data(as_text=True)


def test_where_everything_moves_nothing_is_to_be_done_by_hand(ben, form, database):
    tell(database, MovesMoney.FULL)

    text = page(ben, form)

    assert BY_HAND not in text
    assert "The amount moves from your spot wallet" in text
    assert "by itself" in text


def test_that_shares_are_held_is_said_before_the_start(ben, form, database):
    tell(database, MovesMoney.FULL, escrow_seconds=7 * 86_400)

    text = page(ben, form)

    assert "by itself, after 7 d 0 h in escrow" in text
    assert "Escrow: each share is held for 7 d 0 h." in text
    tell(database, MovesMoney.OWN_ACCOUNTS, escrow_seconds=7 * 86_400)
    assert "by you, by hand, after 7 d 0 h in escrow" in page(ben, form)


def test_inside_own_accounts_the_share_is_said_to_be_paid_by_hand(ben, form, database):
    tell(database, MovesMoney.OWN_ACCOUNTS)

    text = page(ben, form)

    assert text.index(BY_HAND) < text.index("Start copying")
    assert "You pay it by a way of your own." in text
    assert "by you, by hand" in text
    assert "The amount moves from your spot wallet" in text
    assert "Name my account" not in text


def test_where_nothing_moves_the_steps_stand_before_the_start(ben, form, database):
    tell(database, MovesMoney.NONE)

    text = page(ben, form)

    assert text.index(BY_HAND) < text.index("Start copying")
    assert "Name my account" in text
    assert "With any other amount nothing is begun." in text
    assert "spot wallet" not in text


def test_the_account_that_stands_ready_is_named_with_the_amount(ben, form, database, small):
    tell(database, MovesMoney.NONE)
    let_stand_ready(database, small, "812.34567891")

    text = page(ben, form)

    assert "Account 7007 stands ready for your next follow." in text
    assert "It held 812.34567891 USDT" in text
    assert 'value="812.34567891"' in text  # the copy amount is that, to the last unit
    assert "Look again what it holds" in text


def test_the_amount_that_was_moved_by_hand_is_taken_to_the_last_unit(
    ben, form, database, small, commands
):
    """The spot wallet holds 500: it has nothing to do with it."""
    tell(database, MovesMoney.NONE)
    let_stand_ready(database, small, "812.34567891")
    sent = {"instruments": ["BTCUSDT"], "mode": "fixed", "amount": "812.34567891"}

    answer = ben.post(form, data=sent | {"idempotency_key": "k"})

    assert answer.status_code == 302
    [(kind, arguments, _, _)] = commands.given
    assert (kind, arguments["copy_amount"]) == (CommandKind.START_FOLLOW, "812.34567891")


def test_asking_for_the_account_is_a_command_and_its_answer_is_shown(ben, form, commands, small):
    commands.message = "Account 7007 stands ready."

    answer = ben.post(f"/koltrade/{small.bob}/account", data={"idempotency_key": "k"})

    [(kind, arguments, actor, key)] = commands.given
    assert (kind, arguments) == (CommandKind.NAME_ACCOUNT, {"follower_id": small.ben})
    assert key == f"{actor}:account:k"
    assert "Account 7007 stands ready." in page(ben, answer.location)


def test_an_engine_that_is_slow_to_name_it_is_asked_again(ben, small, commands):
    commands.state = CommandState.PENDING

    answer = ben.post(f"/koltrade/{small.bob}/account", data={"idempotency_key": "k"})

    assert "The engine has not answered yet" in page(ben, answer.location)


def test_before_the_engine_ran_the_page_says_that_it_does_not_know(ben, form):
    assert "How money moves at this venue is not known yet" in page(ben, form)


def test_the_end_says_beforehand_where_the_money_stays(ben, database, small):
    end = f"/my/follows/{small.follow}/end"
    assert "what is left returns to your spot wallet" in page(ben, end)

    tell(database, MovesMoney.OWN_ACCOUNTS)
    assert "what is left returns to your spot wallet" in page(ben, end)
    assert "A leader share is owed: it waits in the sub-account" in page(ben, end)

    tell(database, MovesMoney.NONE)
    assert "spot wallet" not in page(ben, end)
    assert "what is left stays in account S" in page(ben, end)
    assert "spot wallet" not in page(ben, f"/my/positions/{small.position}/end")
