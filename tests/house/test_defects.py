"""The deliberate defects can be put into the code as it is, and their tests are there."""

import ast
from pathlib import Path

import pytest

from tests.mutations.defects import DEFECTS, Defect

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_can_be_put_into_the_code(defect: Defect):
    code = (ROOT / defect.file).read_text()

    assert code.count(defect.old) == 1, "bring `old` up to date: it is not in the file exactly once"
    ast.parse(code.replace(defect.old, defect.new))
    for tests in defect.tests:
        path, _, name = tests.partition("::")
        assert (ROOT / path).exists(), f"{path} is not there any more"
        assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text() if name else True


def test_there_are_enough_defects_and_none_is_listed_twice():
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 40
    assert len({(defect.file, defect.old) for defect in DEFECTS}) == len(DEFECTS)
