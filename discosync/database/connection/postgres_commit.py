"""COMMIT on Postgres: it ends within a bound, and what became of it is asked, not guessed.

A server keeps a COMMIT for ever while a synchronous standby is gone, and what lies between us and
the server may swallow a COMMIT or its answer. So a transaction has a number before its COMMIT. Any
other connection can ask by that number whether it took place.
"""

import logging
import select
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from discosync.database.connection.commits import warn_of_commit

if TYPE_CHECKING:
    from discosync.database.connection.postgres import PostgresConnection

COMMIT_SECONDS = 60.0
"""How long the answer to a COMMIT may take, before it is asked elsewhere what became of it."""

ANSWER_SECONDS = 10.0
"""How long the answer to such a question may take."""

_GIVES_UP_SECONDS = 5.0
_LOOKS_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.2

_OWN = "FROM pg_stat_activity WHERE pid = %s AND backend_xid::text::bigint = %s %% 4294967296"
"""A process of the server, if it still has this transaction in hand."""

_log = logging.getLogger(__name__)


class CommitUnknown(psycopg.OperationalError):
    """Nobody says whether a COMMIT took place; this process of the server may still have it."""

    def __init__(self, said: str, server_pid: int) -> None:
        super().__init__(said)
        self.unknown_to = server_pid


class NotCommitted(psycopg.OperationalError):
    """A COMMIT was not answered, and the server says that it did not take place."""

    unknown_to = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transaction:
    number: int
    server_pid: int
    connect: "Callable[[], PostgresConnection]"


def commit_surely(connection: "PostgresConnection", commit: Callable[[], None]) -> None:
    """Commit by `commit`; raise a psycopg error only when it is known that it did not take place.

    The exception is `CommitUnknown`.
    """
    transaction = _identify(connection)
    if transaction is None:
        _commit_nothing(connection, commit)
        return
    warnings: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        # What it holds is gone as soon as this returns.
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(str(notice.message_primary))

    connection.add_notice_handler(hear)
    try:
        with connection.answering_within(COMMIT_SECONDS):
            commit()
    except psycopg.OperationalError as exc:
        # Else it is the server's own answer, such as a constraint that is checked only now.
        is_silent = _is_silent(connection)
        if not (is_silent or connection.closed):
            raise
        _log.warning("the COMMIT was not answered: %s; asking what became of it", exc)
        if not (is_silent and _gives_up(connection, transaction)):
            connection.close()
            if not _has_committed(transaction, is_ended_at_once=is_silent):
                raise NotCommitted(str(exc)) from exc
    finally:
        connection.remove_notice_handler(hear)
    for text in warnings:
        warn_of_commit(f"committed, but the server warns: {text}")


def _is_silent(connection: "PostgresConnection") -> bool:
    return connection.info.transaction_status is TransactionStatus.ACTIVE


def _commit_nothing(connection: "PostgresConnection", commit: Callable[[], None]) -> None:
    """End a transaction that has written nothing: whatever becomes of it, nothing is lost."""
    try:
        with connection.answering_within(COMMIT_SECONDS):
            commit()
    except psycopg.OperationalError:
        if not (_is_silent(connection) or connection.closed):
            raise
        connection.close()


def _identify(connection: "PostgresConnection") -> _Transaction | None:
    """Ask for the number of the present transaction; None for one that has written nothing."""
    if connection.info.transaction_status is TransactionStatus.INERROR:
        # Postgres would answer its COMMIT with ROLLBACK, and without an error.
        raise psycopg.errors.InFailedSqlTransaction("the transaction had failed")
    another = connection.connect_another
    if another is None or connection.info.transaction_status is not TransactionStatus.INTRANS:
        return None
    with connection.answering_within(COMMIT_SECONDS):
        row = connection.execute("SELECT txid_current_if_assigned(), pg_backend_pid()").fetchone()
    if row is None or row[0] is None:
        return None
    return _Transaction(number=row[0], server_pid=row[1], connect=another)


def _gives_up(connection: "PostgresConnection", transaction: _Transaction) -> bool:
    """Ask the server to let a COMMIT go; return whether it then answers that it took place.

    A server that waits for a standby has committed already: it stops waiting, and warns.
    """
    try:
        with closing(transaction.connect()) as other, other.answering_within(ANSWER_SECONDS):
            other.execute(
                f"SELECT pg_cancel_backend(pid) {_OWN}",
                (transaction.server_pid, transaction.number),
            )
    except psycopg.Error:
        return False
    ends_at = time.monotonic() + _GIVES_UP_SECONDS
    driver = connection.pgconn
    with suppress(psycopg.Error):
        while (left := ends_at - time.monotonic()) > 0:
            if select.select([driver.socket], [], [], left)[0]:
                driver.consume_input()
                if not driver.is_busy():
                    result = driver.get_result()
                    return (
                        result is not None
                        and result.status == ExecStatus.COMMAND_OK
                        and result.command_status == b"COMMIT"
                    )
    return False


def _has_committed(transaction: _Transaction, *, is_ended_at_once: bool) -> bool:
    """Return what became of a transaction; end the process of the server that still has it.

    Raises `CommitUnknown` when the server does not say.
    """
    said = f"server process {transaction.server_pid} still has it in hand"
    began, has_ended = time.monotonic(), False
    while (waited := time.monotonic() - began) < _LOOKS_SECONDS:
        if waited:
            time.sleep(_LOOK_EVERY_SECONDS)
        try:
            with closing(transaction.connect()) as other, other.answering_within(ANSWER_SECONDS):
                row = other.execute("SELECT txid_status(%s)", (transaction.number,)).fetchone()
                status = row[0] if row else None
                if status == "in progress" and (is_ended_at_once or waited > _GIVES_UP_SECONDS):
                    # It would hold its rows and its lock for as long as nobody ends it.
                    other.execute(
                        f"SELECT pg_terminate_backend(pid) {_OWN}",
                        (transaction.server_pid, transaction.number),
                    )
                    has_ended = True
        except psycopg.Error as exc:
            said = str(exc)
            continue
        if status == "committed":
            if has_ended:
                warn_of_commit("committed, but the server may not have handed it to its standby")
            return True
        if status == "aborted":
            return False
    raise CommitUnknown(said, transaction.server_pid)
