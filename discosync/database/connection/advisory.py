"""Advisory locks of Postgres, held by a transaction that stays open as long as they are held.

A lock of the session would be left behind in a pooler that gives every transaction another
connection of the server. A transaction keeps its connection everywhere. It has no snapshot, so it
does not hold up VACUUM.

A connection may be cut while its run goes on, and the server then gives its locks to the next run.
So every lock has a twin. A transaction that writes takes the twins of all locks that its process
holds, and only then looks whether it still holds the locks themselves. Who takes a lock looks
whether its twin is free. Whichever of the two comes first, the other one sees it.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from discosync.database.connection.session import Session
from discosync.errors import StorageFailed

_LOCK = 0x64697363  # "disc": our half of Postgres' two-part keys
_TWIN = _LOCK + 1

# The server may end a transaction that is idle, or long: this one is both on purpose.
_BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;
"""
_LONG_TRANSACTIONS_END_SINCE = 17_00_00
_LET_IT_BE_LONG = "SET LOCAL transaction_timeout = 0;"

_WHO_AM_I = """
SELECT pid, virtualtransaction FROM pg_locks
WHERE locktype = 'virtualxid' AND pid = pg_backend_pid() AND granted
"""

_STILL_HELD = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND pid = :pid AND virtualtransaction = :transaction
  AND classid::bigint = :space AND objid::bigint = ANY(:numbers)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_HOLDERS = """
SELECT a.application_name, a.xact_start FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = ANY(:spaces)
  AND l.objid::bigint = :number
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY l.classid LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class AdvisoryLock:
    """One lock, by the number that stands for its name."""

    number: int
    is_shared: bool

    @classmethod
    def named(cls, key: str, *, is_shared: bool) -> "AdvisoryLock":
        """Make the lock of this name, in any letter case."""
        digest = hashlib.sha256(key.casefold().encode(errors="replace")).digest()
        return cls(int.from_bytes(digest[:4], signed=True), is_shared)

    @property
    def shown_number(self) -> int:
        """Its number as `pg_locks` shows it."""
        return self.number % 2**32

    def excludes(self, other: "AdvisoryLock") -> bool:
        """Whether only one of the two can be held."""
        return self.number == other.number and not (self.is_shared and other.is_shared)

    def taken(self, function: str, space: int) -> str:
        """Write the call that takes it, or its twin."""
        suffix = "_shared" if self.is_shared else ""
        return f"{function}{suffix}({space}, {self.number})"


@dataclass(slots=True)
class AdvisoryLocks:
    """The locks that this process holds in one database, all on one connection."""

    session: Session | None = None
    held: list[AdvisoryLock] = field(default_factory=list)
    _pid: int = 0
    _transaction: str = ""

    @property
    def are_pooled(self) -> bool:
        """Whether they are held through a pooler: then other connections may be used up."""
        return self.session is not None and bool(self.session.driver.is_pooled)

    @contextmanager
    def connected(self, connect: Callable[[], Any]) -> Iterator[Session]:
        """Give the connection of the locks; it is closed when the last lock is given back."""
        if self.session is not None:
            yield self.session
            return
        driver = connect()
        try:
            can_end = driver.info.server_version >= _LONG_TRANSACTIONS_END_SINCE
            begin = _BEGIN + (_LET_IT_BE_LONG if can_end else "") + _WHO_AM_I
            cursor = driver.execute(begin.strip().encode())
            while cursor.nextset():
                pass
            self._pid, self._transaction = cursor.fetchone()
            driver.server_pid = self._pid
            self.session = Session(driver)
            yield self.session
        finally:
            self.session = None
            # The server frees the locks of a connection that was closed, but too late for a run
            # that begins at once.
            with suppress(Exception):
                driver.execute("ROLLBACK")
            driver.close()

    def take(self, session: Session, lock: AdvisoryLock) -> bool:
        """Take a lock, unless somebody has it, or writes with one that was lost."""
        # Postgres gives a session twice what it has already.
        if any(lock.excludes(other) for other in self.held):
            return False
        savepoint = f"discosync_{len(self.held)}"
        cursor = session.driver.execute(
            f"SAVEPOINT {savepoint}; SELECT {lock.taken('pg_try_advisory_xact_lock', _LOCK)}; "
            f"SAVEPOINT discosync_twin; SELECT {lock.taken('pg_try_advisory_xact_lock', _TWIN)}; "
            "ROLLBACK TO SAVEPOINT discosync_twin; RELEASE SAVEPOINT discosync_twin".encode()
        )
        cursor.nextset()
        is_free = cursor.fetchone()[0]
        cursor.nextset()
        cursor.nextset()
        if is_free and cursor.fetchone()[0]:
            self.held.append(lock)
            return True
        self._go_back_to(session, savepoint)
        return False

    def give_back(self, session: Session) -> None:
        """Give the lock back that was taken last."""
        self.held.pop()
        self._go_back_to(session, f"discosync_{len(self.held)}")

    def _go_back_to(self, session: Session, savepoint: str) -> None:
        session.driver.execute(
            f"ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}".encode()
        )

    def describe(self, session: Session, lock: AdvisoryLock) -> str:
        """Say who has a lock."""
        # Without this a transaction would go on seeing the processes that it saw first.
        session.execute("SELECT pg_stat_clear_snapshot()")
        row = session.execute(_HOLDERS, spaces=[_LOCK, _TWIN], number=lock.shown_number).fetchone()
        if row is None:
            return "it has just ended"
        command, _, signature = str(row[0]).partition(" pid=")
        pid, _, host = signature.partition(" host=")
        # Postgres shows another role's start to superusers only.
        since = (
            row[1].astimezone(UTC).isoformat(timespec="seconds") if row[1] else "an unknown time"
        )
        return f"process {pid} on {host}, {command}, since {since}"

    def require_held(self, session: Session) -> None:
        """In a transaction that is going to write: see that the locks are held until it ends.

        Raises `StorageFailed` when one was lost.
        """
        if not self.held:
            return
        session.execute(self.twins_taken)
        count = session.value(
            _STILL_HELD,
            pid=self._pid,
            transaction=self._transaction,
            space=_LOCK,
            numbers=[lock.shown_number for lock in self.held],
        )
        if count != len(self.held):
            raise lock_lost()

    @property
    def script(self) -> str:
        """What `require_held` does, for a program that writes on a connection of its own."""
        if not self.held:
            return ""
        numbers = ", ".join(str(lock.shown_number) for lock in self.held)
        count = _STILL_HELD.replace(":pid", str(self._pid))
        count = count.replace(":transaction", f"'{self._transaction}'")
        count = count.replace(":space", str(_LOCK)).replace(":numbers", f"ARRAY[{numbers}]")
        return (
            f"{self.twins_taken};\nDO $$ BEGIN IF ({count}) <> {len(self.held)} THEN "
            "RAISE 'the connection that holds the lock was cut'; END IF; END $$;\n"
        )

    @property
    def twins_taken(self) -> str:
        """Write the statement that takes the twins, and waits for them."""
        calls = (lock.taken("pg_advisory_xact_lock", _TWIN) for lock in self.held)
        return f"SELECT {', '.join(calls)}"


def lock_lost() -> StorageFailed:
    """Say that the connection which holds the locks of a run was cut."""
    return StorageFailed(
        "the connection that holds this run's lock was cut, so another run may have begun",
        hint="nothing was changed: run again; if it happens each time, look for what ends idle "
        "connections or transactions (a pooler's idle_transaction_timeout, a firewall)",
        code="lock_lost",
    )
