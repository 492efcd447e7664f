"""Write many rows at once, by what the driver below SQLAlchemy does best.

Plain values go in as they are: the engine teaches SQLite's driver money and times.
`executemany` with one prepared statement on SQLite, COPY on Postgres; both inside the transaction
of the SQLAlchemy connection. Building a statement per chunk is six to fifteen times slower.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import Connection

from discosync.database.column_types import naive
from discosync.database.engine import render_stamp

Row = Sequence[Any]
Moment = Callable[[datetime | None], Any]

_STAGE = "discosync_stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignments:
    """Which columns an update sets, and by which it finds its rows.

    A row holds the values of `set_columns`, then of `kept_columns` (where an empty value leaves
    what is there), then of `keys`, then of `nullable_keys`.
    """

    set_columns: tuple[str, ...]
    kept_columns: tuple[str, ...] = ()
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
        """Make the indexes of an empty table after its rows, where that pays."""


def bulk_writer(connection: Connection) -> BulkWriter:
    """Choose the writer for a connection's database."""
    cursor = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        return _SqliteWriter(cursor)
    return _PostgresWriter(cursor)


class _SqliteWriter:
    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - DBAPI
        self._cursor = cursor

    # The driver's own adapters do the same, at several times the cost.
    def moment(self, value: datetime | None) -> str | None:
        return None if value is None else render_stamp(value.astimezone(UTC).replace(tzinfo=None))

    def number(self, value: Decimal | None) -> float | None:
        return None if value is None else float(value)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        return self._run(statement, rows)

    def update(self, table: str, assignments: Assignments, rows: Iterable[Row]) -> int:
        sets = [f"{c} = ?" for c in assignments.set_columns]
        sets += [f"{c} = COALESCE(?, {c})" for c in assignments.kept_columns]
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
        # In the transaction, as everything: half of what a first load costs is keeping indexes.
        # Unique ones stay, they guard the rows.
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

    def moment(self, value: datetime | None) -> datetime | None:
        return naive(value)

    def number(self, value: Decimal | None) -> Decimal | None:
        return value

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        count = 0
        with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        return count

    @contextmanager
    def indexing_later(self, table: str) -> Iterator[None]:
        # Dropping an index waits for every reader of the table, and makes each new one wait.
        del table
        yield

    def update(self, table: str, assignments: Assignments, rows: Iterable[Row]) -> int:
        set_columns = (*assignments.set_columns, *assignments.kept_columns)
        # A copy of the columns' types, without their constraints.
        all_keys = (*assignments.keys, *assignments.nullable_keys)
        shown = [*set_columns, *(f"{key} AS old_{key}" for key in all_keys)]
        self._cursor.execute(
            f"CREATE TEMP TABLE {_STAGE} ON COMMIT DROP AS "  # noqa: S608
            f"SELECT {', '.join(shown)} FROM {table} WITH NO DATA"
        )
        self.insert(_STAGE, [*set_columns, *(f"old_{key}" for key in all_keys)], rows)
        sets = [f"{c} = s.{c}" for c in assignments.set_columns]
        sets += [f"{c} = COALESCE(s.{c}, t.{c})" for c in assignments.kept_columns]
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
