"""One transaction on the driver's own connection: plain SQL, without SQLAlchemy.

This is the rule for whatever reads or writes rows: importing SQLAlchemy takes longer than a run in
which nothing changed. A statement is written once for both databases, with `:name` for a value.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from discosync.database.connection.values import naive, render_stamp

V = TypeVar("V", str, int)

_VALUES_PER_STATEMENT = 500
_GIVES_WAY_AFTER = "250ms"

_VALUE = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")


class Session:
    """Runs plain SQL; `driver` is an open connection of sqlite3 or psycopg."""

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - DBAPI
        self.driver = driver
        self.is_sqlite = isinstance(driver, sqlite3.Connection)

    def cursor(self) -> Any:  # noqa: ANN401 - DBAPI
        """Give the driver's own cursor."""
        return self.driver.cursor()

    def execute(self, statement: str, /, **values: Any) -> Any:  # noqa: ANN401 - DBAPI
        """Run a statement; give a cursor over its rows."""
        if self.is_sqlite:
            return self.driver.execute(statement, values)
        return self.driver.execute(_for_psycopg(statement), values)

    def execute_all(self, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement for each row of values."""
        if self.is_sqlite:
            self.driver.executemany(statement, rows)
        else:
            self.driver.cursor().executemany(_for_psycopg(statement), list(rows))

    def insert(self, table: str, /, **values: Any) -> int:  # noqa: ANN401 - what columns hold
        """Insert a row; give its `id`."""
        marks = ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608
        if self.is_sqlite:
            return int(self.execute(statement, **values).lastrowid)
        return int(self.value(f"{statement} RETURNING id", **values))

    def value(self, statement: str, /, **values: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        """Run a statement; give the first column of its first row, None without one."""
        row = self.execute(statement, **values).fetchone()
        return None if row is None else row[0]

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""
        if self.is_sqlite:
            statement = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name"
        else:
            statement = "SELECT to_regclass(:name)"
        return self.value(statement, name=name) is not None

    def one_of(self, values: Sequence[V]) -> str | list[V]:
        """Bring texts or numbers into the form that `is_in` takes."""
        return json.dumps(values) if self.is_sqlite else list(values)

    def is_in(self, column: str, name: str) -> str:
        """Write the condition that a column is one of the values that `one_of` made."""
        if self.is_sqlite:
            return f"{column} IN (SELECT value FROM json_each(:{name}))"  # noqa: S608 - our own names
        return f"{column} = ANY(:{name})"

    def moment(self, value: datetime | None) -> str | datetime | None:
        """Bring a moment into the form in which the tables hold it: UTC without a zone."""
        if value is None:
            return None
        without_zone = naive(value)
        return render_stamp(without_zone) if self.is_sqlite and without_zone else without_zone

    @property
    def row_lock(self) -> str:
        """Write what holds the rows read until the commit; SQLite has one writer anyway."""
        return "" if self.is_sqlite else "FOR UPDATE"

    def give_way(self) -> None:
        """Have this transaction fail with `BUSY` rather than wait for another one.

        Postgres looks for deadlocks after a second and ends whoever looks first: a transaction that
        gave up long before is never in another one's way. SQLite has one writer at a time.
        """
        if not self.is_sqlite:
            self.execute(f"SET LOCAL lock_timeout = '{_GIVES_WAY_AFTER}'")


@cache
def _for_psycopg(statement: str) -> str:
    return _VALUE.sub(r"%(\1)s", statement.replace("%", "%%"))


def in_chunks(values: Sequence[V]) -> Iterator[Sequence[V]]:
    """Cut values into pieces of a size that one statement takes well."""
    for start in range(0, len(values), _VALUES_PER_STATEMENT):
        yield values[start : start + _VALUES_PER_STATEMENT]
