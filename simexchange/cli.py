"""The command line of the simulated exchange."""

import click

from simexchange.bench.command import bench_command
from simexchange.campaign.command import campaign_command
from simexchange.journal.commands import crash_test_command, replay_command
from simexchange.market.demo_command import demo_market_command
from simexchange.market.recorded_commands import (
    replay_book_command,
    replay_candles_command,
    replay_trades_command,
)
from simexchange.market.replay_command import replay_fills_command
from simexchange.scenario.cli import scenario
from simexchange.server.command import serve_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Run a simulated perpetual exchange: exact, repeatable, and on your machine.

    Every command answers on the standard output and, with --json, in a file. Exit code 0: all is
    well; 1: something does not add up; 2: the input cannot be used, with a sentence that says why.
    """


main.add_command(bench_command)
main.add_command(campaign_command)
main.add_command(crash_test_command)
main.add_command(demo_market_command)
main.add_command(replay_command)
main.add_command(replay_book_command)
main.add_command(replay_candles_command)
main.add_command(replay_fills_command)
main.add_command(replay_trades_command)
main.add_command(scenario)
main.add_command(serve_command)
