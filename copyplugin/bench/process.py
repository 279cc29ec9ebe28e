"""One engine or worker, as `copyplugin engine` and `worker` run it, without the other commands."""

import asyncio
import logging
import sys

from copyplugin.bench.exchange_process import connect
from copyplugin.processes import run_engine, run_worker
from copyplugin.settings import load_settings
from copyplugin.system_clock import SystemClock

PROCESSES = {"engine": run_engine, "worker": run_worker}

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(PROCESSES[sys.argv[1]](load_settings(), connect, SystemClock()))
