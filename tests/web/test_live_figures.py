"""The stream: figures move with the mark, one read serves everybody, nothing is left behind."""

import json
import re
import threading

from tests.web.builders import BTC
from web.app import live_hub


def events(client, path):
    """Open a stream and yield its events; closing the generator closes the stream."""
    with client.get(path) as answer:
        assert answer.mimetype == "text/event-stream"
        for chunk in answer.response:
            text = chunk.decode() if isinstance(chunk, bytes) else chunk
            if "data: " in text:
                yield json.loads(text.partition("data: ")[2])


def figures(client, path):
    stream = events(client, path)
    message = next(stream)
    stream.close()
    return message


def test_a_followers_profit_moves_with_the_mark(ben, small, world):
    stream = events(ben, "/live?copies=1")
    first = next(stream)
    world.mark(BTC, "60100.0")
    key = f"position-{small.position}-profit"
    moved = next(message for message in stream if message["figures"][key] != first["figures"][key])
    stream.close()

    assert first["figures"][key] == {
        "text": "+3.35",
        "fine": "275000",
        "sign": "up",
        "value": "3.35275000",
    }
    assert moved["figures"][key]["text"] == "+8.35"
    assert moved["figures"][f"mark-{BTC}"]["text"] == "60,100.0"
    assert moved["rows"] == first["rows"]


def test_every_live_figure_of_a_page_is_in_its_stream(ben, small):
    for page, path in [
        ("/my/copies", "/live?copies=1"),
        ("/my/copies/follows", "/live?copies=1"),
        (f"/my/positions/{small.position}", "/live?copies=1"),
        (f"/koltrade/{small.ada}", f"/live?leader={small.ada}"),
        ("/koltrade", "/live"),
    ]:
        text = ben.get(page).text
        wanted = set(re.findall(r'data-live="([^"]+)"', text))
        assert f'data-live-url="{path}"' in text
        assert wanted, page
        assert wanted <= set(figures(ben, path)["figures"]), page


def test_a_new_position_changes_the_rows(ben, small, world):
    before = figures(ben, "/live?copies=1")["rows"]
    follow = world.follow(small.bob, small.ben)
    world.open_position(follow, world.lane(follow))

    assert figures(ben, "/live?copies=1")["rows"] != before


def test_a_page_and_its_stream_name_the_same_rows(ben, small):
    rows = figures(ben, "/live?copies=1")["rows"]

    assert f'data-live-rows="{rows}"' in ben.get("/my/copies").text


def test_a_stranger_hears_of_no_copies(client, small):
    assert client.get("/live?copies=1").status_code == 401


def test_a_visitor_has_only_so_many_streams(ben, settings):
    streams = [events(ben, "/live?copies=1") for _ in range(settings.streams_per_visitor)]
    for stream in streams:
        next(stream)

    assert ben.get("/live?copies=1").status_code == 429
    streams[0].close()
    assert figures(ben, "/live?copies=1")["figures"]
    for stream in streams[1:]:
        stream.close()


def test_one_thread_reads_for_everybody_and_rests_when_nobody_listens(app, ben, small):
    hub = live_hub(app)
    streams = [events(ben, "/live?copies=1"), events(ben, f"/live?leader={small.ada}")]
    for stream in streams:
        next(stream)
    readers = [thread for thread in threading.enumerate() if thread.name == "live-figures"]

    assert len(readers) == 1
    for stream in streams:
        stream.close()
    assert not hub.has_listeners


def test_stopping_ends_every_stream(app, ben):
    stream = events(ben, "/live?copies=1")
    next(stream)

    live_hub(app).stop()

    assert len(list(stream)) <= 1  # one may have been on its way


def test_a_database_that_is_away_for_a_moment_ends_no_stream(app, ben, queries, caplog):
    hub = live_hub(app)
    read, failed = hub.read, threading.Event()

    def fails_once(followers, leaders):
        if not failed.is_set():
            failed.set()
            raise RuntimeError("away")
        return read(followers, leaders)

    hub.read = fails_once

    assert figures(ben, "/live?copies=1")["figures"]
    assert "could not be read" in caplog.text
