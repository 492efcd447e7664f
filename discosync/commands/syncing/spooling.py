"""The directory that holds a run's snapshot while the run lasts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from discosync.core.inventory.snapshot import Source
from discosync.core.reporting.hints import render_command
from discosync.database.connection.engine import Database
from discosync.database.connection.lock import slug_of
from discosync.discogs.inventory.spool import Spool
from discosync.errors import NotReady, StorageFailed
from discosync.files.temporary import remove_dead_ones, temporary_directory
from discosync.runner import Run
from discosync.settings import data_dir


@contextmanager
def open_spool(run: Run, database: Database, seller: str) -> Iterator[Spool]:
    """Give a directory for the snapshot; it is kept only when the database failed to take it."""
    # A dry run leaves nothing behind, not even after a fault.
    if run.request.dry_run:
        with temporary_directory() as directory:
            yield Spool(directory)
        return
    remove_dead_ones()  # of dry runs, which may never come again
    lasting = _spool_directory(database, seller)
    if lasting is None:
        with temporary_directory() as directory:
            yield Spool(directory)
        return
    spool = Spool(lasting)
    spool.prepare()
    try:
        yield spool
        spool.forget_kept()
    except StorageFailed as exc:
        _keep(run, spool, exc)
        raise
    finally:
        spool.remove()


def _spool_directory(database: Database, seller: str) -> Path | None:
    """Return a directory for this seller in this database: its lock keeps other runs out of it.

    None for a user without a home, for whom only a temporary directory is left.
    """
    if database.path is not None:
        return database.path.with_name(f"{database.path.name}.snapshots") / slug_of(seller)
    try:
        return data_dir() / "snapshots" / slug_of(database.shown) / slug_of(seller)
    except NotReady:
        return None


def _keep(run: Run, spool: Spool, exc: StorageFailed) -> None:
    """Put the inventory aside: a database fault shall not cost a second export."""
    snapshot = run.findings.snapshot
    # A file that was downloaded by hand is still where it was.
    if snapshot is None or snapshot.source is Source.FILE or not snapshot.path.exists():
        return
    with suppress(OSError):
        kept = spool.keep(snapshot.path)
        words = ["sync", "--seller", snapshot.seller, "--from-file", str(kept)]
        exc.hint += (
            f"; the inventory is kept, no second export is needed: `{render_command(words)}`"
        )
