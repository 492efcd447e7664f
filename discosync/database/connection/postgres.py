"""Connections to Postgres: direct ones, and such as go through a pooler.

A pooler in transaction mode gives every transaction another connection of the server. So nothing
here outlives its transaction: no prepared statement, no setting, no lock.
"""

import logging
import os
import re
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

import psycopg

from discosync.database.connection.address import Address, bad_address
from discosync.database.connection.blockers import LOCK_SECONDS, Blocker, load_blockers
from discosync.database.connection.postgres_commit import commit_surely

_NAME = re.compile(r"[a-z][a-z_]{0,30}")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ANSWER_SECONDS = 30.0
_LOOKS_AFTER_SECONDS = 1.0
_LOOKS_EVERY_SECONDS = 5.0
_LOOK_SECONDS = 5.0

_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"

T = TypeVar("T")
_log = logging.getLogger(__name__)


class LockedOut(psycopg.errors.LockNotAvailable):
    """Another program's lock was waited for too long; `blockers` are the programs in the way."""

    def __init__(self, said: str, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(said)
        self.blockers = blockers


class NoAnswer(psycopg.OperationalError):
    """A transaction could not even begin: the server hangs, or a pooler has no connection left."""


class PostgresConnection(psycopg.Connection[Any]):
    """A connection that finds out who is in the way while an answer stays out."""

    server_pid: int | None = None
    connect_another: Callable[[], "PostgresConnection"] | None = None
    _answer_seconds: float | None = None
    _blockers: tuple[Blocker, ...] = ()

    @property
    def is_pooled(self) -> bool:
        """Whether something between us and the server, such as PgBouncer, shares connections."""
        return self.server_pid is not None and self.info.backend_pid != self.server_pid

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """Raise `NoAnswer` when a statement takes longer; the connection is of no use then."""
        self._answer_seconds = seconds
        try:
            yield
        finally:
            self._answer_seconds = None

    def commit(self) -> None:
        """Commit within a bound; an error means that nothing was committed, or says that it may."""
        commit_surely(self, super().commit)

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:  # noqa: ANN401 - psycopg's
        """Wait as psycopg does, and look around meanwhile."""
        self._blockers = ()
        try:
            return super().wait(self._watched(gen), *args, **options)
        except psycopg.errors.LockNotAvailable as exc:
            raise LockedOut(str(exc), self._blockers) from exc

    def _watched(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        began = time.monotonic()
        looks_at = began + _LOOKS_AFTER_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                # psycopg sends 0 when nothing has come, ten times a second.
                if ready == 0 and (now := time.monotonic()) >= looks_at:
                    looks_at = now + _LOOKS_EVERY_SECONDS
                    self._look(now - began)
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _look(self, waited_seconds: float) -> None:
        if self._answer_seconds is not None:
            if waited_seconds >= self._answer_seconds:
                raise NoAnswer(f"no answer for {self._answer_seconds:g} seconds")
        elif self.server_pid is not None and self.connect_another is not None:
            # Whatever goes wrong here, the statement itself may still succeed.
            with suppress(psycopg.Error), closing(self.connect_another()) as other:
                with other.answering_within(_LOOK_SECONDS):
                    found = load_blockers(other, self.server_pid)
                # None is found once the server has given up: then the last ones count.
                self._blockers = found or self._blockers
                if found:
                    _log.info("waiting for %s", found[0])


_FOREIGN = {
    "schema": "to use another schema write options=-csearch_path%3DNAME instead",
    "ssl": "write sslmode=require instead",
    "pgbouncer": "leave it out: discosync prepares no statements",
    "connection_limit": "leave it out: a run takes two connections",
}
"""What stands in the addresses of other programs' libraries, and what to do about it."""


def require_known_parameters(address: Address) -> None:
    """Raise `NotReady` for a parameter that Postgres' own library does not know."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    for name, value in address.query:
        if name not in known:
            # Only what looks like a name is shown: after a mistake it may be a password.
            shown = f" {name!r}" if _NAME.fullmatch(name) else ""
            advice = _FOREIGN.get(name, "leave it out")
            raise bad_address(f"Postgres' own library knows no parameter{shown}; {advice}")
        if name == "sslmode" and value not in _SSL_MODES:
            raise bad_address(
                f"sslmode is one of {', '.join(_SSL_MODES)}; where another program says no-verify, "
                "write require"
            )


def connect_postgres(
    address: Address, *, application: str, autocommit: bool = True
) -> PostgresConnection:
    """Open a connection to Postgres; with `autocommit` each statement outside of BEGIN is whole."""
    parameters = {**_options(application), **address.postgres_parameters}
    connection = PostgresConnection.connect(
        **parameters, autocommit=autocommit, prepare_threshold=None
    )
    connection.connect_another = lambda: connect_postgres(address, application=application)
    return connection


def begin_postgres(connection: PostgresConnection, *, writes: bool) -> None:
    """Begin a transaction on an autocommit connection, and bound how long it waits for locks."""
    first = f"{_BEGIN_WRITING if writes else _BEGIN_READING}; {_first_words(LOCK_SECONDS)}"
    with connection.answering_within(_ANSWER_SECONDS):
        cursor = connection.execute(first.encode())
    cursor.nextset()
    connection.server_pid = cursor.fetchall()[0][0]


def bound_waiting(connection: PostgresConnection, *, seconds: int) -> None:
    """Bound how long the present transaction waits for locks, unless the server does so itself."""
    with connection.answering_within(_ANSWER_SECONDS):
        cursor = connection.execute(_first_words(seconds).encode())
    connection.server_pid = cursor.fetchall()[0][0]


def _first_words(lock_seconds: int) -> str:
    # For the transaction only: through a pooler a longer setting would reach other programs.
    return (
        "SELECT pg_backend_pid(), CASE current_setting('lock_timeout') "
        f"WHEN '0' THEN set_config('lock_timeout', '{lock_seconds}s', true) END"
    )


def shares_between_transactions(address: Address) -> bool:
    """Whether a pooler gives each transaction another connection of the server.

    Two connections of ours would then be seen on the same connection of the server.
    """
    with (
        closing(connect_postgres(address, application="discosync")) as one,
        closing(connect_postgres(address, application="discosync")) as two,
    ):
        seen: dict[PostgresConnection, set[int]] = {one: set(), two: set()}
        for asked in (one, two, two, one, one, two):
            with asked.answering_within(_ANSWER_SECONDS):
                seen[asked].add(asked.execute("SELECT pg_backend_pid()").fetchall()[0][0])
    return bool(seen[one] & seen[two]) or max(map(len, seen.values())) > 1


def _options(application: str) -> dict[str, Any]:
    """Give the options of a connection that do not stand in its address."""
    return {
        "application_name": f"{application} pid={os.getpid()} host={socket.gethostname()}"[:63],
        "connect_timeout": 10,
        "client_encoding": "utf8",
        # Without these a server that vanished would keep a run, or its COMMIT, waiting for hours.
        "keepalives_idle": 30,
        "tcp_user_timeout": 60_000,
    }
