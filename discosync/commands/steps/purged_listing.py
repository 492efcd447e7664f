"""Where a listing is that a purge has taken out of the database."""

from dataclasses import replace
from pathlib import Path

from discosync.commands.steps.directories import is_there
from discosync.core.past.purge import Purged
from discosync.database.connection.session import Session
from discosync.database.past.purging import load_purged


def load_purged_listing(
    session: Session, seller: str, listing_id: int, *, config: Path | None
) -> Purged | None:
    """Say where a purged listing is: an archive that has moved is asked for by its name alone."""
    purged = load_purged(session, seller, listing_id)
    if purged is None:
        return None
    file = purged.file if is_there(Path(purged.file)) else purged.archive
    return replace(purged, file=file, config=config)
