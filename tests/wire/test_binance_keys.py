"""Keys whose owners sign with a private key of their own: RSA and Ed25519."""

import asyncio
import base64
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simexchange.server.keys import FULL, READ_ONLY, ApiKey
from tests.wire.raw import RawBinance
from tests.wire.rig import OPERATOR_KEY, Rig
from tests.wire.test_binance_socket_api import ORDER, Talker, talking

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(private: Any) -> str:
    public = private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(private: Any, text: str) -> str:
    if isinstance(private, rsa.RSAPrivateKey):
        signed = private.sign(text.encode(), padding.PKCS1v15(), SHA256())
    else:
        signed = private.sign(text.encode())
    return base64.b64encode(signed).decode()


@pytest.fixture(params=["rsa", "ed25519"])
def private(request: pytest.FixtureRequest) -> Any:
    return RSA_KEY if request.param == "rsa" else ed25519.Ed25519PrivateKey.generate()


class Owner:
    """Asks over HTTP and signs with a private key."""

    def __init__(self, rig: Rig, key: ApiKey, private: Any) -> None:
        self.rig = rig
        self.key = key
        self.private = private

    def send(self, method: str, path: str, *, in_body: bool = False, **values: object):
        values = {**values, "timestamp": self.rig.edge.now() // 1_000}
        text = urlencode(values)
        text += f"&signature={quote(sign(self.private, text), safe='')}"
        where = {"data": text} if in_body else {"params": text}
        headers = {"X-MBX-APIKEY": self.key.key}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if in_body else {}
        url = f"{self.rig.url}{path}"
        return requests.request(method, url, headers=headers, timeout=10, **where)


@pytest.mark.parametrize("in_body", [False, True])
def test_an_order_signed_with_it_is_placed(rig: Rig, private: Any, *, in_body: bool) -> None:
    key = rig.key(rig.open(), public_key=pem(private))
    assert key.secret == ""
    answer = Owner(rig, key, private).send("POST", "/fapi/v1/order", in_body=in_body, **ORDER)
    assert answer.status_code == 200, answer.text
    assert rig.exchange.positions(key.account)[0].contracts == 10


def test_another_signature_is_refused(rig: Rig, private: Any) -> None:
    key = rig.key(rig.open(), public_key=pem(private))
    another = (
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        if private is RSA_KEY
        else ed25519.Ed25519PrivateKey.generate()
    )
    answer = Owner(rig, key, another).send("POST", "/fapi/v1/order", **ORDER)
    assert (answer.status_code, answer.json()["code"]) == (400, -1022)
    now = rig.edge.now() // 1_000
    for nonsense in ("00", "%C3%A9", "%21%21", ""):
        url = f"{rig.url}/fapi/v2/balance?timestamp={now}&signature={nonsense}"
        answer = requests.get(url, headers={"X-MBX-APIKEY": key.key}, timeout=10)
        assert answer.json()["code"] == (-1022 if nonsense else -1102)
    assert rig.exchange.positions(key.account) == []


def test_the_first_dialect_takes_rsa_signatures_in_base64(rig: Rig) -> None:
    key = rig.key(rig.open(), public_key=pem(RSA_KEY))
    stamp = str(rig.edge.now() // 1_000)
    query = "accountType=UNIFIED"
    headers = {
        "X-BAPI-API-KEY": key.key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": sign(RSA_KEY, f"{stamp}{key.key}5000{query}"),
    }
    url = f"{rig.url}/v5/account/wallet-balance?{query}"
    answer = requests.get(url, headers=headers, timeout=10).json()
    assert answer["result"]["list"][0]["totalWalletBalance"] == "10000"
    wrong = {**headers, "X-BAPI-SIGN": sign(RSA_KEY, "something else")}
    assert requests.get(url, headers=wrong, timeout=10).json()["retCode"] == 10004


def operator_key(rig: Rig, **terms: object) -> requests.Response:
    return requests.post(
        f"{rig.url}/operator/v1/keys",
        json={"account": rig.open(), **terms},
        headers={"X-Operator-Key": OPERATOR_KEY},
        timeout=10,
    )


def test_the_operator_registers_a_public_key(rig: Rig, private: Any) -> None:
    made = operator_key(rig, public_key=pem(private)).json()
    assert (made["secret"], made["kind"]) == ("", "rsa" if private is RSA_KEY else "ed25519")
    key = rig.venue.keys.find(made["key"])
    assert key is not None
    assert Owner(rig, key, private).send("GET", "/fapi/v2/balance").status_code == 200


@pytest.mark.parametrize(
    "terms",
    [
        {"public_key": "no key"},
        {"public_key": pem(ec.generate_private_key(ec.SECP256R1()))},
        {"public_key": pem(rsa.generate_private_key(public_exponent=65_537, key_size=1_024))},
        {"public_key": pem(RSA_KEY), "secret": "both"},
    ],
)
def test_a_public_key_of_no_use_is_refused_and_no_key_is_made(rig: Rig, terms) -> None:
    answer = operator_key(rig, **terms)
    assert answer.status_code == 400
    assert answer.json()["message"]
    account = max(rig.exchange.accounts)
    assert rig.call(lambda: rig.venue.keys.of_account(account)) == []


# ---------------------------------------------------------------------------- logging on


async def logged_on(talker: Talker, private: Any, **terms: object) -> dict[str, Any]:
    key = talker.client.key
    values = {"apiKey": key.key, "timestamp": talker.client.rig.edge.now() // 1_000, **terms}
    text = "&".join(f"{name}={values[name]}" for name in sorted(values))
    return await talker.ask("session.logon", **values, signature=sign(private, text))


@pytest.fixture
def owner(rig: Rig) -> tuple[RawBinance, Any]:
    private = ed25519.Ed25519PrivateKey.generate()
    return RawBinance(rig, rig.key(rig.open(), public_key=pem(private))), private


def stamp(client: RawBinance) -> int:
    return client.rig.edge.now() // 1_000


async def test_who_has_logged_on_need_not_sign_again(owner: tuple[RawBinance, Any]) -> None:
    client, private = owner
    async with talking(client) as talker:
        on = await logged_on(talker, private)
        assert (on["status"], on["result"]["apiKey"]) == (200, client.key.key)
        assert on["result"]["connectedSince"] <= on["result"]["authorizedSince"]
        assert on["rateLimits"][0]["count"] == 2
        now = stamp(client)
        placed = await talker.ask("order.place", **ORDER, timestamp=now, newOrderRespType="RESULT")
        assert placed["result"]["status"] == "FILLED"
        balance = await talker.ask("v2/account.balance", timestamp=now)
        assert balance["result"][0]["balance"] == "9999.7249945"
        assert (await talker.ask("userDataStream.start"))["result"]["listenKey"]
        status = (await talker.ask("session.status"))["result"]
        assert status["authorizedSince"] == on["result"]["authorizedSince"]


async def test_it_must_still_say_when_it_asks(owner: tuple[RawBinance, Any]) -> None:
    client, private = owner
    async with talking(client) as talker:
        await logged_on(talker, private)
        untimed = await talker.ask("order.place", **ORDER)
        assert untimed["error"]["code"] == -1102
        late = await talker.ask("order.place", **ORDER, timestamp=stamp(client) - 6_000)
        assert late["error"]["code"] == -1021
    assert client.rig.exchange.positions(client.key.account) == []


async def test_another_key_may_sign_for_itself_meanwhile(
    owner: tuple[RawBinance, Any], raw_binance: RawBinance
) -> None:
    client, private = owner
    async with talking(client) as talker:
        await logged_on(talker, private)
        other = Talker(talker.socket, raw_binance)
        other.number = talker.number
        placed = await other.signed("order.place", **ORDER)
        assert placed["status"] == 200
        talker.number = other.number
        named = await talker.ask(
            "order.place", **ORDER, timestamp=stamp(client), apiKey=raw_binance.key.key
        )
        assert named["error"]["code"] == -1102  # who names a key signs
    assert client.rig.exchange.positions(client.key.account) == []
    assert len(client.rig.exchange.positions(raw_binance.key.account)) == 1


async def test_after_logging_out_nothing_is_done(owner: tuple[RawBinance, Any]) -> None:
    client, private = owner
    async with talking(client) as talker:
        await logged_on(talker, private)
        out = (await talker.ask("session.logout"))["result"]
        assert (out["apiKey"], out["authorizedSince"]) == (None, None)
        refused = await talker.ask("order.place", **ORDER, timestamp=stamp(client))
        assert (refused["status"], refused["error"]["code"]) == (401, -2014)


async def test_a_session_ends_with_its_key(owner: tuple[RawBinance, Any]) -> None:
    client, private = owner
    async with talking(client) as talker:
        await logged_on(talker, private)
        await asyncio.to_thread(client.rig.call, lambda: client.rig.venue.keys.revoke(client.key))
        refused = await talker.ask("order.place", **ORDER, timestamp=stamp(client))
        assert (refused["status"], refused["error"]["code"]) == (401, -2015)


async def test_logging_on_needs_the_right_signature_and_kind(rig: Rig) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    client = RawBinance(rig, rig.key(rig.open(), public_key=pem(private)))
    async with talking(client) as talker:
        forged = await logged_on(talker, ed25519.Ed25519PrivateKey.generate())
        assert forged["error"]["code"] == -1022
        unknown = await logged_on(talker, private, apiKey="nobody")
        assert unknown["error"]["code"] == -2015
        assert (await talker.ask("session.status"))["result"]["apiKey"] is None
    client = RawBinance(rig, rig.key(rig.open(), public_key=pem(RSA_KEY)))
    async with talking(client) as talker:
        refused = await logged_on(talker, RSA_KEY)
        assert refused["error"]["code"] == -4056


async def test_a_key_that_may_only_read_logs_on_and_does_not_trade(rig: Rig) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    key = rig.key(rig.open(), READ_ONLY, public_key=pem(private))
    assert READ_ONLY != FULL
    client = RawBinance(rig, key)
    async with talking(client) as talker:
        assert (await logged_on(talker, private))["status"] == 200
        refused = await talker.ask("order.place", **ORDER, timestamp=stamp(client))
        assert refused["error"]["code"] == -2015


async def test_limits_are_shown_unless_the_connection_says_no(raw_binance: RawBinance) -> None:
    async with talking(raw_binance, "?returnRateLimits=false") as talker:
        assert "rateLimits" not in await talker.ask("ping")
        assert "rateLimits" in await talker.ask("ping", returnRateLimits=True)
        assert (await talker.ask("session.status"))["result"]["returnRateLimits"] is False
