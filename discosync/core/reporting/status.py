"""How things stand: how fresh the mirror is, what it holds, and how its last runs went."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from discosync.core.catalog.enrichment import Coverage
from discosync.core.inventory.snapshot import Source
from discosync.core.moments import render_age
from discosync.core.reporting.change_entry import json_value
from discosync.core.reporting.hints import config_option

MAX_SHOWN_AGE = timedelta(hours=6)
"""Discogs' API terms of use: what is shown must not be older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryCounts:
    """What the mirror holds of a seller."""

    active: int
    inactive_by_reason: Mapping[str, int]

    @property
    def inactive(self) -> int:
        """How many are kept and not for sale."""
        return sum(self.inactive_by_reason.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeOutlook:
    """How many listings a purge would find now, and when the next one was removed."""

    due: int
    next_removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One past run in a line, read from its report."""

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
        """How many listings it changed."""
        return sum(self.changes.values())


RUN_COMMANDS = ("sync", "enrich", "purge-inactive", "restore", "compare")
"""The commands that make a run."""

_CHANGES = ("added", "updated", "removed", "reactivated")
_ARCHIVED = {"purge-inactive": "purged", "restore": "restored"}
_SUCCESSES = (0, 3)


def change_count_of(report: Mapping[str, Any]) -> int:
    """Say how many changes a run made, by its own report: the history may hold fewer by now."""
    counts = report.get("listings") or {}
    return sum(int(counts.get(kind) or 0) for kind in _CHANGES)


def read_run_line(report: Mapping[str, Any]) -> RunLine:
    """Read a stored report; raise `ValueError` or `KeyError` for what is none."""
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
    """Count what a run changed, moved into an archive or took out of one: nothing, if refused."""
    was_done = int(report["exit_code"]) in _SUCCESSES and not report.get("dry_run")
    listings = (report.get("listings") or {}) if was_done else {}
    counts = {name: int(listings.get(name, 0)) for name in _CHANGES}
    name = _ARCHIVED.get(report["command"])
    if name is not None and was_done and report.get("archive"):
        counts[name] = int(report["archive"].get("listings", 0))
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How one seller's mirror stands at a moment."""

    now: datetime
    seller: str
    database: str
    max_age: timedelta
    last_success: RunLine | None
    counts: InventoryCounts
    coverage: Coverage
    purge: PurgeOutlook
    retention_days: int
    runs: Sequence[RunLine]
    flags: Mapping[str, bool]
    cache_hit_rate: float | None = None

    @property
    def success_age(self) -> timedelta | None:
        """How long ago the last success ended."""
        return None if self.last_success is None else self.now - self.last_success.finished_at

    @property
    def inventory_age(self) -> timedelta | None:
        """How old what the mirror shows is; None when nobody knows."""
        as_of = self._inventory_as_of
        return None if as_of is None else self.now - as_of

    @property
    def _inventory_as_of(self) -> datetime | None:
        """Of which moment the inventory is; a file without Discogs' own name has none."""
        last = self.last_success
        if last is None or (last.source == Source.FILE and last.snapshot_as_of is None):
            return None
        return last.snapshot_as_of or last.started_at

    @property
    def is_late(self) -> bool:
        """Whether the last success is older than it may be."""
        return self.success_age is None or self.success_age > self.max_age

    @property
    def is_too_old_to_show(self) -> bool:
        """Whether Discogs' six hours are over."""
        return self.inventory_age is None or self.inventory_age > MAX_SHOWN_AGE

    @property
    def next_purge_at(self) -> datetime | None:
        """When the next listing will have been gone for the retention."""
        if self.purge.due:
            return self.now
        removed_at = self.purge.next_removed_at
        return None if removed_at is None else removed_at + timedelta(days=self.retention_days)

    def to_json(self) -> dict[str, Any]:
        """Give all of it; ages in seconds."""
        last = self.last_success
        return {
            "seller": self.seller,
            "database": self.database,
            "now": json_value(self.now),
            "late": self.is_late,
            "max_age_seconds": int(self.max_age.total_seconds()),
            "last_success": None
            if last is None
            else {
                "run_id": last.run_id,
                "finished_at": json_value(last.finished_at),
                "age_seconds": _seconds(self.success_age),
                "exit_code": last.exit_code,
            },
            "inventory": {
                "as_of": json_value(self._inventory_as_of),
                "age_seconds": _seconds(self.inventory_age),
                "too_old_to_show": self.is_too_old_to_show,
            },
            "listings": {
                "active": self.counts.active,
                "inactive": self.counts.inactive,
                "inactive_by_reason": dict(self.counts.inactive_by_reason),
            },
            "enrichment": self.coverage.to_json(),
            "purge": {
                "due": self.purge.due,
                "next_at": json_value(self.next_purge_at),
                "retention_days": self.retention_days,
            },
            "flags": dict(self.flags),
            "cache": {"hit_rate": self.cache_hit_rate},
            "runs": [run_json(run) for run in self.runs],
        }


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())


def run_json(run: RunLine) -> dict[str, Any]:
    """Give a past run."""
    return {
        "run_id": run.run_id,
        "command": run.command,
        "seller": run.seller,
        "started_at": json_value(run.started_at),
        "finished_at": json_value(run.finished_at),
        "duration_seconds": run.duration_seconds,
        "exit_code": run.exit_code,
        "status": run.status,
        "source": run.source,
        "requests": run.requests,
        "cache_hit_rate": run.cache_hit_rate,
        "changes": dict(run.changes),
        "error": run.error or None,
    }


def render_lost(count: int) -> str:
    """Say that the history holds fewer changes of a run than it made."""
    return (
        f"{count:,} of its changes are no longer in the history: `db compact` merged them into "
        "later ones, or their listings were purged"
    )


def render_lateness(status: Status) -> str:
    """Say why a mirror is late."""
    allowed = render_age(status.max_age)
    if status.success_age is None:
        return f"{status.seller} has never been synced into {status.database}"
    age = render_age(status.success_age)
    return f"the last success of {status.seller} was {age} ago; the limit is {allowed}"


def render_way_to_fresh(status: Status, config: Path | None) -> str:
    """Say what to type about a mirror that is late; without any run there is nothing to look at."""
    option = config_option(config)
    sync = f"`discosync sync --seller {shlex.quote(status.seller)}{option}`"
    return f"`discosync runs{option}` shows why; then {sync}" if status.runs else f"run {sync}"
