"""Where answers are kept: the storages of `requests-cache`, with an end to their waiting.

Answers are stored as JSON, never as pickles: whoever can write into a shared Redis must not be
able to run code here.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
        raise CacheTrouble(f"the cache file {path} cannot be used ({why})") from exc


def open_redis_store(url: Secret, **options: Any) -> Store:  # noqa: ANN401 - those of `connect`
    """Prepare a Redis; asking it something tells whether it is there. Raises `CacheTrouble`."""
    connection = connect(url, **options)
    from discosync.discogs.redis_answers import RedisAnswers  # noqa: PLC0415 - imports an extra

    answers = RedisAnswers(
        NAMESPACE,
        connection=connection,
        serializer=json_serializer,
        ttl_offset=_REDIS_TTL_OFFSET_SECONDS,
    )
    return Store(backend="redis", answers=answers, trouble=redis_trouble)
