"""What a mirror holds, to compare before and after, and what must always be true of it."""

import re
import sqlite3
from collections.abc import Collection
from contextlib import closing
from typing import Any

from tests.support.program import TOKEN, Program

Rows = list[tuple[Any, ...]]
State = dict[str, Rows]

_TOLD = {
    "report",
    "started_at",
    "finished_at",
    "run_id",
    "created_at",
    "updated_at",
    "looked_up_at",
}
"""Columns that tell when a run was and how long it took."""

_MOVING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"
    r"|datetime\.datetime\([^)]*\)"
    r"|\d{8}T\d{6,12}Z-[0-9a-f]{8}"
)
_TABLES_OF_SQLITE = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
)
_TABLES_OF_POSTGRES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " ORDER BY 1"
)


def state_of(program: Program) -> State:
    """Return every row of every table; empty for a database that is not there yet."""
    return {table: rows for table, (_, rows) in _read(program).items()}


def meaning_of(program: Program, *, without: Collection[str] = ()) -> State:
    """Return what the rows mean: without times, ids of runs, and these tables and columns.

    Two runs of the same command on the same data leave the same.
    """
    meaning = {}
    for table, (columns, rows) in _read(program).items():
        kept = [i for i, column in enumerate(columns) if column not in {*_TOLD, *without}]
        if rows and table not in without:
            plain = (_MOVING.sub("…", repr([row[i] for i in kept])) for row in rows)
            meaning[table] = [(text,) for text in sorted(plain)]
    return meaning


def _read(program: Program) -> dict[str, tuple[list[str], Rows]]:
    if program.database_url.startswith("sqlite"):
        if not program.database_file.exists():
            return {}
        with closing(sqlite3.connect(program.database_file)) as connection:
            return _read_all(connection, _TABLES_OF_SQLITE)
    import psycopg  # noqa: PLC0415 - only tests on Postgres

    with psycopg.connect(program.database_url) as connection:
        return _read_all(connection, _TABLES_OF_POSTGRES)


def _read_all(connection: Any, tables: str) -> dict[str, tuple[list[str], Rows]]:
    found = {}
    for (table,) in connection.execute(tables).fetchall():
        cursor = connection.execute(f'SELECT * FROM "{table}"')
        rows = sorted(cursor.fetchall(), key=repr)
        found[table] = ([column[0] for column in cursor.description], rows)
    return found


def check_integrity(program: Program) -> None:
    """Check the structure of a SQLite file, and that no row refers to nothing."""
    if program.database_url.startswith("sqlite") and program.database_file.exists():
        with closing(sqlite3.connect(program.database_file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def check_one_record_a_run(program: Program) -> None:
    """Check that each run stands once in the database, with one end."""
    runs = _read(program).get("sync_runs")
    if runs is None or not runs[1]:
        return
    columns, rows = runs
    ids = [row[columns.index("run_id")] for row in rows]
    assert len(ids) == len(set(ids)), "a run id stands twice"
    assert all(row[columns.index("status")] for row in rows), "a run has no end"


def check_history_only_grew(before: State, after: State) -> None:
    """Check that no change that was recorded is lost or differs."""
    rows = set(map(repr, after.get("listing_changes", ())))
    lost = [row for row in before.get("listing_changes", ()) if repr(row) not in rows]
    assert not lost, f"history was lost: {lost}"


def check_token_is_nowhere(program: Program, *said: str) -> None:
    """Check that the token is in no output and no file."""
    assert not any(TOKEN in text for text in said)
    for path in program.directory.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
