"""What `status` and `runs` show: counts, past runs, and what a purge would find."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from discosync.core.reporting.past_runs import RunLine, parse_run_line
from discosync.core.reporting.status import InventoryCounts, PurgeOutlook
from discosync.database.schema.tables import listings, sync_runs

SUCCESSES = (0, 3)
"""Exit statuses of a run that did what it was for."""


def load_counts(connection: Connection, seller: str) -> InventoryCounts:
    """Count what is for sale, and what is not by its reason."""
    c = listings.c
    groups = select(c.is_active, c.removal_reason, func.count()).where(c.seller == seller)
    active, by_reason = 0, {}
    for is_active, reason, count in connection.execute(
        groups.group_by(c.is_active, c.removal_reason)
    ):
        if is_active:
            active += count
        else:
            by_reason[str(reason or "unknown")] = count
    return InventoryCounts(active=active, inactive_by_reason=dict(sorted(by_reason.items())))


def load_purge_outlook(connection: Connection, seller: str, cutoff: datetime) -> PurgeOutlook:
    """Count what has been gone since before `cutoff`, and find what went first after it."""
    c = listings.c
    gone = (c.seller == seller, ~c.is_active)
    due = select(func.count()).select_from(listings).where(*gone, c.removed_at <= cutoff)
    first = select(func.min(c.removed_at)).where(*gone, c.removed_at > cutoff)
    return PurgeOutlook(
        due=connection.execute(due).scalar_one(),
        next_removed_at=connection.execute(first).scalar(),
    )


def load_last_success(connection: Connection, seller: str) -> RunLine | None:
    """Load the newest sync that mirrored the inventory."""
    c = sync_runs.c
    shown = select(c.report, c.started_at, c.finished_at, c.snapshot_as_of)
    own = shown.where(c.seller == seller, c.command == "sync", c.exit_code.in_(SUCCESSES))
    newest = connection.execute(own.order_by(c.id.desc()).limit(1)).first()
    if newest is None:
        return None
    report, started_at, finished_at, as_of = newest
    return replace(
        parse_run_line(report), started_at=started_at, finished_at=finished_at, snapshot_as_of=as_of
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which past runs are asked for; None means all."""

    seller: str | None = None
    command: str | None = None
    limit: int = 20


def load_run_reports(connection: Connection, wanted: RunFilter) -> list[dict[str, Any]]:
    """Load the reports of the newest runs that reached the database, newest first."""
    c = sync_runs.c
    statement = select(c.report)
    if wanted.seller is not None:
        statement = statement.where(c.seller == wanted.seller)
    if wanted.command is not None:
        statement = statement.where(c.command == wanted.command)
    newest = statement.order_by(c.id.desc()).limit(wanted.limit)
    return list(connection.execute(newest).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run that reached the database: its key there, and its report."""

    key: int
    run_id: str
    command: str
    seller: str | None
    report: Mapping[str, Any]


def load_runs_named(connection: Connection, run_id: str) -> list[RecordedRun]:
    """Load the run whose id begins so; two when there are several."""
    c = sync_runs.c
    shown = select(c.id, c.run_id, c.command, c.seller, c.report)
    begins = shown.where(c.run_id.startswith(run_id, autoescape=True))
    return [
        RecordedRun(key=key, run_id=whole, command=command, seller=seller, report=report)
        for key, whole, command, seller, report in connection.execute(begins.limit(2))
    ]
