"""`discosync db compact`: thin the older history, so that the database stays small."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from discosync.commands.db.schema import alone
from discosync.commands.steps.directories import backup_dir
from discosync.commands.steps.opening import require_filled, seller_in
from discosync.core.past.stretches import Stretch
from discosync.core.past.thinning import Thinned
from discosync.database.backups.backups import make_backup
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import Session
from discosync.database.past.checkpoints import make_checkpoints, replace_checkpoints
from discosync.database.past.thinning import (
    give_space_back,
    load_history_size,
    load_months_to_thin,
    plan_thinning,
    thin_month,
)
from discosync.database.rows.sellers import load_sellers
from discosync.settings import DatabaseSettings, current_environment, load_database_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactRequest:
    """What to thin: months that ended this long ago, of one seller or of all."""

    older_than: timedelta
    seller: str | None = None
    is_applied: bool = False
    without_backup: bool = False
    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of one seller: how many rows its history has, and how many are left of them."""

    seller: str
    month: str
    rows_before: int
    rows_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport:
    """The months that were thinned, or would be.

    Sizes are in bytes: of SQLite's file, or of the table of changes with its indexes.
    """

    database: str
    ended_before: datetime
    is_applied: bool
    months: tuple[Month, ...]
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int | None = None
    backup: Path | None = None
    space_kept_because: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `db compact --json` shows."""
        return {
            "database": self.database,
            "ended_before": f"{self.ended_before:%Y-%m-%dT%H:%M:%SZ}",
            "applied": self.is_applied,
            "months": [
                {
                    "seller": m.seller,
                    "month": m.month,
                    "rows_before": m.rows_before,
                    "rows_after": m.rows_after,
                }
                for m in self.months
            ],
            "rows_before": self.rows_before,
            "rows_after": self.rows_after,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "backup": None if self.backup is None else str(self.backup),
            "space_kept_because": self.space_kept_because,
        }


def compact(request: CompactRequest) -> CompactReport:
    """Thin the history, or show how much thinning would save.

    1. Keep every run out, and make a backup.
    2. Thin month by month and check each, in one transaction.
    3. Give the space back.
    """
    settings = load_database_settings(config=request.config, environ=current_environment())
    database = open_database(
        settings.database_url.reveal(),
        read_only=not request.is_applied,
        application="discosync db compact",
    )
    require_filled(database)
    now = datetime.now(UTC)
    if not request.is_applied:
        with database.session() as session:
            return _report(database, session, request, now, list(_plan(session, request, now)))
    with alone(database, "discosync db compact"):
        return _apply(settings, database, request, now)


def _report(
    database: Database,
    session: Session,
    request: CompactRequest,
    now: datetime,
    months: list[Month],
) -> CompactReport:
    rows, size = load_history_size(session)
    return CompactReport(
        database=database.shown,
        ended_before=now - request.older_than,
        is_applied=request.is_applied,
        months=tuple(months),
        rows_before=rows,
        rows_after=rows - sum(m.rows_before - m.rows_after for m in months),
        bytes_before=size,
    )


def _apply(
    settings: DatabaseSettings, database: Database, request: CompactRequest, now: datetime
) -> CompactReport:
    with database.session() as session:
        report = _report(database, session, request, now, [])
        is_due = any(True for _ in _due(session, request, now))
    # Where nothing is thinned, nothing can be lost: a backup would only take time and space.
    if is_due:
        backup = None
        if not request.without_backup:
            directory = backup_dir(settings.backup_dir, database)
            backup = make_backup(database, directory, why="before db compact", now=now).path
        report = replace(report, backup=backup)
    with database.session(writes=True) as session:
        months = list(_thin(session, request, now)) if is_due else []
        # Even when no month was thinned: a run packs only the newest stretch, this packs the rest.
        for seller in _sellers(session, request):
            make_checkpoints(session, seller, before=now)
    kept = give_space_back(database) if any(m.rows_after < m.rows_before for m in months) else None
    with database.session() as session:
        rows, size = load_history_size(session)
    return replace(
        report, months=tuple(months), rows_after=rows, bytes_after=size, space_kept_because=kept
    )


def _sellers(session: Session, request: CompactRequest) -> list[str]:
    if request.seller is not None:
        return [seller_in(session, request.seller)]
    return load_sellers(session)


def _due(session: Session, request: CompactRequest, now: datetime) -> Iterator[tuple[str, Stretch]]:
    for seller in _sellers(session, request):
        for month in load_months_to_thin(session, seller, now - request.older_than):
            yield seller, month


def _plan(session: Session, request: CompactRequest, now: datetime) -> Iterator[Month]:
    for seller, month in _due(session, request, now):
        yield _month(seller, month, plan_thinning(session, seller, month))


def _thin(session: Session, request: CompactRequest, now: datetime) -> Iterator[Month]:
    # A list, because thinning writes to the tables that the search for months reads.
    for seller, month in list(_due(session, request, now)):
        thinned = thin_month(session, seller, month)
        replace_checkpoints(session, seller, [month])
        yield _month(seller, month, thinned)


def _month(seller: str, month: Stretch, thinned: Thinned) -> Month:
    year, number = month.period[0], month.period[1]
    return Month(
        seller=seller,
        month=f"{year}-{number:02}",
        rows_before=thinned.rows_before,
        rows_after=thinned.rows_after,
    )
