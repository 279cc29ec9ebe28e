"""The documents are true: their blocks run, and they name everything there is."""

import re
from pathlib import Path

import pytest

from simexchange.faults import Fault
from simexchange.scenario.actions import ACTIONS
from simexchange.scenario.expectations import EXPECTATIONS
from simexchange.scenario.facts import (
    BALANCE_NUMBERS,
    ORDER_NUMBERS,
    ORDER_WORDS,
    PLAN_NUMBERS,
    PLAN_WORDS,
    POSITION_NUMBERS,
    POSITION_WORDS,
    PRICE_NUMBERS,
)
from simexchange.scenario.instruments import ATTRIBUTES, FUNDING_ATTRIBUTES, SPECIAL_WORDS
from simexchange.scenario.parser import SECTIONS, parse_scenario
from simexchange.scenario.runner import run_scenario
from simexchange.scenario.steps import OTHER_VERBS

DOCS = Path(__file__).resolve().parents[3] / "docs"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# a block that is only steps runs on this
HEAD = """\
scenario: steps of a document
instruments:
  BTCUSDT: {tick: 0.1, face: 0.001, maker_fee: 0.02%, taker_fee: 0.05%, mark: 65000}
accounts:
  maker: {kind: maker, deposit: 1000000}
  alice: {deposit: 1000, leverage: 10}
steps:
  - quote: {account: maker, around: 65000, contracts: 10, levels: 3}
"""


def blocks():
    for name in ("SCENARIOS.md", "QA.md"):
        for match in BLOCK.finditer((DOCS / name).read_text("utf-8")):
            line = match.string[: match.start()].count("\n") + 1
            yield pytest.param(match.group(1), id=f"{name}:{line}")


@pytest.mark.parametrize("block", list(blocks()))
def test_a_block_of_a_document_goes_as_it_says(block):
    if not block.startswith("scenario:"):
        block = HEAD + "".join(f"  {line}\n" for line in block.splitlines())

    outcome = run_scenario(parse_scenario(block, "document"))

    assert outcome.passed, "\n".join([*outcome.transcript, *map(str, outcome.failure.mismatches)])


@pytest.mark.parametrize(
    "words",
    [
        SECTIONS,
        ["parameters", *ATTRIBUTES, *SPECIAL_WORDS, *FUNDING_ATTRIBUTES],
        [*ACTIONS, *OTHER_VERBS],
        EXPECTATIONS,
        [*POSITION_NUMBERS, *POSITION_WORDS, *BALANCE_NUMBERS, *PRICE_NUMBERS],
        [*ORDER_NUMBERS, *ORDER_WORDS, *PLAN_NUMBERS, *PLAN_WORDS],
        [fault.value for fault in Fault],
    ],
    ids=["sections", "instrument", "verbs", "expectations", "facts", "orders", "faults"],
)
def test_every_word_of_the_format_is_in_its_document(words):
    text = (DOCS / "SCENARIOS.md").read_text("utf-8")

    assert [word for word in words if f"`{word}`" not in text] == []
