"""The words that the glossary forbids stay out of the source and of the pages."""

import ast
import re
from pathlib import Path

from tests.support.pages import DOCS, TOP, name_of, sections

GLOSSARY = DOCS / "reference" / "glossary.md"
SOURCES = sorted((TOP / "discosync").rglob("*.py"))


def _names(path: Path) -> set[str]:
    """Give every name that a module makes or uses."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        for field in ("id", "attr", "arg", "name"):
            if isinstance(name := getattr(node, field, None), str):
                found.add(name)
    return found


def test_no_variable_is_a_place() -> None:
    """What was called a place is a position, an index, a slot or a directory."""
    is_place = re.compile(r"(^|_)places?(_|$)", re.IGNORECASE)
    found = {name_of(path): {n for n in _names(path) if is_place.search(n)} for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}


def test_forbidden_words_are_in_the_glossary() -> None:
    """Who trips over the tests above finds what to write instead."""
    text = sections(GLOSSARY)["Words that we do not use"]
    for word in ("contract", "limit 1", "section 6", "place"):
        assert word in text
