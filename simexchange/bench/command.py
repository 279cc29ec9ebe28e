"""`simexchange bench`: the figures of this machine, as text or one JSON object."""

import click
import msgspec

from simexchange.bench.compiled import CompileError, measure_compiled
from simexchange.bench.measures import Effort, Figures, measure
from simexchange.output import STANDARD_OUTPUT, write_json


@click.command("bench")
@click.option("--orders", type=click.IntRange(100), default=200_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--accounts", type=click.IntRange(2), default=1_000, show_default=True)
@click.option(
    "--long-orders",
    type=click.IntRange(0),
    default=1_000_000,
    show_default=True,
    help="Length of the run whose end is compared with its beginning; 0 leaves it out.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--quick", is_flag=True, help="A tenth of everything, for a first look.")
@click.option(
    "--instructions/--no-instructions",
    default=True,
    help="Count instructions with valgrind, where it is installed (about a minute).",
)
@click.option(
    "--compiled",
    is_flag=True,
    help="Measure a copy whose core is compiled with mypyc (needs mypy, setuptools, a C compiler).",
)
@click.option(
    "--json",
    "json_target",
    is_flag=False,
    flag_value=STANDARD_OUTPUT,
    metavar="[FILE]",
    help="Write one JSON object, to the standard output or to a file.",
)
def bench_command(  # noqa: PLR0913 - click passes one argument per option
    *,
    orders: int,
    rounds: int,
    accounts: int,
    long_orders: int,
    seed: int,
    quick: bool,
    instructions: bool,
    compiled: bool,
    json_target: str | None,
) -> None:
    """Measure the exchange with everything on: events, hash, ledger, margin, liquidation.

    The workload is 60 % limits near mid (1 in 7 marketable), 30 % cancels of living orders and
    10 % market orders. Times are CPU time of one thread, medians of the rounds.
    """
    part = 10 if quick else 1
    effort = Effort(
        orders=max(100, orders // part),
        rounds=rounds,
        accounts=accounts,
        long_orders=long_orders // part,
        positions=(1_000, 3_000, 10_000) if quick else (1_000, 10_000, 100_000),
        ticks=4_000 // part,
        seed=seed,
        instructions=instructions,
    )
    figures = _compiled(effort) if compiled else measure(effort)
    if json_target is not None:
        write_json(json_target, figures)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_lines(figures)))


def _compiled(effort: Effort) -> Figures:
    arguments = [
        f"--orders={effort.orders}",
        f"--rounds={effort.rounds}",
        f"--accounts={effort.accounts}",
        f"--long-orders={effort.long_orders}",
        f"--seed={effort.seed}",
        "--instructions" if effort.instructions else "--no-instructions",
    ]
    try:
        return measure_compiled(
            arguments, orders=effort.orders, seed=effort.seed, accounts=effort.accounts
        )
    except CompileError as error:
        raise click.ClickException(str(error)) from error


def _lines(figures: Figures) -> list[str]:
    values: dict[str, object] = msgspec.to_builtins(figures)
    width = max(map(len, values))
    return [f"{name:<{width}}  {value}" for name, value in values.items()]
