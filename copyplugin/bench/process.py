"""One engine or worker, as `copyplugin engine` and `worker` run it, without the other commands."""

import asyncio
import logging
import signal
import sys

from copyplugin.bench import exchange_process, filling_venue
from copyplugin.collector import spare_what_lives
from copyplugin.processes import run_engine, run_worker
from copyplugin.settings import load_settings
from copyplugin.system_clock import SystemClock

PROCESSES = {
    "engine": (run_engine, exchange_process.connect),
    "worker": (run_worker, exchange_process.connect),
    "filling-worker": (run_worker, filling_venue.connect),
}


def _ready(venue: str) -> None:
    spare_what_lives()
    sys.stdout.write(f"ready on {venue}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    run, connect = PROCESSES[sys.argv[1]]
    # also where whoever started the measure ignores it, as a shell does for what it puts aside
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asyncio.run(run(load_settings(), connect, SystemClock(), ready=_ready))
    except KeyboardInterrupt:  # the end that was asked for: what was held is dropped
        sys.exit(0)
