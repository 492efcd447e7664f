"""Write many rows at once, by what each database's driver does best.

`executemany` with one prepared statement on SQLite, COPY on Postgres; both inside the caller's
transaction. Building a statement per chunk is six to fifteen times slower. A row is sent while the
next one is made: on Postgres client and server work at once during one `insert` of a generator,
and take turns during many of short lists. Values go in as they are: `connecting` teaches SQLite's
driver money and times.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

from discosync.database.connection.session import Session

Row = Sequence[Any]

_STAGE = "discosync_stage"
_STAMP_LENGTH = len("2026-03-02 09:00:00.000000")
_WAITS_FOR_READERS = "250ms"
_ROWS_PER_COPY = 10_000
"""Until a COPY ends the driver keeps in memory all that a slower server has not taken yet."""

# Unique indexes stay: they guard the rows. An index or a key stays, too, whose definition does not
# say all about it, and every one of a table with deferred triggers: Postgres would refuse to make
# an index on it before the commit.
_CAN_WAIT = """
SELECT format('DROP INDEX %%s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %(table)s::regclass AND NOT i.indisunique AND NOT i.indisexclusion
  AND i.indisvalid AND NOT i.indisclustered AND NOT i.indisreplident AND c.reltablespace = 0
  AND obj_description(c.oid, 'pg_class') IS NULL
  AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = i.indrelid AND tgdeferrable)
UNION ALL
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
  format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
    pg_get_constraintdef(oid))
FROM pg_constraint t
WHERE conrelid = %(table)s::regclass AND contype = 'f' AND convalidated
  AND obj_description(oid, 'pg_constraint') IS NULL
  AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t.conrelid AND tgdeferrable)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignments:
    """Which columns an update sets, and by which it finds its rows.

    A row holds the values of `set_columns`, then of `kept_columns` (where an empty value leaves the
    old one), then of `derived_columns` (the same), then of these once more (to fill in where there
    was no old one), then of `keys`, then of `nullable_keys`.
    """

    set_columns: tuple[str, ...]
    kept_columns: tuple[str, ...] = ()
    derived_columns: tuple[str, ...] = ()
    keys: tuple[str, ...]
    nullable_keys: tuple[str, ...] = ()


class BulkWriter(Protocol):
    """Writes rows of plain values; `insert` and `update` return how many rows they wrote."""

    def moment(self, value: datetime | None) -> Any:  # noqa: ANN401 - what the driver takes
        """Give a moment as the tables hold it, in the driver's quickest form."""

    def number(self, value: Decimal | None) -> Any:  # noqa: ANN401 - what the driver takes
        """Give an amount or a weight as the tables hold it, in the driver's quickest form."""

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        """Insert rows whose values stand in the order of `columns`."""

    def update(self, table: str, assignments: Assignments, rows: Iterable[Row]) -> int:
        """Update the rows that `assignments` finds."""

    def delete(self, table: str, keys: Sequence[int]) -> int:
        """Delete rows by their `id`."""

    def indexing_later(self, table: str) -> AbstractContextManager[None]:
        """Make an empty table's indexes, and check its foreign keys, after its rows are in.

        Afterwards the table is as before. On Postgres nobody can read it until the commit; where
        somebody reads it now, it stays as it is.
        """


def bulk_writer(session: Session) -> BulkWriter:
    """Choose the writer for the session's kind of database."""
    cursor = session.cursor()
    return _SqliteWriter(cursor) if session.is_sqlite else _PostgresWriter(cursor)


