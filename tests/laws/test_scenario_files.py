"""A law of scenario files: whatever is written, the answer is a scenario or a sentence."""

import re
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simexchange.scenario.parser import parse_scenario
from simexchange.scenario.problem import ScenarioError

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "simexchange"
TEXTS = [path.read_text("utf-8") for path in sorted(FOLDER.glob("*.scenario.yaml"))]
TOKEN = re.compile(r"[\w.%-]+|[{}\[\]:,]")
TOKENS = sorted({token for text in TEXTS for token in TOKEN.findall(text)})

numbers = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.integers(0, 60).map(lambda zeros: "1" + "0" * zeros),
    st.integers(0, 60).map(lambda zeros: "0." + "0" * zeros + "1"),
    st.sampled_from(["0", "-0", "-1", "1e5", "0%", "1" * 40 + "%", "9" * 30 + "d", "99999-01-01"]),
)
replacements = st.one_of(st.sampled_from(TOKENS), numbers, st.text(max_size=5))


@st.composite
def spoiled_texts(draw):
    """An example in which a few words are others."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        places = list(TOKEN.finditer(text))
        place = draw(st.sampled_from(places))
        text = text[: place.start()] + draw(replacements) + text[place.end() :]
    return text


def problems_of(text):
    """Return what is wrong with ``text``; nothing when it is a scenario."""
    try:
        assert parse_scenario(text, "a.scenario.yaml").title
    except ScenarioError as error:
        return error.problems
    return ()


@given(spoiled_texts())
@example("scenario: x\nsteps: [{at: 0001-01-01}]\n")
@example("scenario: x\nstart: 9999-12-31 23:59:59\nsteps: [{advance: 9999999d}]\n")
@example("scenario: x\ninstruments: {AUSDT: {tick: 0, face: 1, mark: 1}}\nsteps: []\n")
@settings(max_examples=200)
def test_whatever_is_written_is_read_or_refused_with_lines(text):
    last = text.count("\n") + 2
    for problem in problems_of(text):
        assert 1 <= problem.place.line <= last
        assert problem.message


@given(st.text(max_size=200))
@example("\x1f")
def test_any_text_is_refused_rather_than_misread(text):
    assert all(problem.message for problem in problems_of(f"scenario: x\nsteps:\n{text}"))
