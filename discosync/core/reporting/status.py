"""The state of one seller's mirror: how fresh it is, what it holds, how its last runs went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from discosync.core.catalog.enrichment import Coverage
from discosync.core.inventory.snapshot import Source, is_too_old_to_show
from discosync.core.reporting.change_entry import json_value
from discosync.core.reporting.run_line import RunLine


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryCounts:
    """How many listings the mirror holds of a seller: active ones, and inactive ones by reason."""

    active: int
    inactive_by_reason: Mapping[str, int]

    @property
    def inactive(self) -> int:
        """How many inactive listings there are."""
        return sum(self.inactive_by_reason.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeOutlook:
    """How many listings a purge would take now, and when the next one after them was removed."""

    due: int
    next_removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of one seller's mirror at the moment `now`; `max_age` is when it counts as late."""

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
        """How long ago the last success ended; None without one."""
        return None if self.last_success is None else self.now - self.last_success.finished_at

    @property
    def inventory_age(self) -> timedelta | None:
        """How old the inventory in the mirror is; None if unknown."""
        as_of = self._inventory_as_of
        return None if as_of is None else self.now - as_of

    @property
    def _inventory_as_of(self) -> datetime | None:
        """The moment that the inventory shows; None for a file that has not Discogs' own name."""
        last = self.last_success
        # Any other run without a dated snapshot read Discogs when it started.
        if last is None or (last.source == Source.FILE and last.snapshot_as_of is None):
            return None
        return last.snapshot_as_of or last.started_at

    @property
    def is_late(self) -> bool:
        """Whether the last success is older than it may be."""
        return self.success_age is None or self.success_age > self.max_age

    @property
    def is_too_old_to_show(self) -> bool:
        """Whether the inventory is older than Discogs' terms allow, or of an unknown moment."""
        as_of = self._inventory_as_of
        # A shop that shows an inventory of unknown age may break Discogs' terms: count it as old.
        return as_of is None or is_too_old_to_show(as_of, now=self.now)

    @property
    def next_purge_at(self) -> datetime | None:
        """When the next listing becomes due for a purge; None if none will."""
        if self.purge.due:
            return self.now
        removed_at = self.purge.next_removed_at
        return None if removed_at is None else removed_at + timedelta(days=self.retention_days)

    def to_json(self) -> dict[str, Any]:
        """Return it as `status --json` shows it; ages in whole seconds."""
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
            "runs": [run.to_json() for run in self.runs],
        }


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())
