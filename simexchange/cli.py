"""The command line of the simulated exchange."""

import click

from simexchange.lazy_group import LazyGroup, Place

PLACES = {
    "bench": Place(
        "simexchange.bench.command:bench_command",
        "Measure the exchange with everything on: events, hash, ledger, margin, liquidation.",
    ),
    "campaign": Place(
        "simexchange.campaign.command:campaign_command",
        "Look for what short tests miss, with a count.",
    ),
    "crash-test": Place(
        "simexchange.journal.commands:crash_test_command",
        "Kill a journaled exchange again and again.",
    ),
    "demo-market": Place(
        "simexchange.market.demo_command:demo_market_command",
        "Run the synthetic market and print figures.",
    ),
    "replay": Place(
        "simexchange.journal.commands:replay_command",
        "Repeat a run from its journal.",
    ),
    "replay-book": Place(
        "simexchange.market.recorded_commands:replay_book_command",
        "Repeat a recorded order book.",
    ),
    "replay-candles": Place(
        "simexchange.market.recorded_commands:replay_candles_command",
        "Quote through recorded candles.",
    ),
    "replay-fills": Place(
        "simexchange.market.replay_command:replay_fills_command",
        "Compare recorded fills with the exchange.",
    ),
    "replay-trades": Place(
        "simexchange.market.recorded_commands:replay_trades_command",
        "Trade recorded public trades again.",
    ),
    "scenario": Place(
        "simexchange.scenario.cli:scenario",
        "Run or check scenario files (docs/SCENARIOS.md).",
    ),
    "serve": Place(
        "simexchange.server.command:serve_command",
        "Serve an exchange over HTTP and WebSocket until Ctrl-C.",
    ),
}


@click.group(
    cls=LazyGroup,
    places=PLACES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Run a simulated perpetual exchange: exact, repeatable, and on your machine.

    Every command answers on the standard output and, with --json, in a file. Exit code 0: all is
    well; 1: something does not add up; 2: the input cannot be used, with a sentence that says why.
    """
