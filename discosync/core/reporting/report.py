"""The run report: one value for the screen, the JSON file and the run's row in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from discosync.core.planning.changes import ChangeSet
from discosync.core.reporting.change_entry import json_value
from discosync.core.reporting.findings import Findings, Problem
from discosync.core.reporting.report_parts import ApiUse, ArchiveUse, CacheUse, ListingCounts
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.core.planning.absence import AbsenceCounts

REPORT_VERSION = 1
"""The version of the report's form. A version may get more keys, and never loses one."""


class RunStatus(StrEnum):
    """How a run ended."""

    OK = "ok"
    OK_WITH_WARNINGS = "ok_with_warnings"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything about one run: how it went, and in `findings` what it found out."""

    run_id: str
    command: str
    status: RunStatus
    exit_status: ExitStatus
    dry_run: bool
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    phases: Mapping[str, float] = field(default_factory=dict)
    api: ApiUse = field(default_factory=ApiUse)
    cache: CacheUse = field(default_factory=CacheUse)
    findings: Findings = field(default_factory=Findings)
    error: DiscosyncError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `report.schema.json` describes."""
        found = self.findings
        report: dict[str, Any] = {
            "report_version": REPORT_VERSION,
            "run_id": self.run_id,
            "command": self.command,
            "seller": found.seller,
            "status": self.status.value,
            "exit_code": int(self.exit_status),
            "dry_run": self.dry_run,
            "source": found.source,
            "source_reason": found.source_reason,
            "fallback_from": found.fallback_from,
            "started_at": json_value(self.started_at),
            "finished_at": json_value(self.finished_at),
            "duration_seconds": round(self.duration_seconds, 3),
            "phases": {name: round(seconds, 3) for name, seconds in self.phases.items()},
            "listings": _counts_json(found.listings),
            "api": _api_json(self.api),
            "cache": _cache_json(self.cache),
            "flags": {
                flag.value: {"value": f.value, "why": f.why} for flag, f in found.flags.items()
            },
            "database": found.database,
            "snapshot": self._snapshot_json(),
            "problems": [_problem_json(problem) for problem in found.problems],
            "error": _error_json(self.error),
        }
        return report | _extras_json(found)

    @property
    def has_plan(self) -> bool:
        """Whether the run came far enough to know what would change."""
        return self.error is None or self.findings.changes is not None

    def without_changes(self) -> "RunReport":
        """Return a copy without the list of changes: a database has them in its history."""
        return replace(self, findings=replace(self.findings, changes=None))

    def _snapshot_json(self) -> dict[str, Any] | None:
        snapshot = self.findings.snapshot
        if snapshot is None:
            return None
        return {
            "sha256": snapshot.sha256,
            "as_of": json_value(snapshot.as_of),
            "expected_items": snapshot.expected_items,
            "age_seconds": self._age_seconds(snapshot.as_of),
            "complete": snapshot.incomplete_because is None,
            "bytes": snapshot.size_bytes,
            "currency": snapshot.currency,
            "columns": list(self.findings.columns),
            "ready_seconds": snapshot.ready_seconds,
        }

    def _age_seconds(self, as_of: datetime | None) -> int | None:
        # Discogs' terms allow showing an inventory for six hours, so the age is in the report.
        return None if as_of is None else int((self.finished_at - as_of).total_seconds())


def _extras_json(found: Findings) -> dict[str, Any]:
    """Return the keys that only the reports of some commands have."""
    extras: dict[str, Any] = {}
    if found.absence is not None:
        extras["absence"] = _absence_json(found.absence)
    if found.comparison is not None:
        extras["comparison"] = found.comparison.to_json()
    if found.inventory_value:
        extras["inventory_value"] = found.inventory_value
    if found.price_changes:
        extras["price_changes"] = found.price_changes
    if found.slow_check is not None:
        extras["slow_check"] = found.slow_check.to_json()
    if found.archive is not None:
        extras["archive"] = _archive_json(found.archive)
    if found.enrichment is not None:
        extras["enrichment"] = found.enrichment.to_json()
    if found.changes is not None:
        extras["changes"] = [change.to_json() for change in found.changes]
    return extras


def _absence_json(absence: "AbsenceCounts") -> dict[str, int | bool]:
    return {name: getattr(absence, name) for name in absence.__slots__}


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
    """Return the counts of a plan, as the report shows them."""
    return ListingCounts(
        seen=changes.seen,
        added=len(changes.added),
        updated=len(changes.updated),
        unchanged=changes.unchanged,
        removed=len(changes.removed),
        reactivated=len(changes.reactivated),
        quarantined=len(changes.rejected),
        active=changes.active_after,
        corrected=len(changes.corrected),
    )


def combine_reports(
    reports: Sequence[RunReport],
    error: DiscosyncError | None = None,
    *,
    command: str = "sync",
    key: str = "sellers",
) -> dict[str, Any]:
    """Return several reports as one object, in a list under `key`.

    Its `exit_code` is that of the first failure, else the gravest of the others. `error` is the
    error that kept all runs from starting.
    """
    codes = [report.exit_status for report in reports] + ([error.exit_status] if error else [])
    # From the gravest to the mildest, for the case that no run failed.
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
