"""Every page: its links lead somewhere, its command lines are the program's, its settings load."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from discosync.core.flags import Flag
from tests.support.pages import (
    DOCS,
    PAGES,
    TOP,
    all_commands,
    anchors,
    blocks,
    name_of,
    options_of,
    prose,
    spans,
)
from tests.support.program import TOKEN, Program

COMMANDS = all_commands()
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}
ROOT_OPTIONS = {"--version", "--help"}

each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and an anchor that this file has."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


@each_page
def test_page_is_in_plain_reach(page: Path) -> None:
    """A page that no other page links to would be read by nobody."""
    if page.name == "README.md" and page.parent == TOP:
        return
    linked = {
        (other.parent / target.partition("#")[0]).resolve()
        for other in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", prose(other))
        if other != page
    }
    assert page in linked


def _shell_lines(page: Path) -> Iterator[str]:
    """Give the calls of discosync in a page's shell blocks."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r" && | \| |; ", line):
                if found := re.match(r"\s*(?:\S+/)?discosync (.+)", part):
                    yield found[1]


def _calls(page: Path) -> Iterator[list[str]]:
    """Give the words of every call of discosync in a page, in blocks and between backticks."""
    typed = [
        span.removeprefix("discosync ")
        for span in spans(prose(page).replace("\n", " "))
        if span.startswith("discosync ")
    ]
    for text in (*_shell_lines(page), *typed):
        words = shlex.split(text.partition(" > ")[0].partition(" < ")[0], comments=True)
        yield [word.replace("\\|", "|") for word in words]


def _command_of(words: list[str]) -> str | None:
    for length in (2, 1):
        if (name := " ".join(words[:length])) in COMMANDS:
            return name
    return None


@each_page
def test_command_lines_are_the_programs(page: Path) -> None:
    """Every call of discosync in a page names a command that is there, with options it has."""
    for words in _calls(page):
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        name = _command_of(words)
        if name is None:
            assert words in ([group] for group in GROUPS) or set(words) <= ROOT_OPTIONS, words
            continue
        known = options_of(COMMANDS[name])
        for option in options:
            is_value = option == "-" or option.startswith("-1")
            assert is_value or option in known or option == "-vv", words


@each_page
def test_shell_blocks_parse(page: Path) -> None:
    """A line that a reader copies is taken by the command line: arguments, options and values."""
    for line in _shell_lines(page):
        words = shlex.split(line.partition(" > ")[0].partition(" < ")[0], comments=True)
        name = _command_of(words)
        if name is None:
            continue
        arguments = ["4332000035" if w.startswith("LISTING_ID") else w for w in words]
        command = COMMANDS[name]
        command.make_context(name, arguments[len(name.split()) :])  # type: ignore[attr-defined]


def test_pages_show_many_command_lines() -> None:
    """The two tests above would pass if they found no command line at all."""
    assert sum(1 for page in PAGES for _ in _calls(page)) > 100
    assert {_command_of(words) for page in PAGES for words in _calls(page)} >= set(COMMANDS)


SETTINGS_BLOCKS = [(page, text) for page in PAGES for text in blocks(page, "toml")]


@pytest.mark.parametrize(
    ("page", "text"),
    SETTINGS_BLOCKS,
    ids=lambda value: name_of(value) if isinstance(value, Path) else "",
)
def test_settings_shown_load(sqlite_program: Program, page: Path, text: str) -> None:
    """A settings file that a page shows is one that a run takes."""
    (sqlite_program.directory / "discosync.toml").write_text(text)
    done = sqlite_program("sync", "--dry-run", VELVET_TOKEN=TOKEN, HOLLOW_TOKEN=TOKEN)
    assert done.exit_code == 0, done.stderr


def test_settings_are_shown() -> None:
    """The pages show a settings file for several sellers, and one of plain settings."""
    assert len(SETTINGS_BLOCKS) >= 3


def test_flags_page_names_every_flag() -> None:
    """A flag that the page about flags does not name is a hidden one."""
    page = (DOCS / "how-to" / "roll-out-a-flag.md").read_text()
    assert all(f"| `{flag.value}` |" in page for flag in Flag)


@each_page
def test_page_holds_no_placeholder(page: Path) -> None:
    """Figures that were to be measured have been."""
    assert re.findall(r"\b[A-Z]+_(?:SQLITE|POSTGRES|MEMORY)\b", page.read_text()) == []
    assert not re.search(r"\bTODO\b|\bTBD\b", page.read_text())