def _render_moment(value: datetime | None) -> str | None:
    """Write a moment as text: the drivers' own ways take several times as long."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:_STAMP_LENGTH]


class _SqliteWriter:
    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - DBAPI
        self._cursor = cursor

    def moment(self, value: datetime | None) -> str | None:
        return _render_moment(value)

    def number(self, value: Decimal | None) -> float | None:
        return None if value is None else float(value)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        return self._run(statement, rows)

    def update(self, table: str, assignments: Assignments, rows: Iterable[Row]) -> int:
        sets = [f"{c} = ?" for c in assignments.set_columns]
        sets += [f"{c} = COALESCE(?, {c})" for c in assignments.kept_columns]
        # Numbered marks go on from the highest one, as plain ones do.
        first = len(sets) + 1
        count = len(assignments.derived_columns)
        sets += [
            f"{c} = COALESCE(?{first + n}, {c}, ?{first + count + n})"
            for n, c in enumerate(assignments.derived_columns)
        ]
        keys = " AND ".join(
            [f"{key} = ?" for key in assignments.keys]
            + [f"{key} IS ?" for key in assignments.nullable_keys]
        )
        statement = f"UPDATE {table} SET {', '.join(sets)} WHERE {keys}"  # noqa: S608
        return self._run(statement, rows)

    def delete(self, table: str, keys: Sequence[int]) -> int:
        return self._run(f"DELETE FROM {table} WHERE id = ?", ((key,) for key in keys))  # noqa: S608

    @contextmanager
    def indexing_later(self, table: str) -> Iterator[None]:
        # Half of what a first load costs is keeping indexes. Unique ones stay: they guard the rows.
        if self._cursor.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608
            yield
            return
        found = self._cursor.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND tbl_name = ? AND sql LIKE 'CREATE INDEX %'",
            (table,),
        ).fetchall()
        for name, _ in found:
            self._cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, definition in found:
            self._cursor.execute(definition)

    def _run(self, statement: str, rows: Iterable[Row]) -> int:
        self._cursor.executemany(statement, rows)
        return max(0, int(self._cursor.rowcount))


class _PostgresWriter:
    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - DBAPI
        self._cursor = cursor

    def moment(self, value: datetime | None) -> str | None:
        return _render_moment(value)

    def number(self, value: Decimal | None) -> str | None:
        return None if value is None else str(value)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        waiting, count = iter(rows), 0
        while True:
            with self._cursor.copy(statement) as copy:
                # The driver escapes in C and sends 32 kB at a time: text made here is not quicker.
                write_row = copy.write_row
                for row in islice(waiting, _ROWS_PER_COPY):
                    write_row(row)
            count += self._cursor.rowcount
            if self._cursor.rowcount < _ROWS_PER_COPY:
                return int(count)

    @contextmanager
    def indexing_later(self, table: str) -> Iterator[None]:
        # Two fifths of what a first load costs the server is keeping indexes and checking foreign
        # keys row by row.
        set_aside = self._set_aside(table) if self._is_empty(table) else []
        yield
        for definition in set_aside:
            self._cursor.execute(definition)

    def _is_empty(self, table: str) -> bool:
        self._cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608
        return self._cursor.fetchone() is None

    def _set_aside(self, table: str) -> list[str]:
        """Drop what can wait; give the statements to make it again, none if somebody is reading."""
        import psycopg  # noqa: PLC0415 - an extra

        self._cursor.execute(_CAN_WAIT, {"table": table})
        found = self._cursor.fetchall()
        self._cursor.execute("SELECT current_setting('lock_timeout')")
        (timeout,) = self._cursor.fetchone()
        self._cursor.execute("SAVEPOINT discosync_indexes")
        try:
            # A reader may sit idle in a transaction for hours. And who does not own the table may
            # write it, but not drop its indexes.
            self._cursor.execute(f"SET LOCAL lock_timeout = '{_WAITS_FOR_READERS}'")
            for drop, _ in found:
                self._cursor.execute(drop)
        except psycopg.Error:
            self._cursor.execute("ROLLBACK TO SAVEPOINT discosync_indexes")
            self._cursor.execute("RELEASE SAVEPOINT discosync_indexes")
            return []
        self._cursor.execute("SELECT set_config('lock_timeout', %s, true)", (timeout,))
        self._cursor.execute("RELEASE SAVEPOINT discosync_indexes")
        return [definition for _, definition in found]

    def update(self, table: str, assignments: Assignments, rows: Iterable[Row]) -> int:
        derived = assignments.derived_columns
        set_columns = (*assignments.set_columns, *assignments.kept_columns, *derived)
        # A table with the same columns and types, without constraints.
        all_keys = (*assignments.keys, *assignments.nullable_keys)
        # The names that the temporary table has for what the row's own names are taken for.
        named = {f"first_{c}": c for c in derived} | {f"old_{key}": key for key in all_keys}
        shown = [*set_columns, *(f"{column} AS {name}" for name, column in named.items())]
        self._cursor.execute(
            f"CREATE TEMP TABLE {_STAGE} ON COMMIT DROP AS "  # noqa: S608
            f"SELECT {', '.join(shown)} FROM {table} WITH NO DATA"
        )
        self.insert(_STAGE, [*set_columns, *named], rows)
        sets = [f"{c} = s.{c}" for c in assignments.set_columns]
        sets += [f"{c} = COALESCE(s.{c}, t.{c})" for c in assignments.kept_columns]
        sets += [f"{c} = COALESCE(s.{c}, t.{c}, s.first_{c})" for c in derived]
        keys = " AND ".join(
            [f"t.{key} = s.old_{key}" for key in assignments.keys]
            + [f"t.{key} IS NOT DISTINCT FROM s.old_{key}" for key in assignments.nullable_keys]
        )
        self._cursor.execute(
            f"UPDATE {table} t SET {', '.join(sets)} FROM {_STAGE} s WHERE {keys}"  # noqa: S608
        )
        updated = int(self._cursor.rowcount)
        self._cursor.execute(f"DROP TABLE {_STAGE}")
        return updated

    def delete(self, table: str, keys: Sequence[int]) -> int:
        if not keys:
            return 0
        self._cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s)", (list(keys),))  # noqa: S608
        return int(self._cursor.rowcount)
