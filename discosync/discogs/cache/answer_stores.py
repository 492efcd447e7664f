"""Where answers are kept: the storages of `requests-cache`, with an end to their waiting.

Answers are stored as JSON, never as pickles: whoever can write into a shared Redis must not be
able to run code here.
"""

import logging
import os
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
from discosync.settings.secret import Secret

NAMESPACE = f"{PREFIX}:answers"
FILE_NAME = "answers.sqlite"
TABLE = "answers"

_FILE_TIMEOUT_SECONDS = 0.5
_REDIS_TTL_OFFSET_SECONDS = 60  # whether an answer is fresh is decided by its own age

# Its complaints about what cannot be read come on top of our one warning.
logging.getLogger("requests_cache").setLevel(logging.CRITICAL)


_DAMAGE = {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR"}
"""No database, one no longer, and one whose table is another: none of them mends itself."""


class DamagedFile(CacheTrouble):
    """The file is not what it should be, and will not be until it is made anew."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self.path = path
        self.inode = _inode_of(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One place for answers; `trouble` turns its library's exceptions into `CacheTrouble`."""

    backend: str
    answers: "BaseStorage[str, CachedResponse]"
    trouble: Callable[[], AbstractContextManager[None]]

    def load(self, key: str) -> CachedResponse | None:
        """Give what is kept there.

        Raises `KeyError` for nothing, `CacheTrouble`; None is something that cannot be read.
        """
        with self.trouble():
            try:
                found = self.answers[key]
            except (ExceptionGroup, RecursionError):  # JSON, but nothing of ours
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
    """An SQLite file that says when it cannot be written; the library's own tries for ever."""

    @contextmanager
    def connection(self, commit: bool = False) -> Iterator[sqlite3.Connection]:  # noqa: FBT001, FBT002 - as inherited
        """Open the file; with `commit`, as one transaction."""
        with super().connection() as opened:
            if not commit:
                yield opened
                return
            opened.execute("BEGIN IMMEDIATE")
            try:
                yield opened
                opened.execute("COMMIT")
            except BaseException:
                if opened.in_transaction:
                    opened.execute("ROLLBACK")
                raise

    def forget_expired(self, now: float) -> None:
        """Delete what nobody will ask for again, so that the file does not grow for ever."""
        with self.connection(commit=True) as opened:
            opened.execute(f"DELETE FROM {TABLE} WHERE expires <= ?", (now,))  # noqa: S608 - our name

    def forget_all(self) -> int:
        """Delete every answer and give the disk its space back; return how many there were."""
        with self.connection(commit=True) as opened:
            count = opened.execute(f"DELETE FROM {TABLE}").rowcount  # noqa: S608 - our name
        with self.connection() as opened:
            opened.execute("VACUUM")
        return count


def open_file_store(directory: Path) -> Store:
    """Open the file, for its owner's eyes only. Raises `CacheTrouble`."""
    path = directory / FILE_NAME

    def trouble() -> AbstractContextManager[None]:
        return file_trouble(path)

    with trouble():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
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
    """Turn whatever goes wrong with the file into `CacheTrouble`."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        why = (exc.strerror or str(exc)) if isinstance(exc, OSError) else str(exc)
        text = f"the cache file {path} cannot be used ({why})"
        raise (DamagedFile(text, path) if _is_damage(exc) else CacheTrouble(text)) from exc


def delete_damaged(fault: DamagedFile) -> None:
    """Delete the file that was found damaged; nothing in it can be read, so nothing is lost.

    A file that another run has put in its place meanwhile stays. Raises `CacheTrouble`.
    """
    path = fault.path
    with file_trouble(path):
        if _inode_of(path) != fault.inode:
            return
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)


def _is_damage(fault: Exception) -> bool:
    """Tell a file that is no cache from one that is in use, or on a full disk."""
    name = getattr(fault, "sqlite_errorname", None) or ""
    return any(name == kind or name.startswith(f"{kind}_") for kind in _DAMAGE)


def _inode_of(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


def open_redis_store(url: Secret, **options: Any) -> Store:  # noqa: ANN401 - those of `connect`
    """Prepare a Redis; asking it something tells whether it is there. Raises `CacheTrouble`."""
    connection = connect(url, **options)
    from discosync.discogs.cache.redis_answers import RedisAnswers  # noqa: PLC0415 - imports an extra

    answers = RedisAnswers(
        NAMESPACE,
        connection=connection,
        serializer=json_serializer,
        ttl_offset=_REDIS_TTL_OFFSET_SECONDS,
    )
    return Store(backend="redis", answers=answers, trouble=redis_trouble)
