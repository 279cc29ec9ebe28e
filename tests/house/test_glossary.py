"""The glossary speaks of names that exist."""

import re

from tests.house.rules import PRODUCT, ROOT, sources

NAME = re.compile(r"[A-Za-z]\w{2,}")


def names_in_code_column(glossary: str) -> set[str]:
    """Return every name of the second column, where a table has one for code."""
    rows = (line.split(" | ") for line in glossary.splitlines() if line.startswith("| "))
    code = (part for row in rows if len(row) > 2 for part in re.findall(r"`([^`]+)`", row[1]))
    return {name for part in code for name in NAME.findall(part)}


def unknown_names(glossary: str, code: str) -> list[str]:
    known = set(NAME.findall(code))
    return sorted(
        name
        for name in names_in_code_column(glossary)
        if name not in known and not (name.endswith("_") and any(k.startswith(name) for k in known))
    )


def test_every_name_in_the_glossary_is_used_in_the_code():
    code = "\n".join(s.text for s in sources() if s.is_python and s.path.startswith(PRODUCT))

    assert unknown_names((ROOT / "docs" / "GLOSSARY.md").read_text(), code) == []


def test_a_name_that_is_gone_from_the_code_is_reported():
    row = "| word | `Gone`, `kept: Money`, `delay_…` | what it means | – | – |"

    assert unknown_names(row, "kept: Money = delay_seconds") == ["Gone"]
