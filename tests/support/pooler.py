"""A pooler in transaction mode: a real PgBouncer where there is one, and one of our own always.

Each gives every transaction another connection of the server, as the poolers of hosting services
do. What a session left behind on a connection is met by the next program.
"""

import os
import pwd
import queue
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

_PORT = 6432
_UNPRIVILEGED = "nobody"

Pooling = Callable[[Postgres, int], AbstractContextManager[Path]]
"""Serves a server's databases with so many connections each, on a socket in the directory given."""


def url_through(directory: Path, url: str) -> str:
    """Give the address of the same database behind a pooler."""
    return f"{url.partition('?')[0]}?host={directory}&port={_PORT}"


def find_pgbouncer() -> str | None:
    """Find the real program; Debian keeps it outside of a user's PATH."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def real_pgbouncer(server: Postgres, size: int, *, mode: str = "transaction") -> Iterator[Path]:
    """Start PgBouncer, and stop it whatever happens."""
    program = find_pgbouncer()
    assert program, "ask find_pgbouncer first"
    with tempfile.TemporaryDirectory(prefix="dpb", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o777)
        settings = directory / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={server.sockets} user=discosync\n[pgbouncer]\n"
            f"listen_addr =\nlisten_port = {_PORT}\nunix_socket_dir = {directory}\n"
            f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
        )
        # It refuses to run as root.
        who = {"user": pwd.getpwnam(_UNPRIVILEGED).pw_uid} if os.geteuid() == 0 else {}
        process = subprocess.Popen(
            [program, "-q", settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **who,  # type: ignore[call-overload]
        )
        try:
            wait_until((directory / f".s.PGSQL.{_PORT}").exists)
            yield directory
        finally:
            process.terminate()
            process.wait(timeout=HUNG_AFTER_SECONDS)


@contextmanager
def own_pooler(server: Postgres, size: int) -> Iterator[Path]:
    """Serve a pooler of a hundred lines, which does what counts here."""
    with tempfile.TemporaryDirectory(prefix="dpo", dir="/tmp") as name:
        pooler = _Pooler(Path(name), server, size)
        try:
            yield Path(name)
        finally:
            pooler.close()


class _Pooler:
    """Each client gets a connection of the server for a transaction, then another one."""

    def __init__(self, directory: Path, server: Postgres, size: int) -> None:
        self._server = server.sockets / ".s.PGSQL.5432"
        self._size = size
        self._pools: dict[bytes, queue.SimpleQueue[socket.socket | None]] = {}
        self._opened: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / f".s.PGSQL.{_PORT}"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further clients, and leave the server."""
        self._listener.close()
        for opened in self._opened:
            opened.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._opened.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # Whatever a thread meets when the pooler is closed under it is no fault of a test.
        with client, suppress(OSError, EOFError, ValueError, struct.error):
            startup = _read_startup(client)
            pool = self._pool(startup)
            key = struct.pack("!cI", b"K", 12) + os.urandom(8)  # not the server's, as PgBouncer's
            settings = b"".join(
                _message(b"S", name + b"\0" + value + b"\0")
                for name, value in (
                    (b"server_version", b"15.0"),
                    (b"client_encoding", b"UTF8"),
                    (b"standard_conforming_strings", b"on"),
                )
            )
            client.sendall(_message(b"R", b"\0\0\0\0") + settings + key + _message(b"Z", b"I"))
            while first := client.recv(65536):
                if first[:1] == b"X":
                    return
                server = pool.get() or self._connect(startup)
                # A client that leaves in a transaction takes the server's connection with it.
                if not _forward_transaction(client, server, first):
                    server.close()
                    pool.put(None)
                    return
                pool.put(server)

    def _pool(self, startup: bytes) -> "queue.SimpleQueue[socket.socket | None]":
        parts = startup[8:].split(b"\0")
        database = dict(zip(parts[::2], parts[1::2], strict=False))[b"database"]
        with self._lock:
            if database not in self._pools:
                self._pools[database] = queue.SimpleQueue()
                for _ in range(self._size):
                    self._pools[database].put(None)
            return self._pools[database]

    def _connect(self, startup: bytes) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        self._opened.append(server)
        server.sendall(startup)
        stream = _Messages()
        while not any(kind == b"Z" for kind, _ in stream.feed(_receive(server))):
            pass
        return server


class _Messages:
    """Cuts a stream of the protocol into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        self._rest += data
        found = []
        while len(self._rest) >= 5:
            end = 1 + struct.unpack("!I", self._rest[1:5])[0]
            if len(self._rest) < end:
                break
            found.append((self._rest[:1], self._rest[5:end]))
            self._rest = self._rest[end:]
        return found


def _forward_transaction(client: socket.socket, server: socket.socket, first: bytes) -> bool:
    """Forward both ways until the server is idle; False when the client left before."""
    asked, answered = _Messages(), _Messages()
    waiting_for = _count_questions(asked.feed(first))
    server.sendall(first)
    while True:
        readable, _, _ = select.select([client, server], [], [])
        if client in readable:
            if not (data := client.recv(65536)):
                return False
            waiting_for += _count_questions(asked.feed(data))
            server.sendall(data)
        if server in readable:
            data = _receive(server)
            client.sendall(data)
            states = [body for kind, body in answered.feed(data) if kind == b"Z"]
            waiting_for -= len(states)
            if states and states[-1] == b"I" and waiting_for == 0:
                return True


def _count_questions(messages: list[tuple[bytes, bytes]]) -> int:
    """Count what the server answers with `ReadyForQuery`: queries, and ends of a pipeline."""
    return sum(kind in {b"Q", b"S"} for kind, _ in messages)


def _receive(source: socket.socket) -> bytes:
    if not (data := source.recv(65536)):
        raise EOFError
    return data


def _read_startup(client: socket.socket) -> bytes:
    """Read the first message, and refuse encryption first if that is asked for."""
    while True:
        data = _receive(client)
        if struct.unpack("!I", data[4:8])[0] >> 16 == 3:
            return data
        client.sendall(b"N")


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body
