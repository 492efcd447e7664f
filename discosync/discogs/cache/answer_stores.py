"""The two stores of answers, a file and a Redis: those of `requests-cache`, with short timeouts.

Answers are stored as JSON, never as pickles: a pickle runs code when it is read, and others may
write into a shared Redis.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests_cache.backends.base import BaseStorage
from requests_cache.backends.sqlite import SQLiteDict
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import json_serializer

from discosync.discogs.redis_link import PREFIX, CacheTrouble, connect, redis_trouble
from discosync.files.making import OWN_DIRECTORY, OWN_FILE, make_directory, make_file
from discosync.settings.secret import Secret

NAMESPACE = f"{PREFIX}:answers"
FILE_NAME = "answers.sqlite"
TABLE = "answers"

_FILE_TIMEOUT_SECONDS = 0.5
# Redis keeps an answer a little longer than needed: its own age decides whether it is fresh.
_REDIS_TTL_OFFSET_SECONDS = 60

# Our one warning says what cannot be read; the library would log each answer as well.
logging.getLogger("requests_cache").setLevel(logging.CRITICAL)


_DAMAGE = {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR"}
"""SQLite's names for: no database, a damaged one, and one with another table."""


class DamagedFile(CacheTrouble):
    """The cache file is no usable database and must be made anew."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self.path = path
        self.inode = _inode_of(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store of answers; `trouble` turns its library's exceptions into `CacheTrouble`.

    `backend` is its name in the report: `sqlite` or `redis`.
    """

    backend: str
    answers: "BaseStorage[str, CachedResponse]"
    trouble: Callable[[], AbstractContextManager[None]]

    def load(self, key: str) -> CachedResponse | None:
        """Return the answer kept under a key, None for something that cannot be read.

        Raises `KeyError` when nothing is kept under the key, and `CacheTrouble`.
        """
        with self.trouble():
            try:
                found = self.answers[key]
            except (ExceptionGroup, RecursionError):  # JSON that is no stored answer
                return None
        return found if isinstance(found, CachedResponse) else None

    def save(self, key: str, answer: CachedResponse) -> None:
        """Keep an answer. Raises `CacheTrouble`."""
        with self.trouble():
            self.answers[key] = answer

    def close(self) -> None:
        """Close the connection."""
        with self.trouble():
            self.answers.close()  # type: ignore[no-untyped-call]


class AnswerFile(SQLiteDict):
    """An SQLite file that raises when it cannot be written; the library's class tries forever."""

    @contextmanager
    def connection(self, commit: bool = False) -> Iterator[sqlite3.Connection]:  # noqa: FBT001, FBT002 - as inherited
        """Open the file; with `commit`, in one transaction."""
        with super().connection() as opened:
            if not commit:
                yield opened
                return
            # Takes the lock at once, so that a busy file is noticed here and not at the commit.
            opened.execute("BEGIN IMMEDIATE")
            try:
                yield opened
                opened.execute("COMMIT")
            except BaseException:
                if opened.in_transaction:
                    opened.execute("ROLLBACK")
                raise

    def forget_expired(self, now: float) -> None:
        """Delete the answers that expired before `now`, in seconds of the epoch."""
        with self.connection(commit=True) as opened:
            opened.execute(f"DELETE FROM {TABLE} WHERE expires <= ?", (now,))  # noqa: S608 - our name

    def forget_all(self) -> int:
        """Delete every answer, shrink the file, and return how many answers there were."""
        with self.connection(commit=True) as opened:
            count = opened.execute(f"DELETE FROM {TABLE}").rowcount  # noqa: S608 - our name
        with self.connection() as opened:
            opened.execute("VACUUM")
        return count


def open_file_store(directory: Path) -> Store:
    """Open the file in a directory, readable by its owner only. Raises `CacheTrouble`."""
    path = directory / FILE_NAME

    def trouble() -> AbstractContextManager[None]:
        return file_trouble(path)

    with trouble():
        make_directory(directory, OWN_DIRECTORY)
        # Made before SQLite opens it, which would make it readable by others.
        make_file(path, OWN_FILE)
        answers = AnswerFile(
            path,
            table_name=TABLE,
            serializer=json_serializer,
            timeout=_FILE_TIMEOUT_SECONDS,
            wal=True,
        )
    return Store(backend="sqlite", answers=answers, trouble=trouble)


@contextmanager
def file_trouble(path: Path) -> Iterator[None]:
    """Turn exceptions of SQLite and the disk into `CacheTrouble`, or its kind `DamagedFile`."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        why = (exc.strerror or str(exc)) if isinstance(exc, OSError) else str(exc)
        text = f"the cache file {path} cannot be used ({why})"
        raise (DamagedFile(text, path) if _is_damage(exc) else CacheTrouble(text)) from exc


def delete_damaged(fault: DamagedFile) -> None:
    """Delete a damaged file; none of its answers could be read.

    A new file, which another run has made meanwhile, stays. Raises `CacheTrouble`.
    """
    path = fault.path
    with file_trouble(path):
        if _inode_of(path) != fault.inode:
            return
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)


def _is_damage(fault: Exception) -> bool:
    """Return whether the file is damaged, and not merely in use or on a full disk."""
    name = getattr(fault, "sqlite_errorname", None) or ""
    return any(name == kind or name.startswith(f"{kind}_") for kind in _DAMAGE)


def _inode_of(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


def open_redis_store(url: Secret, **options: Any) -> Store:  # noqa: ANN401 - those of `connect`
    """Prepare a Redis; the first load or save connects to it. Raises `CacheTrouble`."""
    connection = connect(url, **options)
    from discosync.discogs.cache.redis_answers import RedisAnswers  # noqa: PLC0415 - imports an extra

    answers = RedisAnswers(
        NAMESPACE,
        connection=connection,
        serializer=json_serializer,
        ttl_offset=_REDIS_TTL_OFFSET_SECONDS,
    )
    return Store(backend="redis", answers=answers, trouble=redis_trouble)
