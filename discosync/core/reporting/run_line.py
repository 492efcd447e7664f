"""Past runs, read from their stored reports: one line a run, and how much each changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discosync.core.reporting.change_entry import json_value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """What one line about a past run shows, parsed from its report."""

    run_id: str
    command: str
    seller: str
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    exit_code: int
    status: str
    source: str | None
    snapshot_as_of: datetime | None
    requests: int
    changes: Mapping[str, int]
    error: str
    cache_hit_rate: float | None = None

    @property
    def change_count(self) -> int:
        """How many listings it changed, archived or restored."""
        return sum(self.changes.values())

    @property
    def has_failed(self) -> bool:
        """Whether it wrote nothing: only runs that end with 0 or 3 may have written."""
        return self.exit_code not in _SUCCESSES

    def to_json(self) -> dict[str, Any]:
        """Return it as `runs --json` and `status --json` show it."""
        return {
            "run_id": self.run_id,
            "command": self.command,
            "seller": self.seller,
            "started_at": json_value(self.started_at),
            "finished_at": json_value(self.finished_at),
            "duration_seconds": self.duration_seconds,
            "exit_code": self.exit_code,
            "status": self.status,
            "source": self.source,
            "requests": self.requests,
            "cache_hit_rate": self.cache_hit_rate,
            "changes": dict(self.changes),
            "error": self.error or None,
        }


RUN_COMMANDS = ("sync", "enrich", "purge-inactive", "restore", "compare")
"""The commands that make a run."""

_CHANGES = ("added", "updated", "removed", "reactivated", "corrected")
_ARCHIVED = {"purge-inactive": "purged", "restore": "restored"}
_SUCCESSES = (0, 3)  # ok, and ok with warnings


def change_count_of(report: Mapping[str, Any]) -> int:
    """Return how many changes a run made, by its own report.

    The history may hold fewer: thinning merges changes, and a purge moves them into an archive.
    """
    counts = report.get("listings") or {}
    return sum(int(counts.get(kind) or 0) for kind in _CHANGES)


def parse_run_line(report: Mapping[str, Any]) -> RunLine:
    """Parse a stored report; raise `ValueError` or `KeyError` for anything else."""
    # An older version of discosync may have written it, without the keys that came later.
    snapshot = report.get("snapshot") or {}
    as_of = snapshot.get("as_of")
    return RunLine(
        run_id=report["run_id"],
        command=report["command"],
        seller=str(report.get("seller") or ""),
        started_at=datetime.fromisoformat(report["started_at"]),
        finished_at=datetime.fromisoformat(report["finished_at"]),
        duration_seconds=float(report["duration_seconds"]),
        exit_code=int(report["exit_code"]),
        status=report["status"],
        source=report.get("source"),
        snapshot_as_of=datetime.fromisoformat(as_of) if as_of else None,
        requests=int((report.get("api") or {}).get("requests", 0)),
        changes=_done(report),
        error=str((report.get("error") or {}).get("message", "")),
        cache_hit_rate=(report.get("cache") or {}).get("hit_rate"),
    )


def _done(report: Mapping[str, Any]) -> dict[str, int]:
    """Count what a run changed, archived or restored; a refused or a dry run did none of it."""
    was_done = int(report["exit_code"]) in _SUCCESSES and not report.get("dry_run")
    listings = (report.get("listings") or {}) if was_done else {}
    counts = {name: int(listings.get(name, 0)) for name in _CHANGES}
    if not counts["corrected"]:  # few runs have any
        del counts["corrected"]
    # Listings that went into an archive, or came out of one, are in no other count.
    name = _ARCHIVED.get(report["command"])
    if name is not None and was_done and report.get("archive"):
        counts[name] = int(report["archive"].get("listings", 0))
    return counts
