"""Write what shall be purged into an archive, and delete it when that is complete."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from discosync.commands.steps.committing import commit_run
from discosync.commands.steps.opening import Target
from discosync.core.past.purge import PurgePlan
from discosync.core.reporting.report_parts import ArchiveUse
from discosync.database.connection.alchemy import AlchemySession
from discosync.database.past.archiving import archive_lines
from discosync.database.past.checkpoints import remake_checkpoints
from discosync.database.past.purging import delete_purged
from discosync.database.rows.sellers import load_has_sandbox
from discosync.errors import StorageFailed
from discosync.files.archive import Archive, write_archive
from discosync.runner import Run


def archive_plan(run: Run, target: Target, plan: PurgePlan, directory: Path) -> tuple[Archive, str]:
    """Write an archive into a directory; return it, and the digest of the rows that it holds."""
    seller, database = target.seller, target.database
    stamp = f"{run.started_at:%Y%m%dT%H%M%SZ}"
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
    # The name becomes part of a file's name, which not every character and length may be.
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in seller)[:60]


class _Digested:
    """Passes lines on and digests them; `digest` covers the lines passed on so far."""

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


def delete_archived(
    run: Run, target: Target, plan: PurgePlan, archive: Archive, digest: str
) -> None:
    """Delete what was archived, with the run's record, in one transaction.

    Raises `StorageFailed` when the database no longer holds what `digest` was made of: somebody
    wrote to it while the archive was written.
    """
    seller, name = target.seller, archive.path.name
    with target.database.session() as session:
        is_sandbox = load_has_sandbox(session)

    def write(session: AlchemySession, key: int) -> None:
        lines = _Digested(archive_lines(session, seller, plan.listing_ids))
        for _ in lines:
            pass
        # The same rows, read again within the transaction that deletes them.
        if lines.digest != digest:
            raise StorageFailed(
                "another program changed what was being archived",
                hint="nothing was purged; run again",
                code="conflict",
            )
        delete_purged(session, seller, plan.listing_ids, run_key=key, archive=name)
        remake_checkpoints(session, seller, plan.listing_ids)

    commit_run(run, target, write, is_sandbox=is_sandbox)
