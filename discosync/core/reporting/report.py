"""The run report: one value that the screen, the JSON file and the audit row all show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from discosync.core.flags import Flag, FlagValue
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.reporting.change_entry import ChangeEntry, json_value
from discosync.core.reporting.report_parts import ApiUse, ArchiveUse, CacheUse, ListingCounts
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.core.catalog.enrichment import EnrichmentUse
    from discosync.core.reporting.comparison import Comparison

REPORT_VERSION = 1
"""Keys are only ever added to a version."""


class RunStatus(StrEnum):
    """How a run ended."""

    OK = "ok"
    OK_WITH_WARNINGS = "ok_with_warnings"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something a person should know; a warning makes the exit status 3, a notice does not."""

    code: str
    text: str
    is_warning: bool = True
    line: int | None = None
    listing_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything one run has to say; `highlights` and `advice` are for people only."""

    run_id: str
    command: str
    seller: str | None
    status: RunStatus
    exit_status: ExitStatus
    dry_run: bool
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    source: str | None = None
    source_reason: str | None = None
    fallback_from: str | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    listings: ListingCounts = field(default_factory=ListingCounts)
    api: ApiUse = field(default_factory=ApiUse)
    cache: CacheUse = field(default_factory=CacheUse)
    flags: Mapping[Flag, FlagValue] = field(default_factory=dict)
    database: str = ""
    snapshot: Snapshot | None = None
    columns: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    changes: tuple[ChangeEntry, ...] | None = None
    highlights: tuple[ChangeEntry, ...] = ()
    advice: str = ""
    database_variable: str = ""
    config_option: str = ""
    comparison: "Comparison | None" = None
    archive: ArchiveUse | None = None
    enrichment: "EnrichmentUse | None" = None
    inventory_value: Mapping[str, Mapping[str, Any]] | None = None
    price_changes: Mapping[str, Mapping[str, Any]] | None = None
    error: DiscosyncError | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the JSON object of the contract's section 8."""
        report = {
            "report_version": REPORT_VERSION,
            "run_id": self.run_id,
            "command": self.command,
            "seller": self.seller,
            "status": self.status.value,
            "exit_code": int(self.exit_status),
            "dry_run": self.dry_run,
            "source": self.source,
            "source_reason": self.source_reason,
            "fallback_from": self.fallback_from,
            "started_at": json_value(self.started_at),
            "finished_at": json_value(self.finished_at),
            "duration_seconds": round(self.duration_seconds, 3),
            "phases": {name: round(seconds, 3) for name, seconds in self.phases.items()},
            "listings": _counts_json(self.listings),
            "api": _api_json(self.api),
            "cache": _cache_json(self.cache),
            "flags": {
                flag.value: {"value": f.value, "why": f.why} for flag, f in self.flags.items()
            },
            "database": self.database,
            "snapshot": self._snapshot_json(),
            "problems": [_problem_json(problem) for problem in self.problems],
            "error": _error_json(self.error),
        }
        if self.comparison is not None:
            report["comparison"] = self.comparison.to_json()
        for name in ("inventory_value", "price_changes"):
            if figures := getattr(self, name):
                report[name] = figures
        if self.archive is not None:
            report["archive"] = _archive_json(self.archive)
        if self.enrichment is not None:
            report["enrichment"] = self.enrichment.to_json()
        if self.changes is not None:
            report["changes"] = [change.to_json() for change in self.changes]
        return report

    @property
    def has_plan(self) -> bool:
        """Whether it came as far as to know what would change."""
        return self.error is None or self.changes is not None

    def _snapshot_json(self) -> dict[str, Any] | None:
        if self.snapshot is None:
            return None
        return {
            "sha256": self.snapshot.sha256,
            "as_of": json_value(self.snapshot.as_of),
            "expected_items": self.snapshot.expected_items,
            "age_seconds": self._age_seconds(),
            "complete": self.snapshot.incomplete_because is None,
            "bytes": self.snapshot.size_bytes,
            "currency": self.snapshot.currency,
            "columns": list(self.columns),
            "ready_seconds": self.snapshot.ready_seconds,
        }

    def _age_seconds(self) -> int | None:
        """How old the snapshot was when the run ended; Discogs allows six hours for showing it."""
        if self.snapshot is None or self.snapshot.as_of is None:
            return None
        return int((self.finished_at - self.snapshot.as_of).total_seconds())


def _archive_json(archive: ArchiveUse) -> dict[str, Any]:
    shown = {name: getattr(archive, name) for name in ArchiveUse.__slots__}
    return {**shown, "removed_before": json_value(archive.removed_before)}


def _error_json(error: DiscosyncError | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "hint": error.hint}


def _counts_json(counts: ListingCounts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ListingCounts.__slots__}


def _api_json(api: ApiUse) -> dict[str, int | float]:
    return {
        "requests": api.requests,
        "retries": api.retries,
        "throttled_seconds": round(api.throttled_seconds, 3),
        "bytes": api.bytes,
    }


def _cache_json(cache: CacheUse) -> dict[str, Any]:
    rate = cache.hit_rate
    return {
        "backend": cache.backend,
        "hits": cache.hits,
        "misses": cache.misses,
        "hit_rate": None if rate is None else round(rate, 4),
    }


def _problem_json(problem: Problem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": problem.code,
        "text": problem.text,
        "severity": "warning" if problem.is_warning else "notice",
    }
    if problem.line is not None:
        shown["line"] = problem.line
    if problem.listing_id is not None:
        shown["listing_id"] = problem.listing_id
    return shown


def count_listings(changes: ChangeSet) -> ListingCounts:
    """Count a plan as the contract counts."""
    return ListingCounts(
        seen=changes.seen,
        added=len(changes.added),
        updated=len(changes.updated),
        unchanged=changes.unchanged,
        removed=len(changes.removed),
        reactivated=len(changes.reactivated),
        quarantined=len(changes.rejected),
        active=changes.active_after,
    )


def combine_reports(
    reports: Sequence[RunReport],
    error: DiscosyncError | None = None,
    *,
    command: str = "sync",
    key: str = "sellers",
) -> dict[str, Any]:
    """Write several reports as one object, under `key`; the first failure decides its code.

    `error` is what kept all of them from their turn.
    """
    codes = [report.exit_status for report in reports] + ([error.exit_status] if error else [])
    mild = (ExitStatus.OK_WITH_WARNINGS, ExitStatus.CHANGES, ExitStatus.OK)
    failures = [code for code in codes if code not in mild]
    decisive = [*failures, *(code for code in mild if code in codes), ExitStatus.OK]
    return {
        "report_version": REPORT_VERSION,
        "command": command,
        "exit_code": int(decisive[0]),
        key: [report.to_json() for report in reports],
        "error": _error_json(error),
    }
