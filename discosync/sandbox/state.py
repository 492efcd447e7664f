"""The sandbox's inventory, exports and counters, and the errors that were ordered."""

import io
import threading
import time
import zipfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from discosync.core.inventory.listing import Listing
from discosync.core.inventory.pacific import render_export_name
from discosync.sandbox.answers import render_csv

SANDBOX_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox
ZIP_ABOVE_ROWS = 5_000
"""Large exports come as a ZIP (observed, 2023 and 2026); Discogs' own threshold is unknown."""

_WINDOW_SECONDS = 60.0
_FIRST_EXPORT_ID = 18_867_000


@dataclass(slots=True, kw_only=True)
class Fault:
    """An error on demand: for `times` requests with this method and beginning of the path.

    The first `after` matching requests are let through. `status`, `headers` and `body` replace
    those of the real answer. `cut_at` sends only that many bytes of the body, but announces the
    full length unless `hide_length`. `delay_seconds` comes before the answer, `drip_seconds`
    between its bytes. Without `has_effect` the request does nothing else.
    """

    path: str
    method: str = "GET"
    times: int = 1
    after: int = 0
    status: int | None = None
    has_effect: bool = True
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    hide_length: bool = False
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Export:
    """One export; it holds the inventory of the moment at which it was asked for.

    `ready_at` is in seconds of the monotonic clock.
    """

    export_id: int
    created_at: datetime
    ready_at: float
    body: bytes
    has_failed: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether it can be downloaded now."""
        return time.monotonic() >= self.ready_at and not self.has_failed


@dataclass(slots=True, kw_only=True)
class SandboxState:
    """All that the sandbox holds; tests change it while it serves, under `lock`.

    `identity` is whose the token is, if not the seller's. `exported` is what exports hold, if not
    the inventory. `after` maps the end of a path to what happens once, after such a request.
    `zips_exports` None zips large ones only. `enforces_limits` answers 429 above Discogs' limits;
    `is_marked` adds the header that marks a sandbox. `clock_ahead` is how far its clock is ahead.
    """

    seller: str = "sandbox-records"
    token: str = SANDBOX_TOKEN
    identity: str | None = None
    inventory: list[Listing] = field(default_factory=list)
    exported: list[Listing] | None = None
    export_seconds: float = 0.0
    zips_exports: bool | None = None
    enforces_limits: bool = False
    is_marked: bool = True
    clock_ahead: timedelta = timedelta()
    exports: list[Export] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    answered_at: deque[float] = field(default_factory=deque)
    window_seconds: float = _WINDOW_SECONDS
    throttled: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def make_export(self) -> Export:
        """Start an export and return it."""
        export = Export(
            export_id=_FIRST_EXPORT_ID + len(self.exports),
            created_at=(datetime.now(UTC) + self.clock_ahead).replace(microsecond=0),
            ready_at=time.monotonic() + self.export_seconds,
            body=self._export_body(),
        )
        self.exports.append(export)
        return export

    def _export_body(self) -> bytes:
        body = render_csv(self.inventory if self.exported is None else self.exported)
        zips = self.zips_exports
        if not (len(self.inventory) > ZIP_ABOVE_ROWS if zips is None else zips):
            return body
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(render_export_name(self.seller, datetime.now(UTC)), body)
        return packed.getvalue()

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the error ordered for this request, if there is one, and count it as used."""
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and path.startswith(fault.path):
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def pass_by(self, path: str) -> None:
        """Run what `after` holds for this path, and forget it."""
        for end in [end for end in self.after if path.endswith(end)]:
            self.after.pop(end)()

    def count_request(self) -> int:
        """Count a request; return how many came in the minute before it."""
        now = time.monotonic()
        while self.answered_at and self.answered_at[0] <= now - self.window_seconds:
            self.answered_at.popleft()
        used = len(self.answered_at)
        self.answered_at.append(now)
        return used
