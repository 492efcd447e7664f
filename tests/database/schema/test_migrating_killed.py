"""A migration that is killed in the middle of any of its steps leaves what was there before it."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from discosync.database.schema.state import known_revisions
from tests.support.old_shop import make_old_shop, old_row
from tests.support.program import Program
from tests.support.shop import make_shop

KILLED_AFTER = """
import os, signal, sys
from sqlalchemy import Engine, event
from discosync.database.schema import migrating
from discosync.database.connection.engine import open_database

steps_left = int(sys.argv[1])
is_inside = False

@event.listens_for(Engine, "after_cursor_execute")
def watch(connection, cursor, statement, *_):
    global steps_left, is_inside
    word = statement.split()[0].upper()
    if word not in {"CREATE", "ALTER", "DROP", "UPDATE", "INSERT", "DELETE"}:
        return
    if "TEMP TABLE" in statement:
        return
    if steps_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[2] == "new" or "alembic_version" in statement and word != "CREATE":
        steps_left -= 1

database = open_database(os.environ["DATABASE_URL"], read_only=False, application="killed")
if sys.argv[2] in {"up", "new"}:
    migrating.upgrade_schema(database, seller="velvet-crates")
else:
    migrating.downgrade_schema(database, "base")
"""
STEPS = range(len(known_revisions()))
STATEMENTS = range(0, 33, 4)
"""Numbers of statements in the making of a new schema; it takes 33 at least on either database."""


def _killed(program: Program, step: int, direction: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER, str(step), direction],
        env={**program.environment, "PATH": os.environ["PATH"]},
        check=False,
    )
    return done.returncode


def _state(program: Program) -> tuple[str, list[dict[str, Any]]]:
    current = program("db", "current", "--json").report
    rows = program.query("SELECT * FROM listings ORDER BY id")
    return f"{current['state']} {current['revision']}", rows


@pytest.mark.parametrize("step", STEPS)
def test_killed_upgrade_leaves_the_old_shop(program: Program, step: int) -> None:
    """Whichever migration it was in: the old shop's database, then all of the new one."""
    make_old_shop(program.database_url, [old_row(listing) for listing in make_shop(20)])
    before = _state(program)

    assert _killed(program, step, "up") == -signal.SIGKILL

    assert _state(program) == before
    assert program("db", "upgrade", "--no-backup").exit_code == 0
    assert program("sync", "--json").counts["unchanged"] == 20


@pytest.mark.parametrize("step", STEPS)
def test_killed_downgrade_leaves_the_new_schema(program: Program, step: int) -> None:
    """Whichever step back it was in: everything is as it was."""
    program("sync")
    before, history = _state(program), program.digest()

    assert _killed(program, step, "down") == -signal.SIGKILL

    assert _state(program) == before
    assert program.digest() == history


@pytest.mark.parametrize("statement", STATEMENTS)
def test_killed_making_leaves_an_empty_database(program: Program, statement: int) -> None:
    """Whichever table it was at: nothing is there, and the next run makes all of it."""
    assert _killed(program, statement, "new") == -signal.SIGKILL

    assert program("db", "current", "--json").report["state"] == "empty"
    assert program("sync", "--json").counts["added"] == 20
