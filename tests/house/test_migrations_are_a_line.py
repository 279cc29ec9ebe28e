"""Migrations are one line: each has one before it and one after it, and its file is its number."""

import ast

from tests.house.rules import ROOT

VERSIONS = ROOT / "migrations" / "versions"


def declared(path):
    """Return what a migration says it is, and what comes before it."""
    names = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = node.value
    return [ast.literal_eval(names[each]) for each in ("revision", "down_revision")]


def test_each_migration_follows_the_one_before_it():
    files = sorted(VERSIONS.glob("[0-9]*.py"))
    numbers = [path.name.partition("_")[0] for path in files]

    assert [declared(path) for path in files] == [
        [number, before] for number, before in zip(numbers, [None, *numbers], strict=False)
    ], "two migrations were made at once: give the later one the next number"
