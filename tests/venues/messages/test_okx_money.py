"""Money moved on OKX: under which name and kind, asked for before it is sent, never twice."""

from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.identifiers import AccountId, TransferId
from copyplugin.domain.money import Money
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.keys import KnownAccount
from tests.venues.messages.okx_script import ACCOUNT, API, SUB, scene
from tests.venues.messages.scripted import KEYS, Refused, no, ok

MOVE, STATE = f"POST {API}/asset/transfer", f"GET {API}/asset/transfer-state"
TEN = Money(Decimal("10.5"))
UNKNOWN = {"code": "58129", "msg": "clientId does not exist", "data": []}
DONE = {"state": "success", "amt": "10.5"}
SUBS = {"GET /users/subaccount/list": ok({"subAcct": "copy1", "uid": SUB, "ts": "1"})}


def movement(giver: AccountId, from_: Wallet, taker: AccountId, to: Wallet) -> TransferRequest:
    return TransferRequest(
        transfer_id=TransferId("cp-fund-1"),
        from_account=giver,
        from_wallet=from_,
        to_account=taker,
        to_wallet=to,
        money=TEN,
    )


FUND = movement(ACCOUNT, Wallet.SPOT, SUB, Wallet.CONTRACT)


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (FUND, {"type": "1", "from": "6", "to": "18", "subAcct": "copy1"}),
        (
            movement(SUB, Wallet.CONTRACT, ACCOUNT, Wallet.SPOT),
            {"type": "2", "from": "18", "to": "6", "subAcct": "copy1"},
        ),
        (
            movement(ACCOUNT, Wallet.SPOT, ACCOUNT, Wallet.CONTRACT),
            {"type": "0", "from": "6", "to": "18"},
        ),
    ],
)
async def test_money_moves_once_under_a_name_that_the_venue_takes(request_, sent) -> None:
    async with scene({**SUBS, "POST /asset/transfer": ok({"transId": "1"})}) as now:
        now.script.say(STATE, UNKNOWN, ok(DONE))
        await now.venue.transfer(request_)
        await now.venue.transfer(request_)

    [body] = now.script.bodies(MOVE)
    name = body.pop("clientId")
    assert name.isalnum()
    assert len(name) == 32
    assert body == {**sent, "ccy": "USDT", "amt": "10.5"}
    asked = {"clientId": name, "type": sent["type"]}
    assert all(query == asked for query in now.script.queries(STATE))


async def test_the_same_movement_has_the_same_name_in_every_process() -> None:
    names: list[str] = []
    for _ in range(2):
        async with scene({**SUBS, "POST /asset/transfer": ok({"transId": "1"})}) as now:
            now.script.say(STATE, UNKNOWN, ok(DONE))
            await now.venue.transfer(FUND)
            names += [body["clientId"] for body in now.script.bodies(MOVE)]
    assert len(names) == 2
    assert len(set(names)) == 1


async def test_one_that_failed_is_tried_again_under_the_next_name() -> None:
    async with scene({**SUBS, "POST /asset/transfer": ok({"transId": "1"})}) as now:
        failed = ok({**DONE, "state": "failed"})
        now.script.say(STATE, failed, UNKNOWN, ok(DONE))
        await now.venue.transfer(FUND)

    first, second, third = (query["clientId"] for query in now.script.queries(STATE))
    assert first != second == third
    assert [body["clientId"] for body in now.script.bodies(MOVE)] == [second]


@pytest.mark.parametrize(
    ("state", "raised", "words"),
    [
        (ok({**DONE, "state": "pending"}), OutcomeUnknown, "under way"),
        (ok({**DONE, "amt": "11"}), TransferRejected, "made before, with 11 USDT"),
        (ok({**DONE, "state": "odd"}), VenueUnavailable, "'odd'"),
        (Refused(500, {"code": "50026", "msg": "error"}), VenueUnavailable, "code 50026"),
    ],
)
async def test_nothing_is_sent_where_a_movement_is_known_or_cannot_be_asked_for(
    state, raised, words
) -> None:
    async with scene({**SUBS, "GET /asset/transfer-state": state}) as now:
        with pytest.raises(raised, match=words):
            await now.venue.transfer(FUND)

    assert not now.script.of(MOVE)


@pytest.mark.parametrize(
    ("answer", "raised", "words"),
    [
        ({"code": "58350", "msg": "Insufficient", "data": []}, TransferRejected, "insufficient"),
        (no("58116"), TransferRejected, "insufficient"),
        (Refused(500, {"code": "50026", "msg": "error"}), OutcomeUnknown, "code 50026"),
        ({"code": "58102", "msg": "frequent", "data": []}, VenueUnavailable, "code 58102"),
    ],
)
async def test_a_refusal_is_told_from_a_doubt(answer, raised, words) -> None:
    async with scene({**SUBS, "GET /asset/transfer-state": UNKNOWN}) as now:
        now.script.say(MOVE, answer)
        with pytest.raises(raised, match=words):
            await now.venue.transfer(FUND)


async def test_a_lost_movement_is_not_called_so_while_it_may_still_arrive() -> None:
    async with scene({**SUBS, "GET /asset/transfer-state": UNKNOWN}) as now:
        now.script.say(MOVE, Refused(500, {"code": "50026", "msg": "error"}))
        with pytest.raises(OutcomeUnknown):
            await now.venue.transfer(FUND)
        for again in (now.venue.transfer_outcome, now.venue.transfer):
            with pytest.raises(VenueUnavailable, match="may still arrive"):
                await again(FUND)
        assert len(now.script.of(MOVE)) == 1
        now.script.say(STATE, ok(DONE))
        assert await now.venue.transfer_outcome(FUND) is TransferOutcome.DONE


async def test_a_sub_account_is_found_by_its_uid_or_it_is_nobodys() -> None:
    stranger = {"subAcct": "copy9", "uid": "999", "ts": "1"}
    async with scene({"GET /users/subaccount/list": ok(stranger)}) as now:
        with pytest.raises(TransferRejected, match="222 is no sub-account of 111"):
            await now.venue.transfer(FUND)


async def test_between_two_sub_accounts_nothing_moves() -> None:
    other = AccountId("333")
    request = movement(SUB, Wallet.CONTRACT, other, Wallet.CONTRACT)
    async with scene() as now:
        now.venue.keys.keep(KnownAccount(account=other, keys=KEYS, owner=ACCOUNT))
        with pytest.raises(TransferRejected, match="by the main account"):
            await now.venue.transfer(request)
