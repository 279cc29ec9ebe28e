"""Apply the first part of a workload once and end: what valgrind counts the instructions of."""

import os
import sys

from simexchange.bench.workload import mixed_workload, prepared_exchange
from simexchange.collector import spare_what_lives


def main(arguments: list[str]) -> None:
    """Take: how many commands to apply, how many to make, the seed, the accounts.

    The stream is made in full whatever is applied of it, so that two runs differ by their
    measured commands alone.
    """
    applied, made, seed, accounts = (int(argument) for argument in arguments)
    workload = mixed_workload(orders=made, seed=seed, accounts=accounts)
    commands = list(workload.measured)[:applied]
    exchange = prepared_exchange(workload.setting_up)
    spare_what_lives()
    for at, command in enumerate(commands):
        exchange.apply(command, at)
    os._exit(0)  # freeing what is left at the end is no part of an operation


if __name__ == "__main__":
    main(sys.argv[1:])
