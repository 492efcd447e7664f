"""One word, one meaning: the glossary is of the program's words, and they are kept."""

import re

import pytest

from tests.support.pages import DOCS, TOP, rows, sections

GLOSSARY = DOCS / "reference" / "glossary.md"
SECTIONS = sections(GLOSSARY)
FORBIDDEN_SECTION = "Words that we do not use"
SOURCES = sorted((TOP / "discosync").rglob("*.py"))
TERMS = [
    row[0]
    for heading, text in SECTIONS.items()
    if heading != FORBIDDEN_SECTION
    for row in rows(text)
    if row[0] != "word"
]


def _words(text: str) -> str:
    """Put snake case, camel case and plurals into words that a term can be found in."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text.replace("_", " "))
    return apart.casefold()


@pytest.fixture(scope="module")
def source() -> str:
    """Every word of the package's source."""
    return _words("\n".join(path.read_text() for path in SOURCES))


def test_glossary_has_each_term_once() -> None:
    """Two rows would be two meanings."""
    assert len(TERMS) > 50
    assert len(TERMS) == len(set(TERMS))


@pytest.mark.parametrize("term", TERMS)
def test_term_is_used(source: str, term: str) -> None:
    """A term that the source does not use is explained to nobody."""
    assert re.search(rf"\b{term.casefold()}(s|es|ed|d|ing)?\b", source), term
