"""`python -m web.demo`: leaders trade, followers copy, pages show it; or all of it headless."""

import secrets
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import click

from copyplugin.plugin import CopyPlugin
from copyplugin.settings import Settings
from copyplugin.store.database import upgrade_database
from copyplugin.store.queries import Queries
from copyplugin.store.queries.summary import OpenWork
from web.app import create_app
from web.demo import opening
from web.demo.cast import plan_followers
from web.demo.options import DEFAULT_PORT, Options, check_host, check_report
from web.demo.report import make_report, write_report
from web.demo.served import DIALECTS
from web.demo.stage import Stage
from web.demo.steps import Steps
from web.listening import CANNOT_START, CannotStart, PageServer, listening_socket
from web.settings import WebSettings
from web.signals import stop_on_signal

DATABASE = "copyplugin.db"
HEADLESS_SECONDS = 30
REST_SECONDS = 90.0
LOOK_SECONDS = 0.2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="a name of this machine")
@click.option("--data", type=click.Path(path_type=Path), help="folder of the database; made anew")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--followers", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--over-http",
    type=click.Choice(sorted(DIALECTS)),
    help="let the plugin trade through sockets, in the words of this venue",
)
@click.option("--headless", is_flag=True, help="no pages: run, come to rest, report")
@click.option("--seconds", type=click.IntRange(1, 86_400), help="how long a headless run trades")
@click.option("--json", "report", type=click.Path(path_type=Path), help="file for its report")
def main(**given: Any) -> None:
    """Start a simulated exchange, the plugin and its pages on this machine."""
    options = Options(**given)
    if not options.headless and (options.seconds is not None or options.report is not None):
        raise click.UsageError("--seconds and --json belong to --headless.")
    try:
        sys.exit(run_headless(options) if options.headless else run_with_pages(options))
    except CannotStart as refusal:
        click.echo(f"demo: {refusal}", err=True)
        sys.exit(CANNOT_START)
    except opening.OpeningFailed as fault:
        click.echo(f"demo: {fault}", err=True)
        sys.exit(1)


def run_with_pages(options: Options) -> int:
    check_host(options.host)
    with listening_socket(options.host, options.port) as listener, stop_on_signal() as stop:
        steps = Steps()
        with (
            _database(options, f"demo-{options.port}") as url,
            _theatre(options, url, steps) as (
                stage,
                plugin,
            ),
        ):
            with steps.step("pages"):
                settings = WebSettings(
                    secret_key=secrets.token_hex(32), host=options.host, demo_identity=True
                )
                app = create_app(
                    plugin.queries,
                    plugin.commands,
                    settings,
                    operator=plugin.operator_questions,
                )
                pages = PageServer(app, listener, options.host)
            try:
                _greet(options, plugin.queries)
                return _wait(stage, stop)
            finally:
                with steps.step("stopped the pages"):
                    pages.stop()


def run_headless(options: Options) -> int:
    if options.report is not None:
        check_report(options.report)
    seconds = options.seconds or HEADLESS_SECONDS
    steps = Steps()
    with (
        stop_on_signal() as stop,
        _database(options, None) as url,
        _theatre(options, url, steps) as (stage, plugin),
    ):
        with steps.step(f"traded for {seconds} s"):
            stop.wait(seconds)
        if stage.failure is not None:
            raise stage.failure
        with steps.step("came to rest"):
            stage.stop_leaders()
            left_over = _rest(plugin.queries, stage, stop)
        report = make_report(
            plugin.queries,
            stage,
            seed=options.seed,
            seconds=seconds,
            left_over=left_over,
            steps=steps.seconds,
        )
    if options.report is not None:
        write_report(report, options.report)
    click.echo("\n".join(report.lines()))
    for fault in report.faults:
        click.echo(f"demo: {fault}", err=True)
    return 1 if report.faults else 0


@contextmanager
def _theatre(options: Options, url: str, steps: Steps) -> Generator[tuple[Stage, CopyPlugin]]:
    """Open everything in its order, and close it in the opposite one."""
    began = perf_counter()
    settings = _settings(url)
    stage = Stage(settings, seed=options.seed, over_http=options.over_http)
    try:
        with steps.step("exchange and market"):
            stage.open_exchange()
        with steps.step("database"):
            upgrade_database(url)
        with steps.step("plugin"):
            plugin = stage.start_plugin()
        plans = plan_followers(options.followers, tuple(stage.world.leaders))
        with steps.step("leaders and followers"):
            opening.offer_both_modes(plugin)
            leader_ids = opening.add_leaders(plugin, stage)
            follower_ids = opening.add_followers(plugin, stage, plans)
        with steps.step("first follows"):
            opening.start_follows(plugin, stage, plans, (leader_ids, follower_ids))
            opening.start_paper_follow(plugin, stage, plans[0], (leader_ids, follower_ids))
        stage.start_market()
        steps.seconds["start"] = round(perf_counter() - began, 3)
        yield stage, plugin
    finally:
        try:
            with steps.step("stopped the engine"):
                stage.stop_plugin()
        finally:
            with steps.step("stopped the exchange"):
                stage.close_exchange()


def _settings(url: str) -> Settings:
    """Return settings that hurry where a visitor would wait for minutes to see a figure."""
    return Settings(
        database_url=url,
        settle_seconds=5,
        position_data_seconds=5,
        statistics_seconds=5,
        reconcile_seconds=15,
    )


def _rest(queries: Queries, stage: Stage, stop: Event) -> OpenWork:
    """Wait until every fill is known and nothing is left to do; return what is left.

    At most `REST_SECONDS`: whatever is unfinished then goes into the report.
    """
    until = perf_counter() + REST_SECONDS
    while True:
        left_over = queries.open_work()
        is_known = queries.books().leader_fills == stage.leader_fills()
        if (is_known and left_over.is_done) or perf_counter() > until or stop.is_set():
            return left_over
        stop.wait(LOOK_SECONDS)


def _wait(stage: Stage, stop: Event) -> int:
    while not stop.wait(LOOK_SECONDS):
        if stage.failure is not None:
            click.echo(f"demo: the market stopped: {stage.failure!r}", err=True)
            return 1
    click.echo("")
    return 0


@contextmanager
def _database(options: Options, name: str | None) -> Generator[str]:
    """Yield the URL of a database that is not there yet; a folder of ours is emptied first."""
    if options.data is None and name is None:
        with tempfile.TemporaryDirectory(prefix="copytrading-demo-") as folder:
            yield f"sqlite:///{Path(folder) / DATABASE}"
        return
    folder = options.data or Path("var") / str(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{DATABASE}*"):
            if old.is_dir():  # where the play money is kept
                shutil.rmtree(old)
            else:
                old.unlink()
    except OSError as error:
        raise CannotStart(
            f"--data {folder} cannot be used: {error.strerror}. Choose another folder."
        ) from error
    yield f"sqlite:///{folder.absolute() / DATABASE}"


def _greet(options: Options, queries: Queries) -> None:
    followers = queries.followers()
    running = sum(1 for person in followers if person.follows_running)
    names = ", ".join(person.name for person in followers[:6])
    host = f"[{options.host}]" if ":" in options.host else options.host
    click.echo(
        f"\nOpen http://{host}:{options.port}/koltrade\n"
        f"Sign in as anyone: {names}{' …' if len(followers) > 6 else ''}"  # noqa: PLR2004 - as above
        f" ({running} of {len(followers)} follow somebody already)\n"
        "Ctrl-C stops everything.\n"
    )


if __name__ == "__main__":
    main()
