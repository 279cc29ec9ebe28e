"""The door for the host's messages: no page, no session; the signature is what proves the sender.

Answers are JSON. 200: taken, now or before, and `next` is the number that comes next. 409: another
number comes next, and `next` says which. 401: not signed by the host, or too long ago. 422: the
message says what cannot be. The last three carry `message`, a sentence, and nothing is stored.
"""

from flask import Blueprint, Flask, Response, jsonify, request

from copyplugin.errors import Refused
from copyplugin.host.feed import HostFeed, OutOfOrder
from copyplugin.host.signature import NotFromTheHost

PATH = "/koltrade/host/messages"
TIMESTAMP = "X-Copytrading-Timestamp"
SIGNATURE = "X-Copytrading-Signature"
BODY_MAX = 4_194_304
"""Bytes of a message."""


def init_host_feed(app: Flask, host_feed: HostFeed) -> None:
    """Serve the address that the host sends to."""
    blueprint = Blueprint("host", __name__)

    @blueprint.post(PATH)
    def receive() -> tuple[Response, int] | Response:
        request.max_content_length = BODY_MAX
        try:
            receipt = host_feed.receive(
                request.get_data(cache=False),
                timestamp=request.headers.get(TIMESTAMP, ""),
                signature=request.headers.get(SIGNATURE, ""),
            )
        except NotFromTheHost as fault:
            return jsonify(message=str(fault)), 401
        except OutOfOrder as fault:
            return jsonify(message=fault.sentence, next=fault.next_number), 409
        except Refused as fault:
            return jsonify(message=fault.sentence), 422
        return jsonify(account=receipt.account, next=receipt.next_number)

    app.register_blueprint(blueprint)
    app.extensions["csrf"].exempt(blueprint)  # nobody's browser sends this
