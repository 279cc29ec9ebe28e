"""The page for QA engineers is true: its tests run, and a failure looks as it says."""

import re
from pathlib import Path

import pytest

from simexchange.pytest_plugin.account import AccountFacade
from simexchange.pytest_plugin.facade import ExchangeFacade
from simexchange.pytest_plugin.making import SETTINGS

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "QA.md").read_text("utf-8")
BLOCKS = [
    pytest.param(match.group(1), id=f"line {PAGE[: match.start()].count(chr(10)) + 1}")
    for match in re.finditer(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
]
FAILURE = re.search(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

NOT_FOR_TESTS = {"world", "world_instrument", "expect_none", "fail"}


def public(facade):
    names = {name for name in vars(facade) if not name.startswith("_")}
    return names - NOT_FOR_TESTS


@pytest.mark.parametrize("block", BLOCKS)
def test_a_test_of_the_page_does_as_it_says(pytester, options, block):
    pytester.makepyfile(test_page=block)

    result = pytester.runpytest_inprocess(*options)

    if "# wrong" not in block:
        assert set(result.parseoutcomes()) == {"passed"}
        return
    result.assert_outcomes(failed=1)
    assert FAILURE is not None
    shown = [re.sub(r"^E +(AssertionError: )?", "", line).strip() for line in result.outlines]
    for line in FAILURE.group(1).splitlines():
        assert any(found.startswith(line.strip()) for found in shown), line


def test_the_page_names_every_method_and_setting():
    missing = [
        name
        for name in sorted(public(ExchangeFacade) | public(AccountFacade))
        if not re.search(rf"\b{name}\b", PAGE)
    ]
    missing += [name for name in SETTINGS if f"`{name}=" not in PAGE]

    assert missing == []
