"""Open the user's database; every library error that comes out of it becomes one of ours."""

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from discosync.errors import NotReady, StorageFailed

BUSY = "database_busy"
"""The code of an error that says: another transaction was in the way, try again."""

_GAVE_WAY = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected
_GIVES_WAY_AFTER = "250ms"
_WRITES = "discosync_writes"
_BUSY_SECONDS = 30.0
_BUSY_STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The user's database: SQLite when `path` is set, else Postgres."""

    engine: Engine
    url: URL
    path: Path | None
    driver_error: type[Exception]

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.path is not None

    @property
    def exists(self) -> bool:
        """Whether there is anything to connect to."""
        return self.path is None or self.path.exists()

    @property
    def shown(self) -> str:
        """Its address without the password, which may stand in the query too."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Connect for reading: one consistent view, however many queries."""
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.errors(), self.engine.connect().execution_options(**level) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Connect for one transaction; it is committed at the end, or nothing is."""
        with (
            self.errors(),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Connect for one transaction in which tables may be rebuilt.

        Foreign keys are off on SQLite: rebuilding a table counts as deleting its rows. They are
        checked before the commit.
        """
        with (
            self.errors(),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
        ):
            if self.is_sqlite:
                # Inside a transaction the pragma would be ignored without a word.
                driver_connection(connection).execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                yield connection
                if self.is_sqlite:
                    _check_foreign_keys(connection)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLAlchemy and the driver say into errors of ours."""
        try:
            yield
        except DBAPIError as exc:
            raise self._failed(exc.orig or exc) from exc
        except (SQLAlchemyError, self.driver_error) as exc:
            raise self._failed(exc) from exc
        except JSONDecodeError as exc:  # what a JSON column holds is read on its way out
            raise StorageFailed(
                f"a row of {self.shown} holds JSON that cannot be read: {exc.doc[:80]!r}",
                hint="another program must have written it, into sync_runs or listing_changes: "
                "correct that row; nothing was changed",
                code="bad_row",
            ) from exc

    def _failed(self, cause: BaseException) -> StorageFailed:
        said = " ".join(str(cause).split())
        has_given_way = getattr(cause, "sqlstate", None) in _GAVE_WAY
        return StorageFailed(
            f"the database {self.shown} failed: {said[:300]}",
            hint=_hint(said.lower()),
            code=BUSY if has_given_way else "database",
        )


def give_way(connection: Connection) -> None:
    """Have this transaction fail with `BUSY` rather than wait for another one.

    Postgres looks for deadlocks after a second and ends whoever looks first: a transaction that
    has given up long before that is never in another one's way. SQLite has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_GIVES_WAY_AFTER}'")


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """Give the SQLite driver's own connection below SQLAlchemy's."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"not a SQLite connection: {driver!r}")
    return driver


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StorageFailed(
            f"{len(broken)} rows would point to rows that are gone, the first in {broken[0][0]}",
            hint="nothing was changed; restore a backup",
            code="foreign_keys",
        )


def _hint(said: str) -> str:
    hints = {
        "deadlock": "another program wrote the same rows: run again",
        "locked": "another program holds the database: find it, or run again later",
        "full": "free some space, then run again",
        "readonly": "mend the permissions of the file and its directory",
        "unable to open": "does the directory exist, and may this user write there?",
        "not a database": "DATABASE_URL names a file that is no SQLite database",
        "malformed": "the file is damaged: restore a backup",
        "refused": "is the server up, and DATABASE_URL right?",
        "password": "check user and password in DATABASE_URL",
    }
    advice = next((hint for word, hint in hints.items() if word in said), "look at the message")
    return f"{advice}; nothing was changed"


def open_database(address: str, *, read_only: bool, application: str) -> Database:
    """Open `sqlite:///…` or `postgresql://…`; connects when first used.

    Raises `NotReady` for an address that cannot be one. Read only, a SQLite file stays as it is
    byte for byte.
    """
    url = _parse_address(address)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, read_only=read_only)
    return _open_postgres(url, application=application)


def _parse_address(address: str) -> URL:
    try:
        # SQLAlchemy refuses `postgres://`, which hosting services hand out.
        url = make_url(address.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        # Not `from`: what they say repeats parts of the address, perhaps its password.
        raise _bad_address("it is no database address") from None
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise _bad_address(f"{url.get_backend_name()} is not supported")
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise _bad_address("a database in memory would be gone when the run ends")
    return url


def _bad_address(fault: str) -> NotReady:
    return NotReady(
        f"DATABASE_URL: {fault}",
        hint="examples: sqlite:////var/lib/shop/discosync.db, postgresql://user:word@host/shop",
        code="bad_setting",
    )


def _begin_immediate(connection: Connection) -> None:
    """Wait for the write lock here and not inside SQLite, where no signal is heard."""
    gives_up_at = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            # Only here: a run that is refused does not touch the file.
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as exc:
            is_busy = getattr(exc.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not is_busy or time.monotonic() >= gives_up_at:
                raise
            time.sleep(_BUSY_STEP_SECONDS)
        else:
            return


def _adapt_values() -> None:
    """Have the driver write money and times as SQLAlchemy's own types do."""
    sqlite3.register_adapter(Decimal, float)
    sqlite3.register_adapter(datetime, render_stamp)


def render_stamp(moment: datetime) -> str:
    """Write a moment without a zone as the old shop's programs do."""
    return moment.isoformat(" ", "microseconds")


def _open_sqlite(url: URL, *, read_only: bool) -> Database:
    _adapt_values()
    # Resolved: two ways to one file must meet at one lock.
    try:
        path = Path(str(url.database)).expanduser().resolve()
    except RuntimeError as exc:
        raise _bad_address(str(exc)) from exc
    uri = f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_STEP_SECONDS, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver's own transactions leave DDL out; a deferred one that reads first fails at
        # once, whatever the timeout, when somebody else wrote meanwhile.
        if connection.get_execution_options().get(_WRITES, False):
            _begin_immediate(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return Database(engine=engine, url=url, path=path, driver_error=sqlite3.Error)


def _open_postgres(url: URL, *, application: str) -> Database:
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise NotReady(
            "DATABASE_URL names Postgres, but its driver is not installed",
            hint="pip install 'discosync[postgres]' (in a checkout: '.[postgres]')",
            code="no_driver",
        ) from exc
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={
            "application_name": f"{application} pid={os.getpid()} host={socket.gethostname()}"[:63],
            "connect_timeout": 10,
            "client_encoding": "utf8",
            # A server that is gone without a word must not hold a run, or a COMMIT, for hours.
            "keepalives_idle": 30,
            "tcp_user_timeout": 60_000,
        },
    )
    return Database(engine=engine, url=url, path=None, driver_error=psycopg.Error)
