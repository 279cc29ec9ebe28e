"""`simexchange campaign`: long runs with a count, for a machine that has time."""

import click
import msgspec

from simexchange.campaign.differential import BookPair
from simexchange.campaign.hashes import HashReport, compare_hashes
from simexchange.campaign.mixed import COMMANDS_FOR_ALL_FEATURES, MixedReport, run_mixed
from simexchange.output import STANDARD_OUTPUT, write_json


class BookReport(msgspec.Struct, frozen=True, kw_only=True):
    """Orders given to the book and to the slow one; `problem` None when they never differed."""

    commands: int
    trades: int
    problem: str | None


class CampaignReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was run; None for what was left out."""

    is_sound: bool
    mixed: MixedReport | None
    book: BookReport | None
    hashes: HashReport | None


@click.command("campaign", short_help="Look for what short tests miss, with a count.")
@click.option(
    "--commands",
    type=click.IntRange(0),
    default=200_000,
    show_default=True,
    help="Commands of mixed streams; 0 leaves them out.",
)
@click.option("--commands-per-seed", type=click.IntRange(100), default=2_000, show_default=True)
@click.option(
    "--check-every",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Commands between full checks; 0: at the end of each seed. The ledger is always summed.",
)
@click.option(
    "--book-commands",
    type=click.IntRange(0),
    default=50_000,
    show_default=True,
    help="Orders for the book and its slow twin; 0 leaves them out.",
)
@click.option(
    "--hash-seeds",
    type=click.IntRange(0),
    default=1_000,
    show_default=True,
    help="Seeds to run in two processes of different PYTHONHASHSEED; 0 leaves them out.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The first.")
@click.option("--only", is_flag=True, help="Run the mixed stream of --seed and nothing else.")
@click.option(
    "--json",
    "json_target",
    is_flag=False,
    flag_value=STANDARD_OUTPUT,
    metavar="[FILE]",
    help="Write one JSON object, to the standard output or to a file.",
)
@click.pass_context
def campaign_command(  # noqa: PLR0913 - click passes one argument per option
    context: click.Context,
    *,
    commands: int,
    commands_per_seed: int,
    check_every: int,
    book_commands: int,
    hash_seeds: int,
    seed: int,
    only: bool,
    json_target: str | None,
) -> None:
    """Run mixed streams, the book beside a slow one, and seeds in two processes.

    Every stream mixes all features of the exchange, sense and nonsense; the invariants are checked
    after each command, by the exchange itself and by a witness that adds up its events, and at the
    end of each seed everything is cancelled and closed and nothing may be held back. A run of
    100,000 commands that never met some feature is a fault too.

    Exit code 0: all is well; 1: something broke; `--seed S --only` then repeats the seed.
    """
    if only:
        commands, book_commands, hash_seeds = commands_per_seed, 0, 0
    mixed = book = hashes = None
    if commands:
        mixed = run_mixed(
            commands=commands,
            first_seed=seed,
            commands_per_seed=commands_per_seed,
            check_every=check_every,
        )
    if book_commands:
        book = run_book(commands=book_commands, seed=seed)
    if hash_seeds:
        hashes = compare_hashes(seeds=hash_seeds, first_seed=seed)
    report = CampaignReport(
        is_sound=(mixed is None or mixed.is_sound)
        and (book is None or book.problem is None)
        and (hashes is None or hashes.is_sound),
        mixed=mixed,
        book=book,
        hashes=hashes,
    )
    if json_target is not None:
        write_json(json_target, report)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_lines(report)))
    context.exit(0 if report.is_sound else 1)


def run_book(*, commands: int, seed: int) -> BookReport:
    """Give `commands` orders to the book and to the slow one, until they differ."""
    pair, problem, done = BookPair(seed), None, 0
    while done < commands and problem is None:
        try:
            pair.step()
        except AssertionError as error:
            problem = f"after {done} commands of seed {seed}: {error}"
        else:
            done += 1
    return BookReport(commands=done, trades=pair.trades, problem=problem)


def _lines(report: CampaignReport) -> list[str]:
    lines: list[str] = []
    if report.mixed is not None:
        lines += _mixed_lines(report.mixed)
    book, hashes = report.book, report.hashes
    if book is not None:
        verdict = "as the slow book" if book.problem is None else f"DIFFERENT {book.problem}"
        lines.append(f"book: {book.commands:,} commands, {book.trades:,} trades, {verdict}")
    if hashes is not None:
        lines.append(
            f"hashes: {hashes.seeds:,} seeds in two processes each ({hashes.processes:,} processes,"
            f" {hashes.commands_per_seed:,} commands a seed), {len(hashes.different):,} differ,"
            f" {hashes.distinct_hashes:,} distinct"
        )
        lines += [f"DIFFERENT in two processes: seed {seed}" for seed in hashes.different]
        if hashes.problem is not None:
            lines.append(f"A PROCESS FAILED: {hashes.problem}")
    return [*lines, "sound" if report.is_sound else "NOT SOUND"]


def _mixed_lines(mixed: MixedReport) -> list[str]:
    width = max(map(len, mixed.events), default=0)
    lines = [
        f"mixed: {mixed.commands:,} commands of {mixed.seeds:,} seeds, {mixed.full_checks:,}",
        f"full checks, {mixed.drained:,} drained to nothing, {len(mixed.features):,} features met",
        *(f"  {name:<{width}}  {count:>12,}" for name, count in mixed.events.items()),
        f"hash of all events: {mixed.event_hash}",
    ]
    if mixed.commands >= COMMANDS_FOR_ALL_FEATURES:
        lines += [f"NEVER OCCURRED: {name}" for name in mixed.never]
    elif mixed.never:
        lines.append(f"not met in so short a run: {len(mixed.never):,} features")
    if mixed.failure is not None:
        failure = mixed.failure
        lines += [
            f"BROKEN: seed {failure.seed}, command {failure.command}: {failure.problem}",
            failure.text,
            failure.trace,
            failure.ledger,
            f"repeat: simexchange campaign --only --seed {failure.seed}",
        ]
    return lines
