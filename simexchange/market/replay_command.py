"""`simexchange replay-fills`: recorded fills against the exchange's own arithmetic."""

from decimal import Decimal, InvalidOperation

import click

from simexchange.core.types import RATE_SCALE
from simexchange.market.fill_replay import MAKER_FEE, TAKER_FEE, replay_fills
from simexchange.market.fills import FillsError, read_fills
from simexchange.market.replay_report import as_json, as_lines
from simexchange.output import STANDARD_OUTPUT, BadInput, write_json

HIGHEST_FEE = RATE_SCALE // 10


class FeeRate(click.ParamType[int]):
    """A fee rate as a fraction (0.0005 is five basis points), turned into units of 10⁻⁸."""

    name = "rate"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            rate = Decimal(str(value)) * RATE_SCALE
        except InvalidOperation:
            self.fail(f"{value!r} is not a number; write five basis points as 0.0005", param, ctx)
        if not rate.is_finite() or rate != int(rate) or abs(rate) > HIGHEST_FEE:
            self.fail(f"{value} is not a fee rate of at most 10 % and eight decimals", param, ctx)
        return int(rate)


@click.command("replay-fills", short_help="Compare recorded fills with the exchange.")
@click.argument("file", type=click.Path())
@click.option("--leader", metavar="ID", help="Replay this leader only.")
@click.option(
    "--taker-fee", type=FeeRate(), default=TAKER_FEE, help="Taker fee rate (default 0.0005)."
)
@click.option(
    "--maker-fee", type=FeeRate(), default=MAKER_FEE, help="Maker fee rate (default 0.0002)."
)
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the report as JSON (- : stdout)."
)
@click.pass_context
def replay_fills_command(
    context: click.Context,
    file: str,
    leader: str | None,
    taker_fee: int,
    maker_fee: int,
    json_target: str | None,
) -> None:
    """Trade recorded fills on the exchange and compare profit and fees row by row.

    FILE is a CSV of fills as Binance's copy-trading pages export them. Every fill goes through the
    exchange's own matching, position and fee code in hedge mode. Realised profit must agree within
    1e-6 USDT and fees within 1e-8 USDT. A close beyond the known position closes what is known;
    the excess was opened before the record, is reported, and nothing is booked for it.

    Exit code 0: all rows agree or are explained; 1: a row differs and nothing explains it; 2: FILE
    cannot be used.
    """
    try:
        record = read_fills(file)
        if leader is not None:
            record = record.only(leader)
        replay = replay_fills(record, maker_fee=maker_fee, taker_fee=taker_fee)
    except FillsError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        write_json(json_target, as_json(replay, maker_fee=maker_fee, taker_fee=taker_fee))
    if json_target != STANDARD_OUTPUT:
        for line in as_lines(replay, maker_fee=maker_fee, taker_fee=taker_fee):
            click.echo(line)
    context.exit(0 if replay.is_explained else 1)
