"""A way to Postgres that loses the answer to the first COMMIT."""

import socket
import threading
from pathlib import Path


class LossyProxy:
    """Forwards a Unix socket; once a COMMIT has reached the server, drops the connection."""

    def __init__(self, directory: Path, server: Path) -> None:
        self.directory = directory
        self.lost = 0
        self._server = server / ".s.PGSQL.5432"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(str(self._server))
            dropped = threading.Event()
            for args in ((client, upstream, True), (upstream, client, False)):
                threading.Thread(target=self._pump, args=(*args, dropped), daemon=True).start()

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        is_client: bool,  # noqa: FBT001 - a thread's arguments have no names
        dropped: threading.Event,
    ) -> None:
        with source:
            while True:
                try:
                    data = source.recv(65536)
                    if is_client and _commits(data) and not self.lost:
                        self.lost += 1
                        dropped.set()
                        target.sendall(data)
                        source.shutdown(socket.SHUT_RDWR)
                        return
                    if not data or (dropped.is_set() and not is_client):
                        break
                    target.sendall(data)
                except OSError:
                    break
        target.close()


def _commits(data: bytes) -> bool:
    """Whether it is a COMMIT: not ON COMMIT of a table, and not READ COMMITTED."""
    return b"COMMIT" in data.replace(b"ON COMMIT", b"").replace(b"COMMITTED", b"")
