"""Locks: one run at a time for each seller in a database.

`flock` beside a SQLite file, a session's advisory lock on Postgres: either is free the moment its
holder dies, so there is nothing to go stale and nothing to clean up. The lock file itself stays.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from discosync.database.connection.engine import Database
from discosync.database.connection.file_lock import (
    describe_signature,
    is_signed,
    make_signature,
    opened_lock_file,
    signed,
    try_flock,
)
from discosync.database.connection.session import Session
from discosync.errors import Locked, StorageFailed

SCHEMA_LOCK = "*schema*"
"""Held while the schema is made or upgraded, for all sellers. No name on Discogs has a star."""

MAINTENANCE_LOCK = "*maintenance*"
"""Shared by every run that writes; a migration or a restored backup needs it alone."""

ENRICH_LOCK = "*enrich*"
"""Held while listings are linked: two such runs would share one limit of requests."""

_log = logging.getLogger(__name__)
_IN_DATABASE = frozenset({SCHEMA_LOCK, MAINTENANCE_LOCK, ENRICH_LOCK})
_LOOK_EVERY_SECONDS = 0.2
_SIGNS_WITHIN_SECONDS = 0.02
_SIGNING_SECONDS = 5.0
"""How long a holder may take to sign: it does so at once, unless its process stands still."""

_NAMESPACE = 0x64697363  # "disc": our half of Postgres' two-part advisory lock keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock: shown to the run that is refused meanwhile."""

    command: str
    run_id: str
    started_at: datetime


@contextmanager
def hold_lock(
    database: Database,
    key: str,
    holder: Holder,
    *,
    wait_seconds: float = 0.0,
    is_shared: bool = False,
    has_option: bool = False,
) -> Iterator[None]:
    """Hold the lock `key` (a seller, in any spelling) of this database.

    Several runs may share a lock; no run can hold it alone meanwhile. Raises `Locked`, naming the
    holder, when it is not free within `wait_seconds`; `has_option` says whether the command knows
    `--lock-wait`.
    """
    what = "in this database" if key in _IN_DATABASE else "for this seller"
    wait = _Wait(what=what, seconds=wait_seconds, has_option=has_option)
    if database.path is not None:
        with _hold_file(lock_path(database.path, key), holder, wait, is_shared=is_shared):
            yield
    else:
        with _hold_advisory(database, key, wait, is_shared=is_shared):
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    what: str
    seconds: float
    has_option: bool


def lock_path(database_path: Path, key: str) -> Path:
    """Name the lock file of one seller beside a SQLite file."""
    return database_path.with_name(f"{database_path.name}.{slug_of(key)}.lock")


def slug_of(key: str) -> str:
    """Make a file name of any text: readable, unique, and never a path."""
    slug = re.sub(r"[^a-z0-9_-]", "_", key.casefold())[:60]
    digest = hashlib.sha256(key.casefold().encode(errors="replace")).hexdigest()[:8]
    return f"{slug}-{digest}"


@contextmanager
def _hold_file(path: Path, holder: Holder, wait: _Wait, *, is_shared: bool) -> Iterator[None]:
    signature = make_signature(
        command=holder.command, run_id=holder.run_id, started_at=holder.started_at
    )
    with opened_lock_file(path) as descriptor:
        _wait_for(
            lambda: try_flock(descriptor, path, is_shared=is_shared),
            lambda: describe_signature(path),
            wait,
            is_named=lambda: is_signed(path),
        )
        with signed(descriptor, path, signature, is_shared=is_shared):
            yield


@contextmanager
def _hold_advisory(database: Database, key: str, wait: _Wait, *, is_shared: bool) -> Iterator[None]:
    suffix = "_shared" if is_shared else ""
    digest = hashlib.sha256(key.casefold().encode(errors="replace")).digest()
    keys = {"space": _NAMESPACE, "number": int.from_bytes(digest[:4], signed=True)}
    # A connection of its own: Postgres frees the lock when its connection is closed.
    with database.errors():
        session = Session(database.connect())
    with closing(session.driver):

        def ask(function: str) -> bool:
            with database.errors():
                statement = f"SELECT {function}{suffix}(:space, :number)"
                return bool(session.value(statement, **keys))

        def describe() -> str:
            return _describe_session(database, session, keys["number"])

        _wait_for(lambda: ask("pg_try_advisory_lock"), describe, wait)
        try:
            yield
        finally:
            # The server frees a closed connection's lock a little later: too late for the next run.
            with suppress(StorageFailed):
                ask("pg_advisory_unlock")


def _describe_session(database: Database, session: Session, number: int) -> str:
    statement = (
        "SELECT a.application_name, a.backend_start FROM pg_locks l "
        "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
        "AND l.classid = :space AND l.objid = :number "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    keys = {"space": _NAMESPACE, "number": number % 2**32}  # shown as an unsigned number
    with database.errors():
        row = session.execute(statement, **keys).fetchone()
    if row is None:
        return "it has just ended"
    command, _, signature = str(row[0]).partition(" pid=")
    pid, _, host = signature.partition(" host=")
    # Postgres shows another role's start to superusers only.
    since = row[1].astimezone(UTC).isoformat(timespec="seconds") if row[1] else "an unknown time"
    return f"process {pid} on {host}, {command}, since {since}"


def _wait_for(
    take: Callable[[], bool],
    describe: Callable[[], str],
    wait: _Wait,
    *,
    is_named: Callable[[], bool] = lambda: True,
) -> None:
    """Take a lock, or raise `Locked`; a holder who is about to sign is waited for."""
    gives_up_at = time.monotonic() + wait.seconds
    signs_until = gives_up_at + _SIGNING_SECONDS
    has_told = False
    while not take():
        now, can_be_named = time.monotonic(), is_named()
        if now >= signs_until or (now >= gives_up_at and can_be_named):
            raise Locked(
                f"another run is at work {wait.what}: {describe()}",
                hint="let it finish, or wait for it with --lock-wait SECONDS"
                if wait.has_option
                else "nothing was changed; let it finish, then run this again",
            )
        if not has_told and can_be_named and wait.seconds:
            # Whoever did not ask for waiting must be told why nothing happens.
            level = logging.INFO if wait.has_option else logging.WARNING
            _log.log(level, "waiting %g s at most for %s", wait.seconds, describe())
            has_told = True
        time.sleep(_LOOK_EVERY_SECONDS if can_be_named else _SIGNS_WITHIN_SECONDS)
