"""What Discogs says about exports: the newest one in the list, and how far one has come.

The list is oldest first, and its times are US Pacific without a zone (observed, August 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discosync.core.inventory.pacific import pacific_to_utc
from discosync.discogs.http.transport import Transport
from discosync.errors import BadData, SourceUnavailable

EXPORT_PATH = "/inventory/export"

_LIST_PER_PAGE = 100
_FAILURE_WORDS = frozenset({"failed", "failure", "error"})


class ExportUnavailable(SourceUnavailable):
    """Discogs gives no export: it keeps answering 409, the export failed, or it took too long."""

    default_code = "export_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """One export and how far it has come, as Discogs' status object shows it.

    `created_at` is in UTC; `ready_seconds` is how long Discogs took to make it.
    """

    export_id: int
    is_ready: bool
    has_failed: bool
    created_at: datetime | None
    ready_seconds: float | None = None


def fetch_job(transport: Transport, export_id: int) -> ExportJob | None:
    """Fetch an export's status; return None for a 304, which says that nothing is new."""
    status = _ask(transport, f"{EXPORT_PATH}/{export_id}", also=frozenset({304}))
    return _parse_job(status) if status else None


def fetch_newest_job(transport: Transport) -> ExportJob | None:
    """Return the newest export in the list, None for an empty list: the one with the highest id."""
    page = _ask(transport, EXPORT_PATH, {"per_page": _LIST_PER_PAGE, "page": 1})
    pages = _parse_pages(page)
    if pages > 1:
        page = _ask(transport, EXPORT_PATH, {"per_page": _LIST_PER_PAGE, "page": pages})
    items = page.get("items")
    jobs = [_parse_job(item) for item in items] if isinstance(items, list) else []
    return max(jobs, key=lambda job: job.export_id, default=None)


def _parse_pages(page: Mapping[str, Any]) -> int:
    try:
        return int(page["pagination"]["pages"])
    except (KeyError, TypeError, ValueError):
        return 1


def _ask(
    transport: Transport,
    path: str,
    params: Mapping[str, str | int] | None = None,
    *,
    also: frozenset[int] = frozenset(),
) -> dict[str, Any]:
    """GET about an export; raise `ExportUnavailable` when the answer is no JSON.

    `BadData` would say that the inventory is damaged, of which nothing has been read yet.
    """
    try:
        body, _ = transport.get_json(path, params, also=also)
    except BadData as exc:
        raise ExportUnavailable(exc.message, hint=exc.hint) from exc
    return body


def _parse_job(status: Mapping[str, Any]) -> ExportJob:
    """Parse a status object.

    `success` is the only status documented (Discogs' API documentation, inventory export), and
    `failed` was observed for uploads. An export with a `finished_ts` and no word of failure is
    taken as ready; any other word means that it is still being made.
    """
    try:
        export_id = int(status["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ExportUnavailable(
            "Discogs describes an export without an id", hint="nothing was changed; run again"
        ) from exc
    word = str(status.get("status") or "").casefold()
    created, finished = (_parse_time(status.get(k)) for k in ("created_ts", "finished_ts"))
    has_failed = word in _FAILURE_WORDS
    took = (finished - created).total_seconds() if finished and created else None
    return ExportJob(
        export_id=export_id,
        is_ready=not has_failed and (word == "success" or finished is not None),
        has_failed=has_failed,
        created_at=created,
        ready_seconds=took,
    )


def _parse_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return pacific_to_utc(moment) if moment.tzinfo is None else moment
