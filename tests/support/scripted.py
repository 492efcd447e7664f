"""A hostile Discogs whose answers are scripts: raw sockets before the sandbox.

A script says for each endpoint which answers come, one after the other; when it is through, the
sandbox's own answers come. An `Answer` changes what is sent, down to its bytes: another status,
body or header, a length that is a lie, a cut, a reset, or nothing at all.
"""

import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from discosync.sandbox.server import SandboxServer

_ENDPOINTS = [
    ("identity", r"GET /oauth/identity"),
    ("page", r"GET /users/[^/]+/inventory"),
    ("ask", r"POST /inventory/export"),
    ("download", r"GET /inventory/export/\d+/download"),
    ("look", r"GET /inventory/export/\d+"),
    ("exports", r"GET /inventory/export"),
    ("listing", r"GET /marketplace/listings/\d+"),
    ("release", r"GET /releases/\d+"),
]
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; what is None stays as the sandbox answers.

    `announced` is the Content-Length, None for the true one, and `cut_at` how many bytes of the
    body are sent. `framing` is how the end of the body is told: by its `length`, by the `close` of
    the connection, `chunked`, or chunked without the last chunk (`unfinished`). `ending` is what
    happens then: the connection is closed, `reset`, or kept open for ever (`hang`). `raw` is sent
    instead of all that. Where `stays` is true, the answer comes again and again.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    edit: Callable[[bytes], bytes] | None = None
    announced: int | None = None
    cut_at: int | None = None
    framing: str = "length"
    ending: str = "close"
    raw: bytes | None = None
    is_heard: bool = True
    stays: bool = True


AS_USUAL = Answer(stays=False)
Script = Mapping[str, Sequence[Answer]]


@dataclass(slots=True)
class ScriptedDiscogs:
    """Serves a script before a sandbox; `heard` is every request with its headers."""

    sandbox: SandboxServer
    script: dict[str, list[Answer]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def play(self, script: Script) -> None:
        """Begin a script."""
        self.script = {endpoint: list(answers) for endpoint, answers in script.items()}
        self.heard.clear()

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _talk(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head, body = _receive(client)
            if not head:
                return
            self.heard.append(head)
            answer = self._next(head)
            _send(client, answer, self._real(answer, head, body))
            if answer.ending == "hang":
                client.recv(1)
            if answer.ending == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _next(self, head: str) -> Answer:
        endpoint = next((name for name, form in _ENDPOINTS if re.match(form, head)), "other")
        answers = self.script.get(endpoint)
        if not answers:
            return AS_USUAL
        return answers[0] if answers[0].stays else answers.pop(0)

    def _real(self, answer: Answer, head: str, body: bytes) -> "_Real":
        """Have the sandbox answer, unless the request is not to be heard."""
        if not answer.is_heard or answer.raw is not None:
            return _Real()
        request, *lines = head.splitlines()
        method, path, _ = request.split(" ")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        host, port = self.sandbox.server_address[:2]
        with closing(http.client.HTTPConnection(str(host), port)) as connection:
            connection.request(method, path, body, headers | {"Connection": "close"})
            response = connection.getresponse()
            return _Real(response.status, response.getheaders(), response.read())


@dataclass(slots=True)
class _Real:
    """What the sandbox answers; another server error where it was not asked."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def _receive(client: socket.socket) -> tuple[str, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        more = client.recv(_MOST_BYTES)
        if not more:
            return "", b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += client.recv(_MOST_BYTES)
    return head.decode("latin-1"), body


def _send(client: socket.socket, answer: Answer, real: _Real) -> None:
    if answer.raw is not None:
        client.sendall(answer.raw)
        return
    status = answer.status or real.status
    body = real.body if answer.body is None else answer.body
    body = body if answer.edit is None else answer.edit(body)
    replaced = {name.casefold() for name, _ in answer.headers} | {"content-length", "connection"}
    headers = [(name, value) for name, value in real.headers if name.casefold() not in replaced]
    headers += [*answer.headers, ("Connection", "close")]
    if answer.framing == "length":
        announced = len(body) if answer.announced is None else answer.announced
        headers.append(("Content-Length", str(announced)))
    body = body[: answer.cut_at]
    if answer.framing in {"chunked", "unfinished"}:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        body += b"0\r\n\r\n" if answer.framing == "chunked" else b""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers)]
    client.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


@contextmanager
def scripted(sandbox: SandboxServer) -> Iterator[ScriptedDiscogs]:
    """Serve in a thread until the block ends."""
    server = ScriptedDiscogs(sandbox)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.close()
