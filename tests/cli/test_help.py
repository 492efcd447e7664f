"""What `--help` and `--version` show, and what a start imports."""

import os
import subprocess
import sys

import pytest

from discosync import NOTICES
from discosync.errors import EXIT_STATUS_MEANINGS, ExitStatus
from tests.support.pages import all_commands
from tests.support.program import TOKEN, Program

COMMANDS = sorted(all_commands())


@pytest.mark.parametrize("command", COMMANDS)
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
        for command in COMMANDS
    }


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
