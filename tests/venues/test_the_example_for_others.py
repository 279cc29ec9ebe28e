"""The example that a third party copies fits the suite as it is."""

import re

from copyplugin.venues.conformance.bench import VenueBench
from copyplugin.venues.conformance.suite import VenueConformance
from tests.conftest import ROOT


def example() -> dict[str, object]:
    text = (ROOT / "docs" / "VENUES.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, object] = {}
    exec(compile(code[1], "docs/VENUES.md", "exec"), names)
    return names


def test_its_bench_has_everything_that_a_bench_has():
    bench = example()["MyBench"]
    wanted = {name for name in vars(VenueBench) if not name.startswith("_")}

    missing = {name for name in wanted if not hasattr(bench, name)}

    assert missing == {"venue"}  # made when a bench is made
    assert "self.venue =" in (ROOT / "docs" / "VENUES.md").read_text("utf-8")


def test_its_tests_are_the_suite_with_a_bench():
    tests = example()["TestMyVenue"]

    assert issubclass(tests, VenueConformance)
    assert "bench" in vars(tests)
