"""`discosync purge-inactive`: the only hard delete there is."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from discosync.commands.steps.committing import commit_run
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
from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.session import Session
from discosync.database.past.archiving import archive_lines
from discosync.database.past.checkpoints import remake_checkpoints
from discosync.database.past.purging import delete_purged, load_purge_plan
from discosync.database.rows.known import load_rows
from discosync.database.rows.sellers import load_has_sandbox
from discosync.errors import StorageFailed
from discosync.files.archive import Archive, write_archive
from discosync.runner import Run, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRequest:
    """What shall be purged: everything gone for `older_than`, or for RETENTION_DAYS."""

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
    4. Delete in one transaction what is still as it was archived.
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
        archive, digest = _archive(run, target, request, plan)
        with run.phase("apply"):
            _delete(run, target, plan, archive, digest)


def _tell(run: Run, session: Session, seller: str, plan: PurgePlan) -> None:
    run.findings.has_changes = bool(plan.listing_ids)
    run.findings.archive = ArchiveUse(
        listings=len(plan.listing_ids), removed_before=plan.cutoff, by_reason=plan.by_reason
    )
    if plan.undated:
        text = f"{plan.undated:,} inactive listings stay: nobody knows since when they are gone"
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


def _archive(
    run: Run, target: Target, request: PurgeRequest, plan: PurgePlan
) -> tuple[Archive, str]:
    """Write the archive; give also the digest of what it holds of the database."""
    seller, database = target.seller, target.database
    stamp = f"{run.started_at:%Y%m%dT%H%M%SZ}"
    directory = request.archive or archive_dir(target.settings.archive_dir, database)
    path = directory.absolute() / f"purged-{_plain(seller)}-{stamp}-{run.run_id[:8]}.ndjson.gz"
    header = {
        "seller": seller,
        "run_id": run.run_id,
        "made_at": f"{run.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "removed_before": f"{plan.cutoff:%Y-%m-%dT%H:%M:%SZ}",
    }
    with run.phase("archive"), database.alchemy_session() as session:
        lines = _Digested(archive_lines(session, seller, plan.listing_ids))
        archive = write_archive(path, header, lines)
    run.findings.archive = ArchiveUse(
        file=str(archive.path),
        sha256=archive.sha256,
        bytes=archive.size_bytes,
        listings=archive.listings,
        changes=archive.changes,
        removed_before=plan.cutoff,
        by_reason=plan.by_reason,
    )
    return archive, lines.digest


def _plain(seller: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in seller)[:60]


class _Digested:
    """Lines on their way, and the digest of those that went by."""

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._lines = lines
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for line in self._lines:
            self._hash.update(json.dumps(line).encode())
            yield line

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _delete(run: Run, target: Target, plan: PurgePlan, archive: Archive, digest: str) -> None:
    seller, name = target.seller, archive.path.name
    with target.database.session() as session:
        is_sandbox = load_has_sandbox(session)

    def write(session: AlchemySession, key: int) -> None:
        lines = _Digested(archive_lines(session, seller, plan.listing_ids))
        for _ in lines:
            pass
        if lines.digest != digest:
            raise StorageFailed(
                "another program changed what was being archived",
                hint="nothing was purged; run again",
                code="conflict",
            )
        delete_purged(session, seller, plan.listing_ids, run_key=key, archive=name)
        remake_checkpoints(session, seller, plan.listing_ids)

    commit_run(run, target, write, is_sandbox=is_sandbox)
