"""Bitget's sub-accounts, their keys, and money moved between them: under which names, and once."""

from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.identifiers import AccountId, TransferId
from copyplugin.domain.money import Money
from copyplugin.errors import (
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.venues.ccxt.bitget_money import account_name
from tests.venues.messages.bitget_script import ACCOUNT, API, SUB, scene
from tests.venues.messages.scripted import Refused, fine, listed

LIST = f"GET {API}/user/virtual-subaccount-list"
MAKE, KEY = (
    f"POST {API}/user/create-virtual-subaccount",
    f"POST {API}/user/create-virtual-subaccount-apikey",
)
LABEL = "cp-follow-7"
NAMES = [account_name(ACCOUNT, LABEL, attempt) for attempt in range(5)]
MADE_KEY = {"subAccountUid": "333", "subAccountApiKey": "sub key", "secretKey": "sub secret"}


def made(name: str, uid: str = "333") -> object:
    """Return the venue's answer, which misspells its own words."""
    row = {"subaAccountUid": uid, "subaAccountName": name, "status": "normal"}
    return fine({"successList": [row], "failureList": []})


def taken(name: str) -> object:
    return fine({"successList": [], "failureList": [{"subaAccountName": name}]})


KEYED = {"POST /user/create-virtual-subaccount-apikey": fine(MADE_KEY)}
NOBODY = {"GET /user/virtual-subaccount-list": listed("subAccountList", [])}


def test_names_are_eight_letters_and_each_owners_own() -> None:
    assert all(name.isascii() and name.isalpha() and len(name) == 8 for name in NAMES)
    assert len({*NAMES, account_name(SUB, LABEL, 0), account_name(ACCOUNT, "x", 0)}) == 7


async def test_a_sub_account_is_made_with_a_key_that_trades_and_cannot_withdraw() -> None:
    async with scene({**KEYED, **NOBODY}, egress_addresses=("192.0.2.1",)) as now:
        now.script.say(MAKE, made(NAMES[0]))
        account = await now.venue.open_sub_account(ACCOUNT, LABEL)
        again = await now.venue.open_sub_account(ACCOUNT, LABEL)

    assert account == again == "333"
    assert now.script.bodies(MAKE) == [{"subAccountList": [NAMES[0]]}]
    [asked] = now.script.bodies(KEY)
    passphrase = asked.pop("passphrase")
    assert passphrase.isalnum()
    assert 8 <= len(passphrase) <= 32
    assert asked == {
        "subAccountUid": "333",
        "label": NAMES[0],
        "permType": "read_and_write",
        "permList": ["contract_trade", "read"],
        "ipList": ["192.0.2.1"],
    }
    known = now.venue.keys.find(account)
    assert known is not None
    assert (known.owner, known.label) == (ACCOUNT, LABEL)
    keys = known.keys
    assert (keys.key, keys.secret, keys.passphrase) == ("sub key", "sub secret", passphrase)


async def test_a_sub_account_that_was_made_and_lost_is_found_by_its_name() -> None:
    row = {"subAccountUid": "333", "subAccountName": f"{NAMES[0]}@bitget.com"}
    async with scene(
        {**KEYED, "GET /user/virtual-subaccount-list": listed("subAccountList", [row])}
    ) as now:
        assert await now.venue.open_sub_account(ACCOUNT, LABEL) == "333"

    assert not now.script.of(MAKE)
    assert "ipList" not in now.script.bodies(KEY)[0]


async def test_a_name_that_is_somebody_elses_gives_way_to_the_next() -> None:
    async with scene({**KEYED, **NOBODY}) as now:
        now.script.say(MAKE, taken(NAMES[0]), made(NAMES[1]))
        await now.venue.open_sub_account(ACCOUNT, LABEL)
        now.script.say(MAKE, taken("all of them"))
        with pytest.raises(RequestRejected, match="takes none of the names"):
            await now.venue.open_sub_account(ACCOUNT, "another")

    assert [body["subAccountList"] for body in now.script.bodies(MAKE)][:2] == [
        [NAMES[0]],
        [NAMES[1]],
    ]


TEN = Money(Decimal("10.5"))
WITHIN, BETWEEN = f"POST {API}/spot/wallet/transfer", f"POST {API}/spot/wallet/subaccount-transfer"
OWN = f"GET {API}/spot/account/transferRecords"
OTHERS = f"GET {API}/spot/account/sub-main-trans-record"


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
    ("request_", "where", "asked", "sent", "which"),
    [
        (
            FUND,
            BETWEEN,
            OTHERS,
            {
                "fromType": "spot",
                "toType": "usdt_futures",
                "fromUserId": ACCOUNT,
                "toUserId": SUB,
            },
            {},
        ),
        (
            movement(SUB, Wallet.CONTRACT, ACCOUNT, Wallet.SPOT),
            BETWEEN,
            OTHERS,
            {
                "fromType": "usdt_futures",
                "toType": "spot",
                "fromUserId": SUB,
                "toUserId": ACCOUNT,
            },
            {"subUid": SUB},
        ),
        (
            movement(ACCOUNT, Wallet.SPOT, ACCOUNT, Wallet.CONTRACT),
            WITHIN,
            OWN,
            {"fromType": "spot", "toType": "usdt_futures"},
            {},
        ),
    ],
)
async def test_money_moves_once_under_a_name_that_the_venue_takes(
    request_, where, asked, sent, which
) -> None:
    async with scene() as now:
        now.script.say(where, fine({"transferId": "1", "clientOid": "x"}))
        now.script.say(asked, fine([]))
        with pytest.raises(OutcomeUnknown, match="under way"):
            await now.venue.transfer(request_)  # it is acknowledged, and not listed yet
        with pytest.raises(VenueUnavailable, match="not listed yet"):
            await now.venue.transfer(request_)
        [body] = now.script.bodies(where)
        done = {"clientOid": body["clientOid"], "size": "10.50000000", "status": "Successful"}
        now.script.say(asked, fine([done]))
        await now.venue.transfer(request_)
        assert await now.venue.transfer_outcome(request_) is TransferOutcome.DONE

    [body] = now.script.bodies(where)
    name = body.pop("clientOid")
    assert len(name) == 32
    assert body == {**sent, "coin": "USDT", "amount": "10.5"}
    wanted = {"coin": "USDT", "clientOid": name, "limit": "100", **which}
    assert all(query == wanted for query in now.script.queries(asked))


