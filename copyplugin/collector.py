"""How Python's collector treats a process that copies and does nothing else."""

import gc

YOUNG_OBJECTS = 50_000
"""New objects between two looks of the collector: a turn makes some thousands, and ends them."""


def spare_what_lives() -> None:
    """Let the collector walk neither what is there already nor every turn's rows several times.

    Rows and answers end by their reference counts; only what ends in a circle, such as a closed
    connection, waits for the collector. For a process of ours that is set up; a host that copies in
    its own process decides for itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
