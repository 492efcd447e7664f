"""Find the archive of a listing that a purge has deleted."""

from dataclasses import replace
from pathlib import Path

from discosync.commands.steps.directories import is_there
from discosync.core.past.purge import Purged
from discosync.database.connection.session import Session
from discosync.database.past.purging import load_purged


def load_purged_listing(
    session: Session, seller: str, listing_id: int, *, config: Path | None
) -> Purged | None:
    """Return where a listing was archived; None for one that was not purged.

    If the archive is no longer at its path, `file` is its bare name: `restore` looks for a bare
    name in the working directory and in ARCHIVE_DIR.
    """
    purged = load_purged(session, seller, listing_id)
    if purged is None:
        return None
    file = purged.file if is_there(Path(purged.file)) else purged.archive
    return replace(purged, file=file, config=config)
