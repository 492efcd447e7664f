"""What Discogs says about exports: the newest one, and how far one has come."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export_job import ExportUnavailable, fetch_job, fetch_newest_job
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN


@pytest.fixture
def transport(sandbox: SandboxServer) -> Iterator[Transport]:
    """A way to the sandbox that tries each request once."""
    opened = Transport(base_url=sandbox.url, token=TOKEN, patience=Patience(attempts=1))
    yield opened
    opened.close()


def test_newest_export_is_on_the_last_page(sandbox: SandboxServer, transport: Transport) -> None:
    """The list is oldest first: page one holds the oldest."""
    assert fetch_newest_job(transport) is None
    made = [sandbox.state.make_export() for _ in range(250)]
    newest = fetch_newest_job(transport)
    assert newest is not None
    assert newest.export_id == made[-1].export_id
    assert newest.created_at == made[-1].created_at


@pytest.mark.parametrize(
    ("status", "is_ready", "has_failed"),
    [
        ('{"id": 5, "status": "success"}', True, False),
        ('{"id": "5", "status": "Success", "finished_ts": null}', True, False),
        ('{"id": 5, "status": "done", "finished_ts": "2026-08-25T07:04:23"}', True, False),
        ('{"id": 5, "status": "failed", "finished_ts": "2026-08-25T07:04:23"}', False, True),
        ('{"id": 5, "status": "pending", "finished_ts": "soon"}', False, False),
        ('{"id": 5}', False, False),
    ],
)
def test_words_of_a_status(
    sandbox: SandboxServer,
    transport: Transport,
    *,
    status: str,
    is_ready: bool,
    has_failed: bool,
) -> None:
    """One word means ready and three mean failed; any other means not yet."""
    sandbox.state.faults = [Fault(path="/inventory/export/5", status=200, body=status)]
    job = fetch_job(transport, 5)
    assert job is not None
    assert (job.is_ready, job.has_failed) == (is_ready, has_failed)


def test_times_of_a_status_are_pacific(sandbox: SandboxServer, transport: Transport) -> None:
    """They carry no zone; how long Discogs took is their difference."""
    body = (
        '{"id": 5, "status": "success", "created_ts": "2026-08-25T07:04:23", '
        '"finished_ts": "2026-08-25T07:12:46"}'
    )
    sandbox.state.faults = [Fault(path="/inventory/export/5", status=200, body=body)]
    job = fetch_job(transport, 5)
    assert job is not None
    assert job.created_at == datetime(2026, 8, 25, 14, 4, 23, tzinfo=UTC)
    assert job.ready_seconds == 503


def test_status_without_an_id_or_without_news(sandbox: SandboxServer, transport: Transport) -> None:
    """The first is no export; a 304 says that nothing is new."""
    sandbox.state.faults = [Fault(path="/inventory/export/5", status=200, body='{"id": null}')]
    with pytest.raises(ExportUnavailable, match="without an id"):
        fetch_job(transport, 5)
    sandbox.state.faults = [Fault(path="/inventory/export/5", status=304, body="")]
    assert fetch_job(transport, 5) is None
