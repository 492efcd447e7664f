"""A way to Postgres that swallows a COMMIT or its answer, and leaves the connection open."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"


class SilentProxy:
    """Forwards a Unix socket until the first COMMIT; then that connection says nothing any more.

    With `swallows="answer"` the server gets that COMMIT, with `"question"` it does not. With
    `is_alone` nobody else gets through from then on.
    """

    def __init__(
        self,
        directory: Path,
        server: Path,
        *,
        swallows: Literal["answer", "question"],
        is_alone: bool = False,
    ) -> None:
        self.swallowed = 0
        self._swallows = swallows
        self._is_alone = is_alone
        self._server = server / SOCKET
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further connections, and end those that there are."""
        for each in (self._listener, *self._open):
            with suppress(OSError):  # it may not be connected any more
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_alone and self.swallowed:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            self._open += [client, server]
            silent = threading.Event()
            for pump in (self._ask, self._answer):
                threading.Thread(target=pump, args=(client, server, silent), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _received(client):
            if not self.swallowed and _commits(data):
                self.swallowed += 1
                silent.set()
                if self._swallows == "question":
                    continue
            elif silent.is_set():
                continue
            _send(server, data)
        # A swallowed question is not known of, and neither is the end of who asked it.
        if not silent.is_set():
            server.close()

    def _answer(
        self, client: socket.socket, server: socket.socket, silent: threading.Event
    ) -> None:
        while data := _received(server):
            if not silent.is_set():
                _send(client, data)
        if not silent.is_set():
            client.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _send(target: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        target.sendall(data)


def _commits(data: bytes) -> bool:
    """Whether it is a COMMIT, and not a table that is dropped ON COMMIT."""
    return b"COMMIT" in data.replace(b"ON COMMIT", b"").replace(b"READ COMMITTED", b"")
