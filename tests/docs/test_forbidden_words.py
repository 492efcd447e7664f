"""The words that the glossary forbids stay out of the source and of the pages."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, PAGES, TOP, name_of, prose, sections

GLOSSARY = DOCS / "reference" / "glossary.md"
SOURCES = sorted((TOP / "discosync").rglob("*.py"))

FORBIDDEN = {
    "contract": re.compile(r"\bcontract\b", re.IGNORECASE),
    "limit 1, limit 2, …": re.compile(r"\b[Ll]imits? \d\b"),
    "section 6": re.compile(r"\bsection \d", re.IGNORECASE),
}
"""A way of speaking that the glossary forbids → how it is found."""


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_forbidden_words_stay_out(word: str) -> None:
    """Limits have names, and what a page says is cited by that page."""
    pages = [page for page in PAGES if page != GLOSSARY]
    texts = {name_of(path): path.read_text() for path in SOURCES}
    texts |= {name_of(page): prose(page) for page in pages}
    assert [name for name, text in texts.items() if FORBIDDEN[word].search(text)] == []


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
