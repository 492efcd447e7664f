"""`discosync purge-inactive`: archive, then delete, listings that were inactive for long.

No other command deletes a listing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from discosync.commands.purging.archiving import archive_plan, delete_archived
from discosync.commands.steps.directories import archive_dir, backup_dir
from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.opening import Target, open_target
from discosync.commands.steps.refusing import refuse, render_way_out
from discosync.core.past.purge import PurgePlan, check_purge
from discosync.core.planning.limits import RemovalLimit
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.hints import render_command
from discosync.core.reporting.report_parts import ArchiveUse
from discosync.database.backups.backups import make_backup
from discosync.database.connection.session import Session
from discosync.database.past.purging import load_purge_plan
from discosync.database.rows.known import load_rows
from discosync.runner import Run, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRequest:
    """What shall be purged: listings inactive for `older_than`; None means RETENTION_DAYS."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    older_than: timedelta | None = None
    archive: Path | None = None
    max_purge: RemovalLimit | None = None
    without_backup: bool = False
    lock_wait_seconds: float = 0.0


def purge(run: Run, request: PurgeRequest) -> None:
    """Archive, then delete, what has been inactive for long.

    1. Lock the seller; find what is due, and check it against the limit.
    2. Unless this only shows the plan: back the database up.
    3. Write the archive, and read it back.
    4. Delete the listings in one transaction, if they are still as they were archived.
    """
    target = open_target(run, request.config, named=request.seller)
    seller, database = target.seller, target.database
    with hold_run_locks(run, database, seller, wait_seconds=request.lock_wait_seconds):
        age = request.older_than or timedelta(days=target.settings.retention_days)
        with run.phase("plan"), database.session() as session:
            plan = load_purge_plan(session, seller, run.started_at - age)
            _tell(run, session, seller, plan)
        _refuse(run, plan, request.max_purge or RemovalLimit())
        if run.request.dry_run or not plan.listing_ids:
            return
        _back_up(run, target, request)
        directory = request.archive or archive_dir(target.settings.archive_dir, database)
        archive, digest = archive_plan(run, target, plan, directory)
        with run.phase("apply"):
            delete_archived(run, target, plan, archive, digest)


def _tell(run: Run, session: Session, seller: str, plan: PurgePlan) -> None:
    run.findings.has_changes = bool(plan.listing_ids)
    run.findings.archive = ArchiveUse(
        listings=len(plan.listing_ids), removed_before=plan.cutoff, by_reason=plan.by_reason
    )
    if plan.undated:
        text = f"{plan.undated:,} inactive listings stay: it is not known since when they are gone"
        run.findings.problems.append(Problem(code="undated", text=text, is_warning=False))
    if not run.request.dry_run:
        return
    run.findings.changes = tuple(
        ChangeEntry(kind="purged", listing_id=row.listing_id, heading=row.heading, fields=())
        for row in load_rows(session, seller, plan.listing_ids)
    )
    if plan.listing_ids:
        run.findings.advice = render_command([*run.request.arguments, "--apply"])


def _refuse(run: Run, plan: PurgePlan, limit: RemovalLimit) -> None:
    violation = check_purge(plan, limit)
    violations = [] if violation is None else [violation]
    # The way out names a limit of its own, so the one that was typed must go.
    words = list(_without_limit(run.request.arguments))
    refuse(violations, render_way_out(words, violations))


def _without_limit(words: Iterable[str]) -> Iterator[str]:
    is_value = False
    for word in words:
        if not is_value and not word.startswith("--max-purge"):
            yield word
        is_value = word == "--max-purge"


def _back_up(run: Run, target: Target, request: PurgeRequest) -> None:
    if request.without_backup:
        return
    with run.phase("backup"):
        directory = backup_dir(target.settings.backup_dir, target.database)
        make_backup(target.database, directory, why="before purge-inactive", now=datetime.now(UTC))
