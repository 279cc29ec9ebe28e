"""What the event hash means, worked out anew from the events that commands were answered with."""

import msgspec
from blake3 import blake3

from simexchange.bench.workload import Stream
from simexchange.core.exchange import Exchange

LINK_BYTES = 65_536
GROUP_EVENTS = 128


def test_the_event_hash_covers_every_event_of_every_command_since_the_first():
    stream, exchange = Stream(seed=5, accounts=20), Exchange()
    group, written = [], b""
    for at, command in enumerate([*stream.setting_up, *stream.commands(3_000)]):
        group += exchange.apply(command, at) or [None]
        if len(group) >= GROUP_EVENTS:
            written += msgspec.msgpack.encode(group)
            group = []
            assert exchange.event_hash == chained(written)
    assert len(written) > 3 * LINK_BYTES
    written += msgspec.msgpack.encode(group)

    assert group
    assert exchange.event_hash == chained(written)


def chained(content: bytes) -> str:
    """Return BLAKE3 over the last link and what came since; a link covers the one before it."""
    link = b""
    while len(content) >= LINK_BYTES:
        link, content = blake3(link + content[:LINK_BYTES]).digest(), content[LINK_BYTES:]
    return blake3(link + content).hexdigest()
