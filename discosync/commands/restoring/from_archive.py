"""`discosync restore --from-archive`: bring purged listings back, with their history."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from discosync.commands.restoring.request import RestoreRequest
from discosync.commands.steps.committing import commit_run
from discosync.commands.steps.directories import archive_dir, find_file
from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.opening import Target, open_target
from discosync.core.inventory.listing import heading_of
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report_parts import ArchiveUse
from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.engine import open_database
from discosync.database.connection.session import Session
from discosync.database.past.archiving import insert_archived
from discosync.database.past.checkpoints import remake_checkpoints
from discosync.database.past.purging import load_present
from discosync.database.rows.sellers import load_has_sandbox
from discosync.errors import UsageFault
from discosync.files.archive import inspect_archive, read_archive
from discosync.runner import Run
from discosync.settings import current_environment, load_settings


def restore_from_archive(run: Run, request: RestoreRequest, path: Path) -> None:
    """Bring back what an archive holds and the database does not.

    1. Read the archive from end to end: a damaged one changes nothing.
    2. Lock the seller, and find which listings the database does not hold.
    3. Insert listings, history and links in one transaction, unless this is a dry run.
    """
    # The archive names the seller, so it is read before the seller is looked for.
    path = _find(path, request)
    header, archive = inspect_archive(path)
    seller = str(header.get("seller"))
    named = request.seller or seller
    # An archive may also go into a database that does not hold its seller, or no longer.
    target = open_target(run, request.config, named=named, may_be_new=True)
    _refuse_other(target, path, seller)
    database = target.database
    run.findings.archive = ArchiveUse(
        file=str(path.absolute()),
        sha256=archive.sha256,
        bytes=archive.size_bytes,
        listings=archive.listings,
        changes=archive.changes,
    )
    with hold_run_locks(run, database, seller, wait_seconds=request.lock_wait_seconds):
        with run.phase("plan"), database.session() as session:
            missing = _plan(run, session, path, seller)
            is_sandbox = load_has_sandbox(session)
        run.findings.archive = replace(run.findings.archive, listings=missing)
        run.findings.has_changes = missing > 0
        if run.request.dry_run or not missing:
            return

        def write(session: AlchemySession, key: int) -> None:
            lines = read_archive(path)
            restored = insert_archived(session, lines, seller=seller, run_key=key)
            remake_checkpoints(session, seller, restored)

        with run.phase("apply"):
            commit_run(run, target, write, is_sandbox=is_sandbox)


def _find(path: Path, request: RestoreRequest) -> Path:
    """Look for a bare name in the working directory, then among this database's archives."""
    settings = load_settings(config=request.config, environ=current_environment())
    address = settings.database_url.reveal()
    database = open_database(address, read_only=True, application="discosync restore")
    return find_file(path, archive_dir(settings.archive_dir, database))


def _refuse_other(target: Target, path: Path, seller: str) -> None:
    if target.seller.casefold() != seller.casefold():
        raise UsageFault(
            f"{path} holds listings of {seller}, not of {target.seller}",
            hint=f"add --seller {seller}",
            code="other_seller",
        )


def _plan(run: Run, session: Session, path: Path, seller: str) -> int:
    """Count the listings to insert, and note those that the database holds already.

    They are left alone, because the database may know newer values of them.
    """
    rows: dict[int, Any] = {
        int(line["row"]["listing_id"]): line["row"]
        for line in read_archive(path)
        if line["type"] == "listing"
    }
    present = load_present(session, seller, list(rows))
    if present:
        text = f"{len(present):,} listings are in the database already and stay as they are there"
        run.findings.problems.append(Problem(code="not_restored", text=text, is_warning=False))
    missing = [listing_id for listing_id in rows if listing_id not in present]
    if run.request.dry_run:
        run.findings.changes = tuple(
            ChangeEntry(
                kind="restored",
                listing_id=i,
                heading=heading_of(rows[i]["artist_names"], rows[i]["release_title"]),
                fields=(),
            )
            for i in missing
        )
    return len(missing)
