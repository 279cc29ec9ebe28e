"""Our rules hold, and each of them can fail."""

import pytest

from tests.house.rules import RULES, Rule, Source, sources
from tests.house.rules import module_docstrings as docstrings
from tests.house.rules import no_floats as floats
from tests.house.rules import no_personal_paths as paths
from tests.house.rules import no_true_division as division
from tests.house.rules import short_files as files
from tests.house.rules import short_functions as functions
from tests.house.rules import telling_parameters as parameters

DOMAIN = "copyplugin/domain/example.py"
CORE = "simexchange/core/example.py"
LONG_FUNCTION = "def long():\n" + "    pass\n" * 60

BAD = [
    (files, "web/example.py", "pass\n" * 501, "501 lines"),
    (functions, "web/example.py", LONG_FUNCTION, "long has 61 lines"),
    (functions, "tests/example.py", "async " + LONG_FUNCTION, "long has 61 lines"),
    (docstrings, "web/example.py", "ready = True\n", "what this module is for"),
    (floats, DOMAIN, "rate = 0.1\n", "0.1 is a float"),
    (floats, DOMAIN, "def f(rate: float): ...\n", "float does not belong"),
    (floats, CORE, "rate = float('0.1')\n", "float does not belong"),
    (division, CORE, "half = ticks / 2\n", "use //"),
    (division, CORE, "class T:\n    def f(self): self.ticks /= 2\n", "use //"),
    (parameters, DOMAIN, "def f(amount): ...\n", "Say copy_amount"),
    (parameters, DOMAIN, "def f(*, qty=0): ...\n", "Say contracts"),
    (parameters, DOMAIN, "class F:\n    pnl: Money\n", "Say realized_pnl"),
    (paths, "docs/EXAMPLE.md", "see /ho" + "me/ann/notes\n", "one machine only"),
    (paths, ".ci/example", "cd /wo" + "rk/here\n", "one machine only"),
]

GOOD = [
    (files, "web/example.py", "pass\n" * 500),
    (functions, "web/example.py", LONG_FUNCTION.removesuffix("    pass\n")),
    (functions, "migrations/versions/0001_example.py", LONG_FUNCTION),
    (docstrings, "web/example.py", '"""Ready."""\n'),
    (docstrings, "tests/example.py", "ready = True\n"),
    (floats, DOMAIN, "from decimal import Decimal\nrate = Decimal('0.1')\n"),
    (floats, "web/example.py", "width = 0.5\n"),
    (division, CORE, "half = ticks // 2\n"),
    (division, CORE, "shown = Decimal(ticks) / 2\n"),
    (division, CORE, "def f():\n    r = Fraction(1, 3)\n    return r / 2\n"),
    (division, DOMAIN, "average = cost / contracts\n"),
    (parameters, DOMAIN, "def f(copy_amount, contract_size, realized_pnl): ...\n"),
    (parameters, "web/example.py", "def f(amount): ...\n"),
    (paths, "docs/EXAMPLE.md", "put it in /etc/copyplugin or /var/lib/copyplugin\n"),
    (paths, "web/example.py", "fetch('https://example.org/home/page')\n"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule):
    complaints = [complaint for source in sources() for complaint in rule(source)]

    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize(("rule", "path", "text", "words"), BAD)
def test_a_rule_reports_what_breaks_it(rule: Rule, path: str, text: str, words: str):
    complaints = list(rule(Source(path, text)))

    assert len(complaints) == 1
    assert complaints[0].startswith(path + ":")
    assert words in complaints[0]


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_a_rule_lets_pass_what_keeps_it(rule: Rule, path: str, text: str):
    assert list(rule(Source(path, text))) == []


def test_every_rule_has_been_seen_to_fail():
    assert {rule for rule, *_ in BAD} == set(RULES)


def test_the_rules_see_the_whole_repository():
    seen = {source.path for source in sources()}

    assert {"run", "tox.ini", "README.md", ".ci/run", "copyplugin/domain/__init__.py"} <= seen
    assert not any(path.startswith((".venv", ".tox", "web/static/vendor")) for path in seen)
