"""How Python's collector treats an exchange that lives long."""

import gc

YOUNG_OBJECTS = 50_000
"""New objects between two looks of the collector; Python's own 700 are for short-lived programs."""


def spare_what_lives() -> None:
    """Let the collector walk neither what is there already nor the book every few hundred orders.

    Orders, events and positions end by their reference counts; only what ends in a circle, such as
    a closed connection, waits for the collector. For a process whose exchange is set up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
