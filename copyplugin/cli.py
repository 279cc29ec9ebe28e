"""The command line: what an operator does at night.

Exit code 0: all is well; 1: something does not add up; 2: what was given cannot be used.
"""

import click

from copyplugin.command_line.lazy_group import LazyGroup, Place

PLACES = {
    "bench": Place(
        "copyplugin.bench.command:bench_command",
        "Measure decisions, bookkeeping, delays, workers and memory of the copy engine.",
    ),
    "bench-venue": Place(
        "copyplugin.bench.venue_command:bench_venue_command",
        "Measure clients, orders and streams through ccxt against a served exchange.",
    ),
    "db": Place(
        "copyplugin.command_line.database:database_group",
        "Make the database, bring it up to date, look whether it is.",
    ),
    "doctor": Place(
        "copyplugin.command_line.venues:doctor_command",
        "Look at the venue and the connected accounts before the first order; change nothing.",
    ),
    "engine": Place(
        "copyplugin.command_line.processes:engine_command",
        "Run the engine: the feed, commands and the jobs by the clock; on SQLite the lanes too.",
    ),
    "follow-settings": Place(
        "copyplugin.command_line.follow_settings:follow_settings_command",
        "Print the settings of a follow, or change some; ratios are parts: 0.05 is 5 %.",
    ),
    "halt": Place(
        "copyplugin.command_line.halts:halt_command",
        "Open nothing new until `resume`; closes are still copied.",
    ),
    "halts": Place(
        "copyplugin.command_line.halts:halts_command",
        "List what is halted: since when, by whom and why; and who resumed, and why.",
    ),
    "keys": Place(
        "copyplugin.command_line.keys:keys_group",
        "Connect accounts of the venue: API keys that trade and cannot withdraw.",
    ),
    "kill-test": Place(
        "copyplugin.bench.kill_command:kill_test_command",
        "Kill engine, worker, database or exchange (SIGKILL) in the middle of fan-outs.",
    ),
    "leader-centre": Place(
        "copyplugin.command_line.leader_centre:leader_centre_command",
        "Print what a leader earns, his latest shares, and who follows him.",
    ),
    "leaders": Place(
        "copyplugin.command_line.leaders:leaders_command",
        "List the leaders with their followers, copy amounts and profit.",
    ),
    "ledger": Place(
        "copyplugin.command_line.ledger:ledger_group",
        "Look after the books.",
    ),
    "notice-choices": Place(
        "copyplugin.command_line.notice_choices:notice_choices_command",
        "Print what operators are told by which ways, or switch single ones off and on again.",
    ),
    "notices": Place(
        "copyplugin.command_line.notices:notices_command",
        "Print what operators are told, the latest first; exit code 1 while something urgent"
        " lasts.",
    ),
    "notify-test": Place(
        "copyplugin.command_line.notices:notify_test_command",
        "Send one message by every way out that the settings name, and say whether it was taken.",
    ),
    "orphans": Place(
        "copyplugin.command_line.orphans:orphans_group",
        "Positions in sub-accounts that no lane wants: list them, close one.",
    ),
    "paper": Place(
        "copyplugin.command_line.paper:paper_group",
        "Follow with play money: the same rules, prices, fees and share, and no order at the"
        " venue.",
    ),
    "payables": Place(
        "copyplugin.command_line.payables:payables_group",
        "Shares that followers owe because the venue does not move money between people.",
    ),
    "receipts": Place(
        "copyplugin.command_line.receipts:receipts_command",
        "Print what became of each leader order for a follow: prices, delay, slippage, or why not.",
    ),
    "replay": Place(
        "copyplugin.replay.command:replay_command",
        "Let recorded leaders trade on the simulated exchange and copy them with the real engine.",
    ),
    "resume": Place(
        "copyplugin.command_line.halts:resume_command",
        "Copy opens again after `halt`.",
    ),
    "settings": Place(
        "copyplugin.command_line.settings:settings_group",
        "Print every setting with its value, where it comes from, and its meaning.",
    ),
    "statement": Place(
        "copyplugin.command_line.statement:statement_command",
        "Print everything that moved money in a follow; its sum is the ledger's balance.",
    ),
    "statistics": Place(
        "copyplugin.command_line.statistics:statistics_group",
        "Look after the leaders' figures.",
    ),
    "venues": Place(
        "copyplugin.command_line.venues:venues_command",
        "Print what each venue can and cannot do, and how that is proven.",
    ),
    "what-if": Place(
        "copyplugin.replay.what_if:what_if_command",
        "Replay a leader's stored fills with a visitor's own settings, fees and share included.",
    ),
    "worker": Place(
        "copyplugin.command_line.processes:worker_command",
        "Steer lanes, beside any number of other workers, on PostgreSQL.",
    ),
}


@click.group(
    cls=LazyGroup,
    places=PLACES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Copy trading for perpetual exchanges."""
    if not __debug__:
        raise click.UsageError(
            "python -O removes the checks this program relies on: run it without -O"
        )
