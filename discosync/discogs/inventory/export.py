"""The CSV export that Discogs makes on request: ask for it, wait for it, download it.

Its four addresses are under `/inventory/export` (Discogs' API documentation, inventory export). The
POST answers 200 with an empty object; the export's id is in the header `Location` only (observed,
August 2026). The body is plain CSV for small inventories, a ZIP with one CSV for large ones
(observed, September 2023 to August 2026).
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from discosync.core.inventory.pacific import render_export_name
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.progress import Progress
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export_job import (
    EXPORT_PATH,
    ExportJob,
    ExportUnavailable,
    fetch_job,
    fetch_newest_job,
)
from discosync.discogs.inventory.pages import FirstPage
from discosync.discogs.inventory.spool import Spool, digest, unpack
from discosync.errors import RateLimited, SourceUnavailable
from discosync.render.scrubbing import hide

_MAX_POSTS = 2
_POLL_WAITS_SECONDS = (2.0, 3.0, 5.0, 10.0, 15.0, 30.0)
_MAX_FIRST_WAIT_SECONDS = 10 * 60.0
_CONFLICT_WAIT_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What an export needs: whose it is, the first page, and the directory to write into.

    `newer_than` is the moment of the last applied snapshot; an export that Discogs already has must
    be newer. `usual_seconds` is how long the last export took, `deadline_seconds` how long to wait.
    """

    seller: str
    first: FirstPage
    spool: Spool
    progress: Progress
    deadline_seconds: float
    newer_than: datetime | None = None
    usual_seconds: float | None = None
    sleep: Callable[[float], None] = time.sleep


def fetch_export(transport: Transport, request: ExportRequest) -> Snapshot:
    """Fetch a new export as a snapshot on the disk.

    1. Ask for one; on a 409 take the newest one that Discogs has, if it is new enough.
    2. Wait until it is ready; when it fails, ask once more.
    3. Download and unpack it.

    Raises `ExportUnavailable` when Discogs gives none, `AuthRefused` for a refused token,
    `RateLimited` when Discogs keeps answering 429, `BadData` for a damaged file.
    """
    request.progress.begin("waiting for the export", None)
    with _export_errors():
        job = _obtain(transport, request)
        request.progress.begin("downloading the export", None)
        snapshot = _download(transport, request, job)
    request.progress.end()
    return snapshot


@contextmanager
def _export_errors() -> Iterator[None]:
    """Turn trouble on Discogs' side into `ExportUnavailable`, after which pages are read instead.

    A 429 that stays is left as it is: pages are more requests, which would make it worse. So is a
    damaged body: it is no reason to trust the pages more.
    """
    try:
        yield
    except (RateLimited, ExportUnavailable):
        raise
    except SourceUnavailable as exc:
        raise ExportUnavailable(exc.message, hint=exc.hint) from exc


def _obtain(transport: Transport, request: ExportRequest) -> ExportJob:
    gives_up_at = time.monotonic() + request.deadline_seconds
    for _ in range(_MAX_POSTS):
        job = _create_or_adopt(transport, request)
        if job is None:  # a 409, and no export to take: the one in progress may end soon
            request.sleep(_CONFLICT_WAIT_SECONDS)
            continue
        job = _wait_until_ready(transport, request, job, gives_up_at)
        if job.is_ready:
            return job
        _log.info("export %s failed", job.export_id)
    raise ExportUnavailable(
        "Discogs gives no export: it refused twice (409), or the export failed",
        hint="nothing was changed; `discosync sync --source pages` takes the other way",
    )


def _create_or_adopt(transport: Transport, request: ExportRequest) -> ExportJob | None:
    try:
        answer = transport.post_once(EXPORT_PATH, also=frozenset({409}))
    except RateLimited:
        raise
    except SourceUnavailable:
        # The answer was lost, but Discogs may have made the export: look before asking again.
        job = fetch_newest_job(transport)
        # Ours is one made since the first page; five seconds for a clock that runs behind.
        if job is None or not _is_new_enough(job, request.first.served_at - timedelta(seconds=5)):
            raise
        return job
    # 409 is documented without a reason; users report that an export is in progress then.
    if answer.status == 409:
        job = fetch_newest_job(transport)
        if job is not None and not job.has_failed and _is_new_enough(job, request.newer_than):
            _log.info("adopting export %s: one is running already (409)", job.export_id)
            return job
        return None
    location = hide(answer.headers.get("Location", ""))
    export_id = location.rstrip("/").rpartition("/")[2]
    if not export_id.isdigit():
        raise ExportUnavailable(
            f"Discogs took the export request but named no export (Location: {location[:80]!r})",
            hint="nothing was changed; run again",
        )
    return ExportJob(
        export_id=int(export_id), is_ready=False, has_failed=False, created_at=answer.served_at
    )


def _is_new_enough(job: ExportJob, newer_than: datetime | None) -> bool:
    if newer_than is None:
        return True
    return job.created_at is not None and job.created_at > newer_than


def _wait_until_ready(
    transport: Transport, request: ExportRequest, job: ExportJob, gives_up_at: float
) -> ExportJob:
    for wait_seconds in _poll_waits(request.usual_seconds):
        if job.is_ready or job.has_failed:
            break
        left_seconds = gives_up_at - time.monotonic()
        if left_seconds <= 0:
            raise ExportUnavailable(
                f"export {job.export_id} is still not ready after "
                f"{request.deadline_seconds:.0f} seconds",
                hint="nothing was changed; the next run asks again",
            )
        # Cut the last wait short, so that the last look is at the deadline.
        request.sleep(min(wait_seconds, left_seconds))
        polled = fetch_job(transport, job.export_id)
        if polled is not None:
            # The moment at which we asked has a zone; Discogs' own is ambiguous for one hour in
            # November.
            job = replace(polled, created_at=job.created_at or polled.created_at)
    return job


def _poll_waits(usual_seconds: float | None) -> Iterator[float]:
    """Yield the seconds to wait before each look at the status, which costs a request.

    The first look is when the last export would have been ready.
    """
    if usual_seconds is not None:
        yield min(max(1.0, usual_seconds + 1.0), _MAX_FIRST_WAIT_SECONDS)
    yield from _POLL_WAITS_SECONDS
    while True:
        yield _POLL_WAITS_SECONDS[-1]


def _download(transport: Transport, request: ExportRequest, job: ExportJob) -> Snapshot:
    created_at = job.created_at or request.first.served_at
    packed = request.spool.path("export.part")
    path = request.spool.path(render_export_name(request.seller, created_at))
    transport.download(f"{EXPORT_PATH}/{job.export_id}/download", packed)
    unpack(packed, path)
    packed.unlink()
    sha256, size_bytes = digest(path)
    return Snapshot(
        path=path,
        source=Source.EXPORT,
        seller=request.seller,
        sha256=sha256,
        size_bytes=size_bytes,
        as_of=created_at,
        expected_items=request.first.page.items,
        currency=request.first.page.currency,
        ready_seconds=job.ready_seconds,
    )
