"""An export is asked for, waited for, and brought onto the disk."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.progress import NoProgress
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export import ExportRequest, fetch_export
from discosync.discogs.inventory.export_job import ExportUnavailable
from discosync.discogs.inventory.pages import fetch_first_page
from discosync.discogs.inventory.spool import Spool
from discosync.errors import BadData, RateLimited
from discosync.sandbox.answers import render_csv
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.shop import SELLER

QUICK = Patience(attempts=2, first_wait_seconds=0.01, first_throttled_wait_seconds=0.01)


@pytest.fixture
def transport(sandbox: SandboxServer) -> Iterator[Transport]:
    """A quick way to the sandbox."""
    opened = Transport(base_url=sandbox.url, token=TOKEN, patience=QUICK)
    yield opened
    opened.close()


class _Naps:
    """Waits for nothing, and not for ever."""

    def __init__(self) -> None:
        self.left = 100

    def __call__(self, _seconds: float) -> None:
        self.left -= 1
        assert self.left, "it would wait until the deadline"


def _fetch(
    transport: Transport,
    directory: Path,
    *,
    sleep: Callable[[float], None] | None = None,
    newer_than: datetime | None = None,
    usual_seconds: float | None = None,
    deadline_seconds: float = 1200.0,
) -> Snapshot:
    spool = Spool(directory / "spool")
    spool.prepare()
    request = ExportRequest(
        seller=SELLER,
        first=fetch_first_page(transport, SELLER),
        spool=spool,
        progress=NoProgress(),
        deadline_seconds=deadline_seconds,
        newer_than=newer_than,
        usual_seconds=usual_seconds,
        sleep=sleep or _Naps(),
    )
    return fetch_export(transport, request)


def _finish(sandbox: SandboxServer) -> Callable[[float], None]:
    """Have every export be ready after the first wait."""

    def sleep(_seconds: float) -> None:
        for export in sandbox.state.exports:
            export.ready_at = 0.0

    return sleep


@pytest.mark.parametrize("zips", [False, True])
def test_export_becomes_a_snapshot(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path, *, zips: bool
) -> None:
    """Plain or zipped, it lies there as a plain CSV, with the count of the first page."""
    sandbox.state.zips_exports = zips
    snapshot = _fetch(transport, tmp_path)
    assert snapshot.path.read_bytes() == render_csv(sandbox.state.inventory)
    assert (snapshot.source, snapshot.expected_items, snapshot.currency) == (
        Source.EXPORT,
        20,
        "EUR",
    )
    assert snapshot.path.name.startswith(f"{SELLER}-inventory-")


def test_first_look_is_when_the_last_export_was_ready(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """Each look costs a request, so the usual time is waited for in one go."""
    waits: list[float] = []
    sandbox.state.export_seconds = 600
    finish = _finish(sandbox)

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        finish(seconds)

    _fetch(transport, tmp_path, sleep=sleep, usual_seconds=90)
    assert waits == [91.0]


def test_running_export_is_adopted(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """A 409 says that one is being made: that one is waited for, if it is new enough."""
    sandbox.state.export_seconds = 600
    made = sandbox.state.make_export()
    _fetch(
        transport,
        tmp_path,
        sleep=_finish(sandbox),
        newer_than=made.created_at - timedelta(hours=1),
    )
    assert len(sandbox.state.exports) == 1


def test_running_export_that_is_too_old_is_not_adopted(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """An export from before the last applied snapshot would turn the clock back."""
    sandbox.state.export_seconds = 600
    sandbox.state.make_export()
    with pytest.raises(ExportUnavailable, match="409"):
        _fetch(transport, tmp_path, newer_than=datetime.now(UTC) + timedelta(hours=1))


def test_lost_answer_makes_no_second_export(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The POST had its effect although its answer was lost: the export is found in the list."""
    sandbox.state.faults = [Fault(path="/inventory/export", method="POST", status=502)]
    _fetch(transport, tmp_path)
    assert len(sandbox.state.exports) == 1


def test_failed_export_is_asked_for_once_more(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The second one counts; when it fails as well, there is none."""
    sandbox.state.export_seconds = 600

    def fail(_seconds: float) -> None:
        for export in sandbox.state.exports:
            export.has_failed = True

    with pytest.raises(ExportUnavailable):
        _fetch(transport, tmp_path, sleep=fail)
    assert len(sandbox.state.exports) == 2


def test_deadline_ends_the_waiting(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """An export that is not ready by then is given up, and the message says how long it took."""
    sandbox.state.export_seconds = 600
    with pytest.raises(ExportUnavailable, match="not ready after 0 seconds"):
        _fetch(transport, tmp_path, deadline_seconds=0.0)


def test_web_page_in_place_of_a_status_is_no_bad_inventory(
    sandbox: SandboxServer, transport: Transport, tmp_path: Path
) -> None:
    """The pages may still be read; a damaged body, and a 429 that stays, are told as they are."""
    status = "/inventory/export/18"
    sandbox.state.export_seconds = 600
    sandbox.state.faults = [Fault(path=status, status=200, body="<html>", times=9)]
    with pytest.raises(ExportUnavailable):
        _fetch(transport, tmp_path)
    sandbox.state.exports.clear()
    sandbox.state.export_seconds = 0
    sandbox.state.faults = [Fault(path=status, status=429, body="<html>", times=9)]
    with pytest.raises(RateLimited):
        _fetch(transport, tmp_path)
    sandbox.state.exports.clear()
    sandbox.state.faults = [Fault(path=status, cut_at=40, after=1, times=9)]
    with pytest.raises(BadData):
        _fetch(transport, tmp_path)
