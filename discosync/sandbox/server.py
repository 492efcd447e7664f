"""The sandbox's HTTP server: on loopback only, with errors on demand."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from discosync.core.inventory.pacific import render_export_name, utc_to_pacific
from discosync.sandbox.answers import Json, for_sale, render_listing, render_page
from discosync.sandbox.releases import render_release
from discosync.sandbox.state import Export, Fault, SandboxState

_MAX_PUBLIC_PAGES = 100  # what Discogs shows to anybody but the owner


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def _json_reply(body: Json, *, status: int = 200, **headers: str) -> _Reply:
    return _Reply(status=status, body=json.dumps(body).encode(), headers=headers)


def _error(status: int, message: str) -> _Reply:
    return _json_reply({"message": message}, status=status)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def state(self) -> SandboxState:
        return cast("SandboxServer", self.server).state

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as inherited
        """Print nothing: the state notes the requests."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write the header `Date` by the sandbox's own clock."""
        now = time.time() if timestamp is None else timestamp
        return super().date_time_string(now + self.state.clock_ahead.total_seconds())

    def _serve(self) -> None:
        received = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        with self.state.lock:
            # Orders of a rehearsal are no requests to Discogs: they count nowhere.
            if path.startswith("/sandbox/"):
                reply, fault, used = self._control(path, received), None, 0
            else:
                self.state.requests.append(f"{self.command} {self.path}")
                used = self.state.count_request()
                fault = self.state.take_fault(self.command, path)
                reply = self._throttle(used) or self._answer_unless(fault, path)
                self.state.pass_by(path)
        self._send(reply, fault, used)

    def _throttle(self, used: int) -> _Reply | None:
        if not self.state.enforces_limits or used < self._limit:
            return None
        self.state.throttled += 1
        return _error(429, "You are making requests too quickly.")

    @property
    def _limit(self) -> int:
        return 60 if self._is_signed_in else 25

    @property
    def _is_signed_in(self) -> bool:
        return self.headers.get("Authorization") == f"Discogs token={self.state.token}"

    @property
    def _identity(self) -> str:
        return self.state.identity or self.state.seller

    def _send(self, reply: _Reply, fault: Fault | None, used: int) -> None:
        body, status, headers = reply.body, reply.status, dict(reply.headers)
        length = len(body)
        if fault is not None:
            time.sleep(fault.delay_seconds)
            status = fault.status or status
            body = body if fault.body is None else fault.body.encode()
            length = len(body)
            body = body if fault.cut_at is None else body[: fault.cut_at]
            headers |= fault.headers
        self.send_response(status)
        for name, value in self._standard_headers(used).items():
            self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name, value)
        is_hidden = fault is not None and fault.hide_length
        if not is_hidden:
            self.send_header("Content-Length", str(length))
        self.close_connection = is_hidden or len(body) != length
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self._send_body(body, fault.drip_seconds if fault else 0.0)

    def _send_body(self, body: bytes, drip_seconds: float) -> None:
        try:
            if not drip_seconds:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(drip_seconds)
        except OSError:  # the client has gone
            self.close_connection = True

    def _standard_headers(self, used: int) -> dict[str, str]:
        headers = {
            "X-Discogs-Ratelimit": str(self._limit),
            "X-Discogs-Ratelimit-Used": str(used),
            "X-Discogs-Ratelimit-Remaining": str(max(0, self._limit - used)),
        }
        if not self.state.enforces_limits:  # nobody rehearses waiting
            headers["X-Discogs-Ratelimit-Remaining"] = str(self._limit)
        if self.state.is_marked:
            headers["X-Discosync-Sandbox"] = "1"
        return headers

    def _answer_unless(self, fault: Fault | None, path: str) -> _Reply:
        if fault is not None and not fault.has_effect:
            return _error(fault.status or 500, "An error that somebody ordered.")
        return self._answer(path)

    def _answer(self, path: str) -> _Reply:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match (self.command, *parts):
            case ("GET", "oauth", "identity"):
                return self._owner_only(self._identity_reply)
            case ("GET", "users", name, "inventory"):
                return self._inventory(name)
            case (_, "inventory", "export", *rest):
                return self._owner_only(lambda: self._export(rest))
            case ("GET", "marketplace", "listings", listing_id):
                return self._listing(listing_id)
            case ("GET", "releases", release_id):
                return self._release(release_id)
        return _error(404, "The requested resource was not found.")

    def _owner_only(self, reply: Callable[[], _Reply]) -> _Reply:
        if not self._is_signed_in:
            return _error(401, "You must authenticate to access this resource.")
        return reply()

    def _identity_reply(self) -> _Reply:
        return _json_reply({"id": 1, "username": self._identity, "consumer_name": "sandbox"})

    def _inventory(self, name: str) -> _Reply:
        state = self.state
        if name.casefold() != state.seller.casefold():
            return _error(404, "User does not exist or may have been deleted.")
        query = parse_qs(urlsplit(self.path).query)
        page = int(query.get("page", ["1"])[0])
        per_page = min(100, int(query.get("per_page", ["50"])[0]))
        is_owner = self._is_owner
        if not is_owner and page > _MAX_PUBLIC_PAGES:
            return _error(403, "Pagination above 100 disabled for inventories besides your own")
        # A filter by a stranger is ignored, and he gets what is For Sale (observed, August 2026).
        status = query.get("status", ["All"])[0] if is_owner else "For Sale"
        shown = for_sale(state.inventory, status)
        return _json_reply(
            render_page(shown, seller=state.seller, page=page, per_page=per_page, is_owner=is_owner)
        )

    @property
    def _is_owner(self) -> bool:
        return self._is_signed_in and self._identity.casefold() == self.state.seller.casefold()

    def _listing(self, listing_id: str) -> _Reply:
        """Show one listing; the errors are those that were recorded in August 2026."""
        found = next((x for x in self.state.inventory if str(x.listing_id) == listing_id), None)
        if found is None:
            return _error(404, "Item not found. It may have been deleted.")
        if found.status == "Draft" and not self._is_owner:
            return _error(401, "You must authenticate to access this resource.")
        seller = self.state.seller
        return _json_reply(render_listing(found, seller=seller, is_owner=self._is_owner))

    def _export(self, rest: list[str]) -> _Reply:
        if not rest:
            return self._create_export() if self.command == "POST" else self._list_exports()
        export = next((e for e in self.state.exports if str(e.export_id) == rest[0]), None)
        if export is None or self.command != "GET":
            return _error(404, "The requested resource was not found.")
        if rest[1:] == ["download"]:
            if not export.is_ready:
                return _error(404, "The requested resource was not found.")
            return _Reply(body=export.body, headers={"Content-Type": "text/csv; charset=utf-8"})
        return _json_reply(self._export_status(export))

    def _create_export(self) -> _Reply:
        if any(not e.is_ready and not e.has_failed for e in self.state.exports):
            return _error(409, "An export is already in progress.")
        export = self.state.make_export()
        return _Reply(headers={"Location": f"{self._base}/inventory/export/{export.export_id}"})

    @property
    def _base(self) -> str:
        return f"http://{self.headers.get('Host', '127.0.0.1')}"

    def _list_exports(self) -> _Reply:
        """List exports, oldest first, as Discogs does (observed, August 2026)."""
        query = parse_qs(urlsplit(self.path).query)
        page = int(query.get("page", ["1"])[0])
        per_page = min(100, int(query.get("per_page", ["50"])[0]))
        exports = self.state.exports
        shown = exports[(page - 1) * per_page : page * per_page]
        pages = max(1, -(-len(exports) // per_page))
        pagination = {"page": page, "pages": pages, "per_page": per_page, "items": len(exports)}
        return _json_reply(
            {"pagination": pagination, "items": [self._export_status(e) for e in shown]}
        )

    def _export_status(self, export: Export) -> Json:
        url = f"{self._base}/inventory/export/{export.export_id}"
        created = utc_to_pacific(export.created_at)
        status = "failed" if export.has_failed else "success" if export.is_ready else "in progress"
        finished = datetime.fromtimestamp(time.time() + export.ready_at - time.monotonic(), tz=UTC)
        return {
            "id": export.export_id,
            "status": status,
            "created_ts": created.isoformat(),
            "finished_ts": utc_to_pacific(finished).isoformat(timespec="seconds")
            if export.is_ready
            else None,
            "filename": render_export_name(self.state.seller, export.created_at),
            "url": url,
            "download_url": f"{url}/download" if export.is_ready else None,
        }

    def _release(self, release_id: str) -> _Reply:
        found = next((x for x in self.state.inventory if str(x.release_id) == release_id), None)
        return _json_reply(render_release(found)) if found else _error(404, "Release not found.")

    def _control(self, path: str, received: bytes) -> _Reply:
        """Order an error: `POST /sandbox/faults` with a `Fault` as JSON."""
        if (self.command, path) != ("POST", "/sandbox/faults"):
            return _error(404, "POST /sandbox/faults orders an error.")
        try:
            fault = Fault(**json.loads(received))
        except (TypeError, ValueError) as exc:
            return _error(422, f"not a fault: {exc}")
        self.state.faults.append(fault)
        return _json_reply({"ordered": fault.path})


class SandboxServer(ThreadingHTTPServer):
    """Serves one `SandboxState` on loopback; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, state: SandboxState, *, port: int = 0) -> None:
        self.state = state
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """The address of the API that it serves."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(state: SandboxState, *, port: int = 0) -> Iterator[SandboxServer]:
    """Serve in a thread until the block ends."""
    with SandboxServer(state, port=port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
