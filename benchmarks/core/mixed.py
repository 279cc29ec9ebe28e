"""CPU time of one operation of the mixed workload, with events, hash and ledger on.

    python benchmarks/core/mixed.py [operations] [rounds]

Prints one JSON object: the median of the rounds of the flowing and the deep book, their ratio, and
the last 30 % of a long run against its first 30 %.
"""

import gc
import json
import statistics
import sys
import time

from workload import Maker

from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange


def prepare(maker: Maker) -> tuple[Exchange, int]:
    exchange = Exchange(ExchangeConfig(check_every=10_000))
    at = 0
    for command in maker.set_up + maker.prefill:
        at += 1_000
        exchange.apply(command, at)
    gc.collect()
    gc.freeze()
    return exchange, at


def seconds_per_operation(maker: Maker, commands, parts: int = 1) -> list[float]:
    exchange, at = prepare(maker)
    apply = exchange.apply
    times = []
    size = len(commands) // parts
    for part in range(parts):
        chunk = commands[part * size : (part + 1) * size]
        start = time.process_time()
        for command in chunk:
            at += 1_000
            apply(command, at)
        times.append((time.process_time() - start) / size)
    return times


def main() -> None:
    operations = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    makers = {"flow": Maker(1, 0), "deep": Maker(1, 20_000)}
    streams = {name: maker.stream(operations) for name, maker in makers.items()}
    times: dict[str, list[float]] = {"flow": [], "deep": []}
    tails = []
    for _ in range(rounds):
        for name, maker in makers.items():
            parts = seconds_per_operation(maker, streams[name], parts=10)
            times[name].append(statistics.mean(parts))
            if name == "flow":
                tails.append(statistics.mean(parts[-3:]) / statistics.mean(parts[:3]))
    flow, deep = (statistics.median(times[name]) * 1e6 for name in ("flow", "deep"))
    print(
        json.dumps(
            {
                "us_per_order": round(flow, 3),
                "us_per_order_deep": round(deep, 3),
                "deep_to_flow": round(deep / flow, 3),
                "tail_to_head": round(statistics.median(tails), 3),
                "operations": operations,
            }
        )
    )


if __name__ == "__main__":
    main()
