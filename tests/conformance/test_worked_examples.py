"""Every worked example passes under its rule set; those of wrong sources are pinned as defects.

`WORKED_EXAMPLES` names another file of the same shape to run instead.
"""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conformance.worked_adapter import ANSWERS, agrees, answer, last_digit_of, tolerance_of
from tests.conformance.worked_defects import DEFECTS

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/worked_examples/worked_examples.json"
FILE = Path(os.environ.get("WORKED_EXAMPLES", SHARED))

# Numbers that stand without quotes are read digit for digit too.
EXAMPLES = json.loads(FILE.read_text(), parse_float=Decimal) if FILE.exists() else []


def chosen(*, agreeing):
    """Return pytest parameters, one per example whose source agrees, disagrees or is unseen."""
    found = [
        pytest.param(example, id=example["id"])
        for example in EXAMPLES
        if example["agrees"] is agreeing
    ]
    reason = f"no worked example of this kind in {FILE.name}; it lies beside the repository"
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]


@pytest.mark.parametrize("example", chosen(agreeing=True))
def test_our_value_is_the_one_the_venue_prints(example):
    assert agrees(answer(example), example["expected"], tolerance_of(example))


@pytest.mark.parametrize(
    "example", [*chosen(agreeing=True), *chosen(agreeing=False), *chosen(agreeing=None)]
)
def test_our_value_is_the_recomputed_one_to_its_last_digit(example):
    recomputed = example["recomputed"]

    assert agrees(answer(example), recomputed, last_digit_of(recomputed))


@pytest.mark.parametrize("example", chosen(agreeing=False))
def test_a_source_that_is_wrong_is_a_documented_defect(example):
    differs = not agrees(answer(example), example["expected"], tolerance_of(example))

    assert differs
    if FILE == SHARED:
        assert DEFECTS[example["id"]]


@pytest.mark.skipif(FILE != SHARED or not EXAMPLES, reason="the reasons are of the shared file")
def test_every_documented_defect_is_a_disagreeing_example():
    disagreeing = {example["id"] for example in EXAMPLES if example["agrees"] is False}

    assert set(DEFECTS) == disagreeing


@pytest.mark.skipif(not EXAMPLES, reason="the worked examples lie beside the repository")
def test_every_topic_of_the_examples_has_an_answer():
    assert {example["topic"] for example in EXAMPLES} <= set(ANSWERS)


@pytest.mark.skipif(not EXAMPLES, reason="the worked examples lie beside the repository")
def test_the_defects_are_told_in_the_documentation():
    page = (ROOT / "docs/RULES.md").read_text()

    assert [name for name in DEFECTS if name not in page] == []
