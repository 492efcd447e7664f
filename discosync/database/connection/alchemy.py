"""SQLAlchemy's way to the user's database, for what plain SQL cannot say beforehand.

The migrations need it, and so does what reads columns that only the database knows: a shop may have
added its own. `docs/explanation/two-ways-to-the-database.md` says which statement lives where.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from discosync.database.connection.advisory import AdvisoryLocks
from discosync.database.connection.blockers import LOCK_SECONDS, MIGRATION_LOCK_SECONDS
from discosync.database.connection.commits import committing
from discosync.database.connection.connecting import begin_immediate
from discosync.database.connection.session import Session
from discosync.errors import StorageFailed

_WRITES = "discosync_writes"
"""The execution option of a connection that writes."""

_MIGRATES = "discosync_migrates"
"""The execution option of a connection that rebuilds tables."""


class AlchemySession(Session):
    """A session whose transaction takes SQLAlchemy's statements too, by `alchemy`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.connection.driver_connection)
        self.alchemy = connection


def make_engine(connect: Callable[[], Any], locks: AdvisoryLocks, *, is_sqlite: bool) -> Engine:
    """Make an engine on the connections that `connect` opens; it keeps none.

    On Postgres its transactions wait for locks as those of `Session` do, and write only while this
    process holds its `locks`.
    """
    dialect = "sqlite://" if is_sqlite else "postgresql+psycopg://"
    engine = create_engine(dialect, creator=connect, poolclass=NullPool)
    begin = _begin_sqlite if is_sqlite else partial(_begin_postgres, locks=locks)
    event.listen(engine, "begin", begin)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        begin_immediate(connection.exec_driver_sql)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_postgres(connection: Connection, *, locks: AdvisoryLocks) -> None:
    from discosync.database.connection.postgres import bound_waiting  # noqa: PLC0415 - an extra

    options, session = connection.get_execution_options(), AlchemySession(connection)
    seconds = MIGRATION_LOCK_SECONDS if options.get(_MIGRATES, False) else LOCK_SECONDS
    bound_waiting(session.driver, seconds=seconds)
    if options.get(_WRITES, False):
        locks.require_held(session)


@contextmanager
def beginning(engine: Engine, *, writes: bool) -> Iterator[AlchemySession]:
    """Connect for one transaction: of one view when it reads, all or nothing when it writes."""
    options: dict[str, Any] = {_WRITES: writes}
    if not writes and engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as connection:
        transaction = connection.begin()
        yield AlchemySession(connection)
        if writes:
            with committing():
                transaction.commit()


@contextmanager
def beginning_migration(engine: Engine) -> Iterator[AlchemySession]:
    """Connect for one transaction in which tables may be rebuilt.

    Foreign keys are off on SQLite: rebuilding a table counts as deleting its rows. They are checked
    before the commit.
    """
    with engine.connect().execution_options(**{_WRITES: True, _MIGRATES: True}) as connection:
        session = AlchemySession(connection)
        if session.is_sqlite:
            # Inside a transaction SQLite would ignore this pragma without a word.
            session.execute("PRAGMA foreign_keys=OFF")
        transaction = connection.begin()
        yield session
        if session.is_sqlite:
            _check_foreign_keys(session)
        with committing():
            transaction.commit()


def _check_foreign_keys(session: Session) -> None:
    broken = session.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StorageFailed(
            f"{len(broken)} rows would point to rows that are gone, the first in {broken[0][0]}",
            hint="nothing was changed; restore a backup",
            code="foreign_keys",
        )
