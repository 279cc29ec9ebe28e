"""Recorded answers of the venues, and what an answer of ours lacks of them."""

import json
from typing import Any

import pytest

from tests.conftest import ROOT

SAMPLES = ROOT.parent / "shared" / "data" / "api_samples"


def sample(venue: str, name: str) -> Any:
    """Return the answer of a recorded request; the test is skipped where there is no record."""
    path = SAMPLES / venue / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"there are no recorded answers at {SAMPLES}")
    text = path.read_text(encoding="utf-8-sig")
    return json.loads(text.split("\n", 3)[3])


def pushed_sample(venue: str, name: str) -> Any:
    """Return the message of a recorded subscription."""
    path = SAMPLES / venue / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"there are no recorded answers at {SAMPLES}")
    text = path.read_text(encoding="utf-8-sig")
    return json.loads(text[text.index("= ") + 1 :])


def lacking(wanted: Any, found: Any, place: str = "") -> list[str]:
    """Return the fields of ``wanted`` that ``found`` has not, or has as another kind of value."""
    if _kind(wanted) != _kind(found):
        return [f"{place} is {found!r}, not like {wanted!r}"]
    if isinstance(wanted, dict):
        return [
            problem
            for name, value in wanted.items()
            for problem in (
                lacking(value, found[name], f"{place}.{name}")
                if name in found
                else [f"{place}.{name}"]
            )
        ]
    if isinstance(wanted, list) and wanted:
        return lacking(wanted[0], found[0], f"{place}[]") if found else [f"{place} is empty"]
    return []


def _kind(value: Any) -> str:
    """Return the kind of a value; of plain ones only whether it is a text."""
    for kind in (dict, list, str):
        if isinstance(value, kind):
            return kind.__name__
    return "plain"
