"""Signed requests written by hand, for what no client would send."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import requests

from simexchange.server.keys import ApiKey
from tests.wire.rig import Rig


def signed(key: ApiKey, payload: str) -> str:
    """Return HMAC-SHA256 of ``payload`` in hexadecimal."""
    return hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


class Raw:
    """Signs as the venue documents it; every part can be made wrong."""

    def __init__(self, rig: Rig, key: ApiKey) -> None:
        self.rig = rig
        self.key = key
        self.session = requests.Session()

    def headers(self, payload: str, **wrong: str) -> dict[str, str]:
        stamp = wrong.get("stamp", str(self.rig.edge.now() // 1_000))
        window = wrong.get("window", "5000")
        name = wrong.get("name", self.key.key)
        signed = f"{stamp}{name}{window}{payload}".encode()
        signature = hmac.new(self.key.secret.encode(), signed, hashlib.sha256).hexdigest()
        return {
            "X-BAPI-API-KEY": name,
            "X-BAPI-SIGN": wrong.get("signature", signature),
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
        }

    def get(self, path: str, wrong: dict[str, str] | None = None, **query: object):
        text = urlencode(query)
        headers = self.headers(text, **(wrong or {}))
        return self.session.get(f"{self.rig.url}{path}?{text}", headers=headers, timeout=10)

    def post(self, path: str, body: object, wrong: dict[str, str] | None = None):
        text = body if isinstance(body, str) else json.dumps(body)
        headers = self.headers(text, **(wrong or {}))
        headers["Content-Type"] = "application/json"
        return self.session.post(f"{self.rig.url}{path}", text, headers=headers, timeout=10)

    def order(self, **terms: object) -> dict[str, object]:
        body = {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Market",
            "qty": "0.01",
        }
        return self.post("/v5/order/create", body | terms).json()


class RawBinance:
    """Signs as the second venue documents it; every part can be made wrong."""

    def __init__(self, rig: Rig, key: ApiKey) -> None:
        self.rig = rig
        self.key = key
        self.session = requests.Session()
        self.session.headers["X-MBX-APIKEY"] = key.key

    def signed(self, **values: object) -> str:
        """Return parameters with time and signature, as they stand in a request."""
        values.setdefault("timestamp", self.rig.edge.now() // 1_000)
        text = urlencode(values)
        signature = hmac.new(self.key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{text}&signature={signature}"

    def send(self, method: str, path: str, **values: object) -> requests.Response:
        url = f"{self.rig.url}{path}?{self.signed(**values)}"
        return self.session.request(method, url, timeout=10)

    def ask(self, method: str, path: str, **values: object):
        """Return what a request that must be carried out is answered."""
        answer = self.send(method, path, **values)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **values: object) -> tuple[int, int]:
        """Return status and code of a request that must be refused."""
        answer = self.send(method, path, **values)
        assert answer.status_code != 200, answer.text
        return answer.status_code, answer.json()["code"]

    def public(self, path: str, **values: object) -> requests.Response:
        return self.session.get(f"{self.rig.url}{path}", params=values, timeout=10)

    def order(self, **terms: object) -> dict[str, object]:
        """Place an order, by default a small one that is filled at once, and return it."""
        common = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        terms = {"newOrderRespType": "RESULT", **common, **terms}
        kept = {name: value for name, value in terms.items() if value is not None}
        return self.ask("POST", "/fapi/v1/order", **kept)

    def limit_order(self, price: str, **terms: object) -> dict[str, object]:
        return self.order(type="LIMIT", price=price, timeInForce="GTC", **terms)
