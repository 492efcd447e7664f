"""One count of requests for all our processes at one address.

Discogs counts by source address (Discogs' API documentation, rate limiting). Two processes that
each stay below the limit may be above it together. So each request is first noted in a window that
they share: a small file of this user on this machine, or a Redis that all machines share. Requests
of other programs show only in Discogs' headers (see `pacing`).
"""

import fcntl
import hashlib
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from discosync.discogs.http.pacing import RESERVE, SLACK_SECONDS, WINDOW_SECONDS
from discosync.discogs.redis_link import (
    PREFIX,
    CacheTrouble,
    connect,
    own_directory,
    redis_trouble,
)
from discosync.files.making import OWN_DIRECTORY, OWN_FILE, make_directory
from discosync.settings.caching import CacheSettings
from discosync.settings.secret import Secret

if TYPE_CHECKING:
    import redis

_LOCK_WAIT_SECONDS = 0.5
_LOCK_POLL_SECONDS = 0.002
_MAX_FILE_BYTES = 1 << 14
_UNUSED_SECONDS = 86_400.0
_log = logging.getLogger(__name__)


class Window(Protocol):
    """A shared note of the requests of the last `WINDOW_SECONDS`."""

    def reserve(self, allowed: int) -> float:
        """Note a request that is sent now and return 0.0, if the window holds less than `allowed`.

        Else note nothing, and return the seconds to wait before asking again. Raises
        `CacheTrouble`.
        """

    def forget(self) -> None:
        """Forget every request."""


class FileWindow:
    """The window as a small file: one moment a line, in seconds of the epoch."""

    def __init__(
        self,
        path: Path,
        *,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._window_seconds = window_seconds
        self._clock = clock

    def reserve(self, allowed: int) -> float:
        """Note a request, or say how long to wait."""
        with self._opened() as file:
            now = self._clock()
            sent_at = self._read(file, now)
            if len(sent_at) >= allowed:
                return max(0.001, sent_at[-allowed] + self._window_seconds - now)
            self._write(file, [*sent_at, now])
            return 0.0

    def forget(self) -> None:
        """Forget every request."""
        with self._opened() as file:
            self._write(file, [])

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            if not self._path.exists():
                make_directory(self._path.parent, OWN_DIRECTORY)
                self._sweep()
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWN_FILE)
            try:
                self._lock(file)
                yield file
            finally:
                os.close(file)  # and with it, the lock
        except OSError as exc:
            raise CacheTrouble(f"{self._path} cannot be used ({exc.strerror or exc})") from exc

    def _sweep(self) -> None:
        """Delete the windows that no run used for a day: each sandbox has an address of its own."""
        long_ago = self._clock() - _UNUSED_SECONDS
        for path in self._path.parent.glob("limit-*.txt"):
            with suppress(OSError):
                if path.stat().st_mtime < long_ago:
                    path.unlink(missing_ok=True)

    @staticmethod
    def _lock(file: int) -> None:
        """Take the lock within half a second; others hold it for microseconds, unless stopped."""
        gives_up_at = time.monotonic() + _LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > gives_up_at:
                    raise
                time.sleep(_LOCK_POLL_SECONDS)
            else:
                return

    def _read(self, file: int, now: float) -> list[float]:
        """Return the moments within the window, oldest first, without garbage and future ones."""
        text = os.pread(file, _MAX_FILE_BYTES, 0).decode("ascii", errors="replace")
        moments = (_parse_moment(line) for line in text.splitlines())
        return sorted(m for m in moments if m is not None and 0 <= now - m < self._window_seconds)

    @staticmethod
    def _write(file: int, moments: list[float]) -> None:
        written = os.pwrite(file, "".join(f"{m:.6f}\n" for m in moments).encode(), 0)
        os.ftruncate(file, written)


def _parse_moment(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_RESERVE_SCRIPT = """
local key, span, allowed = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('TYPE', key).ok ~= 'zset' then redis.call('DEL', key) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
redis.call('ZREMRANGEBYSCORE', key, string.format('(%.0f', now), '+inf')
local sent = redis.call('ZCARD', key)
if sent < allowed then
  redis.call('ZADD', key, now, ARGV[3])
  redis.call('PEXPIRE', key, span)
  return 0
end
local freeing = redis.call('ZRANGE', key, sent - allowed, sent - allowed, 'WITHSCORES')
return math.max(1, freeing[2] + span - now)
"""


class RedisWindow:
    """The window as a sorted set in a Redis, by the clock of that Redis."""

    def __init__(self, url: Secret, key: str, *, window_seconds: float = WINDOW_SECONDS) -> None:
        self._url = url
        self._key = key
        self._window_seconds = window_seconds
        self._connection: redis.Redis | None = None

    def reserve(self, allowed: int) -> float:
        """Note a request, or say how long to wait."""
        span = str(int(self._window_seconds * 1000))
        connection = self._connected()
        with redis_trouble():
            waits = connection.eval(
                _RESERVE_SCRIPT, 1, self._key, span, str(allowed), uuid.uuid4().hex
            )
            return int(str(waits)) / 1000

    def forget(self) -> None:
        """Forget every request."""
        connection = self._connected()
        with redis_trouble():
            connection.delete(self._key)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> "redis.Redis":
        if self._connection is None:
            self._connection = connect(self._url)
        return self._connection


class SharedLimit:
    """The first window that works; when it fails, the next one; after the last, none at all."""

    def __init__(self, windows: list[Window], *, warn: Callable[[str], None]) -> None:
        self._windows = windows
        self._warn = warn

    def reserve(self, limit: int) -> float:
        """Note a request that is sent now and return 0.0, or return the seconds to wait."""
        while self._windows:
            try:
                return self._windows[0].reserve(max(1, limit - RESERVE))
            except CacheTrouble as fault:
                self._go_on_without(fault)
        return 0.0

    def forget(self) -> None:
        """Forget every request, because the server does not count them."""
        if self._windows:
            try:
                self._windows[0].forget()
            except CacheTrouble as fault:
                self._go_on_without(fault)

    def close(self) -> None:
        """Close the connections."""
        for window in self._windows:
            if isinstance(window, RedisWindow):
                window.close()

    def _go_on_without(self, fault: CacheTrouble) -> None:
        failed = self._windows.pop(0)
        if isinstance(failed, RedisWindow):
            failed.close()
            self._warn(f"{fault}: the rate limit is shared on this machine only")
        else:  # no warning: Discogs' headers still show what other processes use
            _log.info("%s: the rate limit is this process's own", fault)


def open_shared_limit(
    settings: CacheSettings, *, base_url: str, warn: Callable[[str], None]
) -> SharedLimit:
    """Return the shared limit of an API address; nothing is opened before the first request."""
    name = hashlib.sha256(base_url.encode()).hexdigest()[:16]
    windows: list[Window] = []
    span = WINDOW_SECONDS + SLACK_SECONDS
    if settings.redis_url is not None:
        key = f"{PREFIX}:limit:{name}"
        windows.append(RedisWindow(settings.redis_url, key, window_seconds=span))
    try:
        path = own_directory(settings) / f"limit-{name}.txt"
        windows.append(FileWindow(path, window_seconds=span))
    except CacheTrouble as fault:
        warn(f"{fault}: this run goes on without it, slower and no different")
    return SharedLimit(windows, warn=warn)
