"""The reference pages say what the program has, all of it and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from discosync.core.past import purge, restore
from discosync.core.planning import limits
from discosync.database.schema.tables import metadata
from discosync.errors import DiscosyncError, ExitStatus
from discosync.settings.layers import KNOWN_SETTINGS
from tests.support.pages import DOCS, TOP, all_commands, options_of, rows, sections, spans

REFERENCE = DOCS / "reference"
COMMANDS = all_commands()


def test_commands_are_the_programs() -> None:
    """Every command has a section, and no section is of a command that is not there."""
    assert set(sections(REFERENCE / "commands.md")) == {f"discosync {name}" for name in COMMANDS}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_names_its_options(name: str) -> None:
    """An option that its command's section does not name is a hidden one."""
    section = sections(REFERENCE / "commands.md")[f"discosync {name}"]
    named = {
        word.split()[0]
        for row in rows(section)
        for word in spans(row[0])
        if word.startswith("-") and not word.startswith("-1")
    }
    assert named == set(options_of(COMMANDS[name])) - {"--help", "-h"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_names_its_statuses(name: str) -> None:
    """The section ends with the statuses that the command's help ends with."""
    section = sections(REFERENCE / "commands.md")[f"discosync {name}"]
    written = re.search(r"^Ends with (.+)\.$", section, re.MULTILINE)
    epilog = getattr(COMMANDS[name], "epilog", "")
    assert written is not None
    assert re.findall(r"\d+", written[1]) == re.findall(r"^ *(\d+)  ", epilog, re.MULTILINE)


def test_settings_are_the_programs() -> None:
    """Every variable that the program reads has a row, and no other has one."""
    table = (REFERENCE / "settings.md").read_text().partition("\n## ")[0]
    named = {name for row in rows(table) for name in spans(row[0])}
    assert named == set(KNOWN_SETTINGS)


def test_statuses_are_the_programs() -> None:
    """Every exit status has a row, and no other has one."""
    table = rows((REFERENCE / "exit-statuses.md").read_text())
    written = {int(code) for row in table for code in re.findall(r"\d+", row[0])}
    used = {kind.exit_status for kind in _subclasses(DiscosyncError)}
    assert written == {int(status) for status in ExitStatus}
    assert used <= {ExitStatus(code) for code in written}


def _subclasses(kind: type[DiscosyncError]) -> set[type[DiscosyncError]]:
    return {kind}.union(*(_subclasses(sub) for sub in kind.__subclasses__()))


def test_tables_are_the_schemas() -> None:
    """Every table has a section with a row for each of its columns, in their order."""
    found = sections(REFERENCE / "tables.md")
    assert set(found) == {*metadata.tables, "active_listings"}
    for name, table in metadata.tables.items():
        written = [spans(row[0])[0] for row in rows(found[name]) if row[0] != "column"]
        assert written == [column.name for column in table.columns], name


def test_limits_are_the_programs() -> None:
    """Every code and every option of a limit stands in the page, and so do their numbers."""
    page = (REFERENCE / "limits.md").read_text()
    sources = [limits, restore, purge]
    text = "".join(_source(module) for module in sources)
    codes = set(re.findall(r'code="(\w+)"', text)) | {limits.OLDER_SNAPSHOT}
    assert len(codes) > 8
    for code in codes:
        assert f"`{code}`" in page, code
    for option in set(re.findall(r'option=f?"(--[a-z-]+)', text)):
        assert f"`{option}`" in page, option
    assert limits.RemovalLimit().explain(900).startswith("max(10, min(5% of 900 active, 500)) = 45")
    assert "max(10, min(5% of active, 500))" in page
    assert "| 900 | 45 |" in page
    for active, most in re.findall(r"^\| ([\d,]+) \| (\d+) \|$", page, re.MULTILINE):
        assert limits.RemovalLimit().of(int(active.replace(",", ""))) == int(most)
    assert f"more than {limits.MAX_REJECTED} records" in page


def _source(module: Any) -> str:
    with open(module.__file__) as source:  # noqa: PTH123
        return source.read()


def test_limits_each_have_a_section() -> None:
    """Each limit of the table leads to its own section."""
    page = REFERENCE / "limits.md"
    table = page.read_text().partition("\n## ")[0]
    named = [re.findall(r"\[(.+?)\]", row[0])[0] for row in rows(table) if "[" in row[0]]
    assert [name.casefold() for name in named] == [s.casefold() for s in sections(page)]


SCHEMA = json.loads((TOP / "discosync" / "report.schema.json").read_text())


def _names(schema: dict[str, Any]) -> Iterator[str]:
    """Give every key and every code that the schema of the report fixes."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from _names(inner)
    if isinstance(schema.get("items"), dict):
        yield from _names(schema["items"])
    yield from (word for word in schema.get("enum", []) if isinstance(word, str))


def test_report_has_every_key_and_code() -> None:
    """Every key of the report, every code of a problem and every kind stands in the page."""
    page = set(spans((REFERENCE / "report.md").read_text()))
    for name in {*_names(SCHEMA), *_names(SCHEMA["$defs"]["side"])}:
        assert name in page, name


def test_report_has_no_key_of_its_own() -> None:
    """What the page's tables call a key or a code is one."""
    known = {*_names(SCHEMA), *_names(SCHEMA["$defs"]["side"])}
    for row in rows((REFERENCE / "report.md").read_text()):
        assert set(spans(row[0])) <= known, row


def test_report_allows_every_status() -> None:
    """A status that the schema does not know would make its own report invalid."""
    assert set(SCHEMA["properties"]["exit_code"]["enum"]) == {int(status) for status in ExitStatus}
