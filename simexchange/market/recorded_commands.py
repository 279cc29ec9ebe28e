"""Recorded markets on the exchange: `simexchange replay-candles`, `-book` and `-trades`."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from simexchange.core.instrument import Instrument
from simexchange.core.types import SECOND_US
from simexchange.market.candles import CandlesError, day_us, finest_tick, moment, read_candles
from simexchange.market.l2 import CaptureError
from simexchange.market.recorded_market import (
    BookFigures,
    CandleFigures,
    TapeFigures,
    run_book,
    run_candles,
    run_tape,
)
from simexchange.market.tape import read_trades
from simexchange.output import STANDARD_OUTPUT, BadInput, write_json

DAY_US = 24 * 3600 * SECOND_US
MOST_LEVELS = 1_000


class Positive(click.ParamType[Decimal]):
    """A decimal number above zero."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number.is_finite() or number <= 0:
            self.fail(f"{value} is not above zero", param, ctx)
        return number


def _instrument(symbol: str, tick_size: Decimal, contract_size: Decimal) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        tick_size=tick_size,
        contract_size=contract_size,
    )


@click.command("replay-candles", short_help="Quote through recorded candles.")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    help="What to call the instrument; once for each file. Default: as the file is called.",
)
@click.option("--tick-size", type=Positive(), help="Default: the finest decimals of each file.")
@click.option("--contract-size", type=Positive(), default="0.001", show_default=True)
@click.option("--day", metavar="YYYY-MM-DD", help="This UTC day only.")
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the figures as JSON (-: stdout)."
)
@click.pass_context
def replay_candles_command(  # noqa: PLR0913, PLR0917 - one argument an option
    context: click.Context,
    files: tuple[Path, ...],
    symbols: tuple[str, ...],
    tick_size: Decimal | None,
    contract_size: Decimal,
    day: str | None,
    json_target: str | None,
) -> None:
    """Let a market maker quote through recorded candles.

    FILES are feather files as freqtrade downloads them, one for each instrument; several walk
    together, through the candles that all of them have. Each candle is four steps of the index,
    through its extremes, and the exchange's book must stay round the index at every one.

    Exit code 0: it did, and the ledger balances; 1: not; 2: a file cannot be used.
    """
    try:
        instruments = [
            _instrument(symbol, tick_size or finest_tick(file), contract_size)
            for file, symbol in zip(files, _symbols(files, symbols), strict=True)
        ]
        since = None if day is None else day_us(day)
        until = None if since is None else since + DAY_US
        candles = {
            instrument.symbol: read_candles(file, instrument)
            for file, instrument in zip(files, instruments, strict=True)
        }
        figures = run_candles(candles, instruments, since=since, until=until)
    except CandlesError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        only = next(iter(figures.values()))
        write_json(json_target, only if len(figures) == 1 else {"instruments": figures})
    if json_target != STANDARD_OUTPUT:
        for instrument in instruments:
            own = candles[instrument.symbol]
            span = f"{moment(own[0].start_at)} to {moment(own[-1].start_at)}"
            lines = _candle_lines(figures[instrument.symbol], instrument, day or span)
            click.echo("\n".join(lines))
    context.exit(0 if all(each.follows for each in figures.values()) else 1)


def _symbols(files: Sequence[Path], given: Sequence[str]) -> Sequence[str]:
    """Return a symbol for each file: BTCUSDT for `BTC_USDT_USDT-1m-futures.feather`."""
    if given and len(given) != len(files):
        raise CandlesError(f"{len(files)} files need --symbol as often, not {len(given)} times")
    symbols = given or [symbol_of(file) for file in files]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise CandlesError(f"two files are called {symbol}; name them with --symbol")
    return symbols


def symbol_of(file: Path) -> str:
    base = file.name.partition("_")[0]
    return f"{base}USDT" if base.isalnum() and base.isupper() else "XUSDT"


