"""README, help, schema and crontab say what the program does: checked against it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from discosync import NOTICES
from discosync.cli import app, load_commands
from discosync.core.catalog.enrichment import REQUESTS_PER_MINUTE_WITH_TOKEN
from discosync.errors import EXIT_STATUS_MEANINGS, DiscosyncError, ExitStatus
from discosync.settings.layers import KNOWN_SETTINGS
from tests.support.program import TOKEN, Program

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text()


def _commands() -> dict[str, list[str]]:
    """Every command with its options."""
    load_commands()
    root = get_command(app)
    found: dict[str, list[str]] = {}

    def walk(prefix: str, command: object) -> None:
        for name, sub in getattr(command, "commands", {}).items():
            walk(f"{prefix} {name}".strip(), sub)
        if not getattr(command, "commands", {}):
            found[prefix] = [
                o for p in getattr(command, "params", []) for o in p.opts if o[0] == "-"
            ]

    walk("", root)
    return found


@pytest.mark.parametrize("command", sorted(_commands()))
def test_readme_names_every_command_and_option(command: str) -> None:
    """A command or option that the README does not mention is a hidden one."""
    assert f"discosync {command}" in README
    for option in _commands()[command]:
        assert option in README, option


def test_readme_names_every_setting_and_exit_status() -> None:
    """Every variable and every status that the program knows stands in the README."""
    for name in KNOWN_SETTINGS:
        assert f"`{name}`" in README, name
    used = {c.exit_status for c in _subclasses(DiscosyncError)} | {
        ExitStatus.OK,
        ExitStatus.OK_WITH_WARNINGS,
        ExitStatus.CHANGES,
    }
    for status in used:
        assert re.search(rf"^\| (\d+, )?{int(status)}[ ,]", README, re.MULTILINE), status


def _subclasses(kind: type[DiscosyncError]) -> set[type[DiscosyncError]]:
    return {kind}.union(*(_subclasses(sub) for sub in kind.__subclasses__()))


def test_readme_holds_no_placeholder() -> None:
    """Figures that were to be measured have been."""
    assert re.findall(r"\b[A-Z]+_(?:SQLITE|POSTGRES|MEMORY)\b", README) == []


def test_readme_links_lead_somewhere() -> None:
    """A relative link names a file that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (TOP / target).exists(), target


def test_readme_shows_settings_that_load(sqlite_program: Program) -> None:
    """The settings file in the README is one."""
    block = README.partition("```toml\n")[2].partition("```")[0]
    assert set(tomllib.loads(block)["sellers"]) == {"velvet-crates", "hollow-records"}
    (sqlite_program.directory / "discosync.toml").write_text(block)
    assert sqlite_program("sync", VELVET_TOKEN=TOKEN).exit_code == 0


def test_readme_carries_both_notices() -> None:
    """Discogs' terms ask for two notices."""
    flat = " ".join(README.split())
    assert NOTICES[0] in flat
    assert "[Data provided by Discogs](https://www.discogs.com)" in README


@pytest.mark.parametrize("command", sorted(_commands()))
def test_help_ends_with_exit_statuses(program_help: dict[str, str], command: str) -> None:
    """Every command's help closes with the statuses it may end in, one a line."""
    last = program_help[command].rstrip().rpartition("Exit statuses:")[2]
    lines = [line.split(maxsplit=1) for line in last.strip().splitlines()]
    assert lines
    for code, meaning in lines:
        assert EXIT_STATUS_MEANINGS[ExitStatus(int(code))] == meaning


@pytest.fixture(scope="module")
def program_help() -> dict[str, str]:
    """The help of every command, as a terminal of 80 columns shows it."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    return {
        command: subprocess.run(
            [sys.executable, "-m", "discosync", *command.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout
        for command in _commands()
    }


def test_crontab_example_works_as_it_stands(sqlite_program: Program) -> None:
    """Cron's shell, cron's bare environment, each line as it is written, in the day's order."""
    lines = (TOP / "crontab.example").read_text().splitlines()
    entries = [line for line in lines if line and line[0].isdigit()]
    assert [line.split()[9] for line in entries] == ["sync", "enrich"]
    assert "%" not in "".join(entries), "cron ends a command at a percent sign"
    home = sqlite_program.directory / "home"
    place = home / "discosync"
    (place / ".venv" / "bin").mkdir(parents=True)
    executable = shutil.which("discosync", path=str(Path(sys.executable).parent))
    assert executable
    (place / ".venv" / "bin" / "discosync").symlink_to(executable)
    settings = ("DISCOGS_TOKEN", "DISCOGS_USERNAME", "DISCOGS_API_URL")
    dotenv = "".join(f"{n}={sqlite_program.environment[n]}\n" for n in settings)
    (place / ".env").write_text(dotenv)

    for entry in entries:
        done = subprocess.run(
            ["/bin/sh", "-c", entry.split(maxsplit=5)[5]],
            env={"HOME": str(home), "LOGNAME": "shop", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    database = f"sqlite:///{home / '.local/share/discosync/discosync.db'}"
    shown = json.loads(sqlite_program("status", "--json", DATABASE_URL=database).stdout)
    assert shown["enrichment"]["linked"] == shown["listings"]["active"] == 20


def test_the_crontab_enriches_80_000_releases_a_day() -> None:
    """By the arithmetic of its own time budget, beside twenty-four syncs."""
    line = next(x for x in (TOP / "crontab.example").read_text().splitlines() if " enrich " in x)
    found = re.search(r"--time-budget (\d+)", line)
    assert found is not None
    assert int(found[1]) < 3600, "it must end before the next one begins"
    a_day = 24 * int(found[1]) * REQUESTS_PER_MINUTE_WITH_TOKEN // 60
    assert a_day - 24 * 5 >= 80_000
    assert f"{a_day:,} a day" in " ".join((TOP / "crontab.example").read_text().split())


def test_version_carries_the_notices() -> None:
    """`--version` shows version and notices."""
    done = subprocess.run(
        [sys.executable, "-m", "discosync", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("discosync 0.")
    assert all(notice in done.stdout for notice in NOTICES)


FORBIDDEN = {
    "--version": {"requests", "sqlalchemy", "rich", "alembic", "pydantic", "discosync.commands"},
    "sync": {
        "alembic",
        "rich",
        "sqlalchemy",
        "lxml",
        "redis",
        "requests_cache",
        "celery",
        "apprise",
        "psycopg",
        "pydantic",
        "jinja2",
    },
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_run_imports_only_what_it_uses(sqlite_program: Program, what: str) -> None:
    """Start-up is most of an unchanged hour: what it does not need is not imported."""
    sqlite_program("sync")
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['discosync'] + {['--version'] if what == '--version' else ['sync', '-q']!r}\n"
        "try:\n    runpy.run_module('discosync', run_name='__main__')\n"
        "except SystemExit as end:\n    print('ended', end.code)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ended 0" in done.stdout or "ended None" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded & FORBIDDEN[what] == set()
    assert TOKEN not in done.stdout
