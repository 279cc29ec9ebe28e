"""What the demonstration says while it starts and stops: each step with the time it took."""

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter

import click


class Steps:
    """Prints each step when it is done and keeps its seconds for the report."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        began = perf_counter()
        yield
        took = perf_counter() - began
        self.seconds[name] = round(took, 3)
        click.echo(f"  {name:<42} {took:7.2f} s")