@click.command("replay-trades", short_help="Trade recorded public trades again.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbol", default="BTCUSDT", show_default=True)
@click.option("--tick-size", type=Positive(), default="0.1", show_default=True)
@click.option("--contract-size", type=Positive(), default="0.001", show_default=True)
@click.option("--step-ms", type=click.IntRange(1, 60_000), default=1_000, show_default=True)
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the figures as JSON (-: stdout)."
)
@click.pass_context
def replay_trades_command(  # noqa: PLR0913, PLR0917 - one argument an option
    context: click.Context,
    file: Path,
    symbol: str,
    tick_size: Decimal,
    contract_size: Decimal,
    step_ms: int,
    json_target: str | None,
) -> None:
    """Trade recorded public trades again, one by one, through the exchange's own book.

    FILE is a raw capture of Binance's USD-M streams, or a CSV of Binance's public archive (price,
    qty, time, is_buyer_maker). With nobody else in the book every trade must come out as recorded:
    price, size, who took, and the order of all of them.

    Exit code 0: they did, and the ledger balances; 1: not; 2: FILE cannot be used.
    """
    instrument = _instrument(symbol, tick_size, contract_size)
    try:
        trades = read_trades(file, instrument)
        figures = run_tape(trades, instrument, step_us=step_ms * 1000)
    except CaptureError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        write_json(json_target, figures)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_tape_lines(figures, instrument)))
    context.exit(0 if figures.follows else 1)


def _tape_lines(figures: TapeFigures, instrument: Instrument) -> list[str]:
    first, last, low, high = (
        instrument.ticks_to_price(ticks)
        for ticks in (figures.first, figures.last, figures.low, figures.high)
    )
    volume = instrument.base_from_contracts(figures.contracts)
    return [
        (
            f"{instrument.symbol}: {figures.trades:,} trades of {volume} {instrument.base},"
            f" {figures.steps:,} steps"
        ),
        f"price {first} to {last}, between {low} and {high}",
        f"trades as recorded: {figures.as_recorded:,} of {figures.trades:,}",
        f"refused orders: {figures.refusals}",
        f"ledger: {'balanced' if figures.ledger_residue == 0 else 'OFF'}",
        f"event hash: {figures.event_hash}",
    ]


def _candle_lines(figures: CandleFigures, instrument: Instrument, span: str) -> list[str]:
    first, last, low, high = (
        instrument.ticks_to_price(ticks)
        for ticks in (figures.first, figures.last, figures.low, figures.high)
    )
    return [
        f"{instrument.symbol}, {span}: {figures.candles:,} candles, {figures.steps:,} steps",
        f"index {first} to {last}, between {low} and {high} (as recorded)",
        f"spread {figures.spread_median} ticks in the middle, {figures.spread_widest} at most",
        f"steps with the book away from the index: {figures.steps_astray}",
        f"refused quotes: {figures.refusals}",
        f"ledger: {'balanced' if figures.ledger_residue == 0 else 'OFF'}",
        f"event hash: {figures.event_hash}",
    ]


@click.command("replay-book", short_help="Repeat a recorded order book.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbol", default="BTCUSDT", show_default=True)
@click.option("--tick-size", type=Positive(), default="0.1", show_default=True)
@click.option("--contract-size", type=Positive(), default="0.001", show_default=True)
@click.option("--step-ms", type=click.IntRange(1, 60_000), default=1_000, show_default=True)
@click.option("--levels", type=click.IntRange(1, MOST_LEVELS), default=100, show_default=True)
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the figures as JSON (-: stdout)."
)
@click.pass_context
def replay_book_command(  # noqa: PLR0913, PLR0917 - one argument an option
    context: click.Context,
    file: Path,
    symbol: str,
    tick_size: Decimal,
    contract_size: Decimal,
    step_ms: int,
    levels: int,
    json_target: str | None,
) -> None:
    """Rebuild a recorded order book and repeat it on the exchange.

    FILE is a raw capture of Binance's USD-M streams (depth, bookTicker, one snapshot). The rebuilt
    best bid and ask are compared with the recorded ticker after every change, and the exchange's
    depth with the recorded one after every step.

    Exit code 0: all equal; 1: something differs; 2: FILE cannot be used.
    """
    instrument = _instrument(symbol, tick_size, contract_size)
    try:
        figures = run_book(file, instrument, step_us=step_ms * 1000, levels=levels)
    except CaptureError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        write_json(json_target, figures)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_book_lines(figures)))
    context.exit(0 if figures.follows else 1)


def _book_lines(figures: BookFigures) -> list[str]:
    return [
        f"{figures.changes:,} changes of depth",
        f"best bid and ask as recorded: {figures.equal:,} of {figures.compared:,}",
        (
            f"depth on the exchange as recorded, {figures.levels} levels a side:"
            f" {figures.steps_equal:,} of {figures.steps:,} steps"
        ),
        f"refused quotes: {figures.refusals}",
        f"ledger: {'balanced' if figures.ledger_residue == 0 else 'OFF'}",
        f"event hash: {figures.event_hash}",
    ]
