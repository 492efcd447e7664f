"""One transaction on the driver's own connection: plain SQL, without SQLAlchemy.

What a sync of every hour asks and writes goes this way: importing SQLAlchemy takes longer than an
unchanged hour. Statements are written once for both databases, with `:name` for a value; the
columns' types are brought into the driver's form, and back, by name.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from discosync.database.connection.connecting import render_stamp

if TYPE_CHECKING:
    from sqlalchemy import Connection

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

    def one_of(self, values: Sequence[str]) -> str | list[str]:
        """Bring texts into the form that `is_in` takes."""
        return json.dumps(values) if self.is_sqlite else list(values)

    def is_in(self, column: str, name: str) -> str:
        """Write that a column is one of the texts in a value, see `one_of`."""
        if self.is_sqlite:
            return f"{column} IN (SELECT value FROM json_each(:{name}))"  # noqa: S608 - our own names
        return f"{column} = ANY(:{name})"

    def moment(self, value: datetime | None) -> str | datetime | None:
        """Bring a moment into the form in which the tables hold it: UTC without a zone."""
        if value is None:
            return None
        naive = value.astimezone(UTC).replace(tzinfo=None)
        return render_stamp(naive) if self.is_sqlite else naive


@cache
def _for_psycopg(statement: str) -> str:
    return _VALUE.sub(r"%(\1)s", statement.replace("%", "%%"))


def read_moment(value: str | datetime | None) -> datetime | None:
    """Name the zone of a moment that a table holds."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)


def read_json(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read what a column of JSON holds; raise `JSONDecodeError` for what is none."""
    return json.loads(value) if isinstance(value, str) else value


def session_over(connection: "Connection") -> Session:
    """Run plain SQL in the transaction of a SQLAlchemy connection."""
    if not connection.in_transaction():
        connection.begin()
    return Session(connection.connection.driver_connection)
