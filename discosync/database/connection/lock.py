"""Locks: one run at a time for each seller in a database.

`flock` beside a SQLite file, advisory locks on Postgres (see `advisory`): either is free the moment
its holder dies, so nothing goes stale and nothing is to be cleaned up. The lock file itself stays.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from discosync.database.connection.advisory import AdvisoryLock
from discosync.database.connection.engine import Database
from discosync.database.connection.file_lock import (
    describe_signature,
    is_signed,
    make_signature,
    opened_lock_file,
    signed,
    try_flock,
)
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
    locks, lock = database.locks, AdvisoryLock.named(key, is_shared=is_shared)
    with ExitStack() as stack:
        with database.errors():
            session = stack.enter_context(locks.connected(database.connect))

        def take() -> bool:
            with database.errors():
                return locks.take(session, lock)

        def describe() -> str:
            with database.errors():
                return locks.describe(session, lock)

        _wait_for(take, describe, wait)
        try:
            yield
        finally:
            # Where the connection was cut there is nothing to give back.
            with suppress(StorageFailed), database.errors():
                locks.give_back(session)


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
