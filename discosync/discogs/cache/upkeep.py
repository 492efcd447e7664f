"""What the cache holds, and emptying it: only our own keys, and only answers."""

from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discosync.core.reporting.change_entry import json_value
from discosync.discogs.cache.answer_stores import (
    FILE_NAME,
    NAMESPACE,
    TABLE,
    AnswerFile,
    DamagedFile,
    Store,
    delete_damaged,
    file_trouble,
    open_file_store,
    open_redis_store,
)
from discosync.discogs.redis_link import (
    CacheTrouble,
    RedisMissing,
    own_directory,
    redis_trouble,
    shown_address,
)
from discosync.errors import NotReady, StorageFailed
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import redis

_PATIENT_SECONDS = 5.0
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheState:
    """How many answers the cache holds, their size, and when the oldest and newest were kept.

    If the store cannot be read, `fault` says why, and the figures are None.
    """

    backend: str
    where: str
    ttl_seconds: int
    entries: int | None = 0
    bytes: int | None = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `cache info --json` prints."""
        return {
            "backend": self.backend,
            "where": self.where,
            "reachable": self.fault is None,
            "fault": self.fault,
            "ttl_seconds": self.ttl_seconds,
            "entries": self.entries,
            "bytes": self.bytes,
            "oldest": json_value(self.oldest),
            "newest": json_value(self.newest),
        }


def load_cache_state(settings: CacheSettings) -> CacheState:
    """Return the state of the Redis, or of the file if no Redis is set; raises nothing."""
    where = _where(settings)
    backend = "redis" if settings.redis_url else "sqlite"
    try:
        found = _redis_state(settings) if settings.redis_url else _file_state(settings)
    except CacheTrouble as fault:
        return CacheState(
            backend=backend,
            where=where,
            ttl_seconds=settings.ttl_seconds,
            entries=None,
            bytes=None,
            fault=_advise(fault),
        )
    return found


def _advise(fault: CacheTrouble) -> str:
    if isinstance(fault, DamagedFile):
        return f"{fault}; `discosync cache clear` deletes it, or the next run that needs it"
    return str(fault)


def clear_cache(settings: CacheSettings) -> int:
    """Delete every answer in the Redis and in the file; return how many there were.

    Raises `StorageFailed` when one of them cannot be emptied, `NotReady` when REDIS_URL is set and
    the package `redis` is missing.
    """
    try:
        cleared = _clear_file(settings)
        return cleared + (_clear_redis(settings.redis_url) if settings.redis_url else 0)
    except RedisMissing as exc:
        raise NotReady(str(exc), hint="install it, or unset REDIS_URL", code="no_redis") from exc
    except CacheTrouble as exc:
        raise StorageFailed(
            f"the cache was not emptied: {exc}",
            hint="repair it, or wait until no run uses it; then run the command again",
            code="cache",
        ) from exc


def _where(settings: CacheSettings) -> str:
    if settings.redis_url is not None:
        return shown_address(settings.redis_url)
    try:
        return str(own_directory(settings) / FILE_NAME)
    except CacheTrouble:
        return "nowhere"


def _file_state(settings: CacheSettings) -> CacheState:
    directory = own_directory(settings)
    path = directory / FILE_NAME
    where, ttl_seconds = str(path), settings.ttl_seconds
    if not path.exists():  # looking must not make one
        return CacheState(backend="sqlite", where=where, ttl_seconds=ttl_seconds)
    store = open_file_store(directory)
    with closing(store), store.trouble():
        answers = _file_of(store)
        with answers.connection() as opened:
            ends = opened.execute(
                f"SELECT (SELECT key FROM {TABLE} ORDER BY expires LIMIT 1), "  # noqa: S608 - our name
                f"(SELECT key FROM {TABLE} ORDER BY expires DESC LIMIT 1), count(*) FROM {TABLE}"
            ).fetchone()
        return CacheState(
            backend="sqlite",
            where=where,
            ttl_seconds=ttl_seconds,
            entries=ends[2],
            bytes=path.stat().st_size,
            oldest=_created_at(store, ends[0]),
            newest=_created_at(store, ends[1]),
        )


def _redis_state(settings: CacheSettings) -> CacheState:
    store, connection = _open_redis(settings.redis_url)
    with closing(store), redis_trouble():
        # The keys expire after one and the same time: the one that ends first is the oldest.
        size = 0
        left_by_key: dict[bytes, int] = {}
        for keys in _chunks(_keys(connection)):
            with connection.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.pttl(key)
                    pipeline.memory_usage(key)
                said = pipeline.execute()
            size += sum(used or 0 for used in said[1::2])
            left_by_key |= dict(zip(keys, said[0::2], strict=True))
        ends = sorted(left_by_key, key=lambda key: left_by_key[key])
        oldest, newest = (ends[0], ends[-1]) if ends else (None, None)
        return CacheState(
            backend="redis",
            where=_where(settings),
            ttl_seconds=settings.ttl_seconds,
            entries=len(left_by_key),
            bytes=size,
            oldest=_created_at(store, oldest),
            newest=_created_at(store, newest),
        )


def _created_at(store: Store, key: bytes | str | None) -> datetime | None:
    """Return when an answer was kept; None without a key, and for one that cannot be read."""
    if key is None:
        return None
    name = key.decode(errors="replace") if isinstance(key, bytes) else key
    with suppress(KeyError):
        answer = store.load(name.removeprefix(f"{NAMESPACE}:"))
        return answer.created_at if answer else None
    return None


def _clear_file(settings: CacheSettings) -> int:
    try:
        directory = settings.file_directory
    except NotReady:  # without a home there is no file either
        return 0
    path = directory / FILE_NAME
    if not path.exists():
        return 0
    with file_trouble(path):
        try:
            return _forget_all(directory)
        except DamagedFile as fault:
            delete_damaged(fault)
            return 0


def _forget_all(directory: Path) -> int:
    store = open_file_store(directory)
    with closing(store), store.trouble():
        return _file_of(store).forget_all()


def _file_of(store: Store) -> AnswerFile:
    if not isinstance(store.answers, AnswerFile):
        raise TypeError(store.backend)
    return store.answers


def _clear_redis(url: Secret) -> int:
    store, connection = _open_redis(url)
    with closing(store), redis_trouble():
        return sum(int(str(connection.unlink(*keys))) for keys in _chunks(_keys(connection)))


def _open_redis(url: Secret | None) -> "tuple[Store, redis.Redis]":
    if url is None:
        raise CacheTrouble("there is no REDIS_URL")
    store = open_redis_store(url, timeout_seconds=_PATIENT_SECONDS)
    from discosync.discogs.cache.redis_answers import RedisAnswers  # noqa: PLC0415 - imports an extra

    if not isinstance(store.answers, RedisAnswers):
        raise TypeError(store.backend)
    return store, store.answers.connection


def _keys(connection: "redis.Redis") -> "Iterator[bytes]":
    return connection.scan_iter(f"{NAMESPACE}:*", count=_CHUNK)


def _chunks(keys: "Iterable[bytes]") -> "Iterator[list[bytes]]":
    remaining = iter(keys)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
