"""Open the user's database, and turn the errors of its libraries into ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discosync.database.connection.address import Address, bad_address, parse_address
from discosync.database.connection.advisory import AdvisoryLocks
from discosync.database.connection.commits import committing
from discosync.database.connection.connecting import (
    KeptConnections,
    begin_immediate,
    connect_sqlite,
)
from discosync.database.connection.failures import cause_in_alchemy, storage_failed
from discosync.database.connection.postgres_failures import pool_too_small, postgres_failure
from discosync.database.connection.session import Session
from discosync.errors import DiscosyncError, NotReady, StorageFailed
from discosync.files.disk import is_no_file

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

    from discosync.database.connection.alchemy import AlchemySession


@dataclass(frozen=True, kw_only=True)
class Database:
    """The user's database: SQLite when `path` is set, else Postgres.

    Rows are read and written in a `session`, by plain SQL; `alchemy_session` is the exception.
    """

    address: Address
    path: Path | None
    driver_error: type[Exception]
    read_only: bool
    application: str
    kept: KeptConnections = field(default_factory=KeptConnections, repr=False, compare=False)
    locks: AdvisoryLocks = field(default_factory=AdvisoryLocks, repr=False, compare=False)

    @cached_property
    def engine(self) -> "Engine":
        """SQLAlchemy's engine for it."""
        from discosync.database.connection.alchemy import make_engine  # noqa: PLC0415 - 0.2 s

        return make_engine(
            lambda: self.connect(autocommit=self.is_sqlite), self.locks, is_sqlite=self.is_sqlite
        )

    @cached_property
    def url(self) -> "URL":
        """Its address in SQLAlchemy's form."""
        from sqlalchemy.engine import make_url  # noqa: PLC0415 - 0.2 s

        return make_url(self.address.text)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.path is not None

    @property
    def exists(self) -> bool:
        """Whether there is a database to connect to: a SQLite file may be missing."""
        return self.path is None or self.path.exists()

    @property
    def shown(self) -> str:
        """Its address without the password."""
        return self.address.shown

    def connect(self, *, autocommit: bool = True) -> Any:  # noqa: ANN401 - DBAPI
        """Open a connection of the driver; each statement is committed at once.

        On Postgres one without `autocommit` begins transactions by itself, as SQLAlchemy expects.
        """
        if self.path is not None:
            return connect_sqlite(self.path, read_only=self.read_only)
        from discosync.database.connection.postgres import connect_postgres  # noqa: PLC0415 - an extra

        return connect_postgres(self.address, application=self.application, autocommit=autocommit)

    @contextmanager
    def session(
        self, *, writes: bool = False, answers_within: float | None = None
    ) -> Iterator[Session]:
        """Connect for one transaction.

        One that reads sees the database at one moment. One that `writes` is committed as a whole at
        the end, or undone. Raises `StorageFailed` for any error of the driver, and for an answer of
        Postgres that takes longer than `answers_within` seconds.
        """
        with self.errors(), ExitStack() as ending:
            driver = self._begun(writes=writes)
            ending.callback(driver.close)
            if answers_within is not None and not self.is_sqlite:
                ending.enter_context(driver.answering_within(answers_within))
            try:
                yield Session(driver)
                _commit(driver) if writes else driver.rollback()
            except BaseException:
                with suppress(self.driver_error):  # the connection itself may have failed
                    driver.rollback()
                raise
            if self.kept.is_wanted:
                self.kept.idle.append(driver)
                ending.pop_all()

    @contextmanager
    def keeping_connection(self) -> Iterator[None]:
        """Let the sessions inside share a connection to Postgres: making one takes milliseconds.

        Between two sessions no transaction is open on it. If it was lost, a new one is made.
        """
        self.kept.is_wanted = not self.is_sqlite
        try:
            yield
        finally:
            self.kept.is_wanted = False
            while self.kept.idle:
                self.kept.idle.pop().close()

    def _begun(self, *, writes: bool) -> Any:  # noqa: ANN401 - DBAPI
        """Give a connection on which a transaction has begun."""
        while self.kept.idle:
            driver = self.kept.idle.pop()
            try:
                self._begin(driver, writes=writes)
            except BaseException as exc:
                is_lost = isinstance(exc, self.driver_error) and driver.closed
                driver.close()
                if not is_lost:  # else the server was restarted
                    raise
            else:
                return driver
        driver = self.connect()
        try:
            self._begin(driver, writes=writes)
        except BaseException:
            driver.close()
            raise
        return driver

    def _begin(self, driver: Any, *, writes: bool) -> None:  # noqa: ANN401 - DBAPI
        if not self.is_sqlite:
            from discosync.database.connection.postgres import begin_postgres  # noqa: PLC0415 - an extra

            begin_postgres(driver, writes=writes)
            if writes:
                self.locks.require_held(Session(driver))
        elif writes:
            begin_immediate(driver.execute)
        else:
            driver.execute("BEGIN")

    @contextmanager
    def alchemy_session(self, *, writes: bool = False) -> Iterator["AlchemySession"]:
        """Connect for one transaction as `session` does; it takes SQLAlchemy's statements too."""
        from discosync.database.connection.alchemy import beginning  # noqa: PLC0415 - 0.2 s

        with self.errors(), beginning(self.engine, writes=writes) as session:
            yield session

    @contextmanager
    def migrating(self) -> Iterator["AlchemySession"]:
        """Connect for one transaction in which tables may be rebuilt: foreign keys are off."""
        from discosync.database.connection.alchemy import beginning_migration  # noqa: PLC0415 - 0.2 s

        with self.errors(), beginning_migration(self.engine) as session:
            yield session

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLAlchemy and the driver say into errors of ours."""
        try:
            yield
        except self.driver_error as exc:
            raise self._failure(exc) from exc
        except JSONDecodeError as exc:  # a column of JSON holds something else
            raise StorageFailed(
                f"a row of {self.shown} holds JSON that cannot be read: {exc.doc[:80]!r}",
                hint="another program must have written it, into sync_runs or listing_changes: "
                "correct that row; nothing was changed",
                code="bad_row",
            ) from exc
        except Exception as exc:
            if (cause := cause_in_alchemy(exc)) is None:
                raise
            raise self._failure(cause) from exc

    def _failure(self, cause: BaseException) -> DiscosyncError:
        if self.is_sqlite:
            return storage_failed(self.shown, cause)
        from discosync.database.connection.postgres import NoAnswer  # noqa: PLC0415 - an extra

        if isinstance(cause, NoAnswer) and self.locks.are_pooled:
            return pool_too_small(self.address)
        return postgres_failure(self.address, cause) or storage_failed(self.shown, cause)


def _commit(driver: Any) -> None:  # noqa: ANN401 - DBAPI
    with committing():
        driver.commit()


def open_database(address: str, *, read_only: bool, application: str) -> Database:
    """Open `sqlite:///…` or `postgresql://…`; connects when first used.

    Raises `NotReady` for an address that cannot be one. Read only, a SQLite file stays as it is
    byte for byte.
    """
    parsed = parse_address(address)
    driver_error: type[Exception] = sqlite3.Error
    if not parsed.is_sqlite:
        driver_error = _psycopg_error()
        from discosync.database.connection.postgres import (  # noqa: PLC0415 - an extra
            require_known_parameters,
        )

        require_known_parameters(parsed)
    return Database(
        address=parsed,
        path=_resolve(parsed) if parsed.is_sqlite else None,
        driver_error=driver_error,
        read_only=read_only,
        application=application,
    )


def _resolve(address: Address) -> Path:
    # A file that is reached by two paths must have one lock.
    try:
        path = Path(str(address.database)).expanduser().resolve()
    except RuntimeError as exc:
        raise bad_address(str(exc)) from exc
    # SQLite would wait for whoever writes into a pipe, and for ever.
    if is_no_file(path):
        raise bad_address(f"{path} is a pipe or a device, and no file")
    return path


def _psycopg_error() -> type[Exception]:
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise NotReady(
            "DATABASE_URL names Postgres, but its driver is not installed",
            hint="in the checkout of discosync: pip install '.[postgres]'",
            code="no_driver",
        ) from exc
    return psycopg.Error
