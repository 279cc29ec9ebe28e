"""How commands answer: sentences for people, one JSON object for programs, and exit code 2."""

from pathlib import Path
from typing import ClassVar

import click
import msgspec

STANDARD_OUTPUT = "-"


class BadInput(click.ClickException):
    """What the user gave cannot be used; the message says what to change."""

    exit_code: ClassVar[int] = 2


def write_json(target: str, answer: object) -> None:
    """Write `answer` as indented JSON to a file, or to the standard output for `-`.

    The file is replaced whole or not at all. Raises BadInput when it cannot be written.
    """
    encoded = msgspec.json.format(msgspec.json.encode(answer), indent=2)
    if target == STANDARD_OUTPUT:
        click.echo(encoded.decode())
        return
    path = Path(target)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(encoded + b"\n")
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from error
