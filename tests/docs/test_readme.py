"""README: short, with a way in, and with what it must carry."""

import ast
import re

import pytest

from discosync import NOTICES
from tests.support.pages import README, TOP, all_commands, rows, sections, spans

TEXT = README.read_text()
STRANGERS_MESSAGES = {"ensurepip is not available"}
"""Messages of Python, not of discosync."""


def test_readme_is_short() -> None:
    """A stranger reads it in a few minutes."""
    assert len(TEXT.splitlines()) <= 150


def test_readme_carries_both_notices() -> None:
    """Discogs' terms ask for two notices."""
    assert NOTICES[0] in " ".join(TEXT.split())
    assert "[Data provided by Discogs](https://www.discogs.com)" in TEXT


def test_readme_holds_the_test_command() -> None:
    """CI runs the first line that installs in place, as it stands."""
    lines = [line for line in TEXT.splitlines() if "pip install -q -e" in line]
    assert lines == [
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest"
    ]
    script = (TOP / ".ci" / "run").read_text()
    assert 'grep -m 1 "pip install -q -e" README.md' in script


def test_readme_names_every_command() -> None:
    """The table of commands has each of them, a group of commands by its name."""
    table = rows(sections(README)["Commands"])
    spelt = [span for row in table for span in spans(row[0])]
    named = {span.removeprefix("discosync ").split()[0] for span in spelt}
    assert named == {name.split()[0] for name in all_commands()}


def _sentences() -> str:
    """Give every text in the package's source, one after the other."""
    found = []
    for path in sorted((TOP / "discosync").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else "…" for p in node.values)
                found.append("".join(map(str, parts)))
    return "\n".join(found)


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/when-a-run-is-refused.md"])
def test_troubles_quote_the_programs_messages(page: str) -> None:
    """Who looks for a message finds it as the program says it."""
    said = _sentences()
    text = (TOP / page).read_text()
    table = text.partition("| the message says |")[2].partition("\n\n")[0]
    messages = [spans(row[0])[0] for row in rows(table) if spans(row[0])]
    assert len(messages) >= 6
    for message in set(messages) - STRANGERS_MESSAGES:
        for part in re.split(r" ?… ?", message):
            assert part in said, message


def test_files_that_are_linked_are_in_the_source_package() -> None:
    """The pages, and the files that they link to, travel with the source package."""
    listed = (TOP / "pyproject.toml").read_text()
    for name in ("docs", "CONTRIBUTING.md", "CHANGELOG.md", "crontab.example", ".ci"):
        assert f'"{name}"' in listed, name
