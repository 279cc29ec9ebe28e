"""A process that prints the hashes of some seeds, to be compared with another process's.

Run as `python -m simexchange.campaign.hash_worker FIRST SEEDS COMMANDS`; one line per seed: the
seed, its event hash and its state hash.
"""

import sys

from simexchange.campaign.stream import make_run


def main(arguments: list[str]) -> None:
    first, seeds, commands = map(int, arguments)
    for seed in range(first, first + seeds):
        exchange = make_run(seed, commands, check_every=0).exchange
        sys.stdout.write(f"{seed} {exchange.event_hash} {exchange.state_hash()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