@pytest.mark.parametrize(
    ("told", "raised", "words"),
    [
        ({"status": "Processing"}, OutcomeUnknown, "under way"),
        ({"size": "11"}, TransferRejected, "made before, with 11 USDT"),
        ({"status": "odd"}, VenueUnavailable, "'odd'"),
    ],
)
async def test_nothing_is_sent_where_a_movement_is_known(told, raised, words) -> None:
    async with scene() as now:
        now.script.say(BETWEEN, fine({}))
        now.script.say(OTHERS, fine([]))
        with pytest.raises(OutcomeUnknown):
            await now.venue.transfer(FUND)
        [body] = now.script.bodies(BETWEEN)
        row = {"clientOid": body["clientOid"], "size": "10.5", "status": "Successful"}
        now.script.say(OTHERS, fine([{**row, **told}]))
        with pytest.raises(raised, match=words):
            await now.venue.transfer(FUND)

    assert len(now.script.of(BETWEEN)) == 1


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("43117", TransferRejected),
        ("43012", TransferRejected),
        ("40015", OutcomeUnknown),
        ("43137", OutcomeUnknown),
        ("40008", VenueUnavailable),
    ],
)
async def test_a_refusal_is_told_from_a_doubt(code, raised) -> None:
    async with scene() as now:
        now.script.say(OTHERS, fine([]))
        now.script.say(BETWEEN, Refused(400, {"code": code, "msg": "words", "data": None}))
        with pytest.raises(raised):
            await now.venue.transfer(FUND)
