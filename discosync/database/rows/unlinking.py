"""Delete the links of listings that belong to another release now."""

from collections.abc import Iterable

from discosync.core.planning.changes import Rewrite
from discosync.database.connection.session import Session

_STATEMENTS = (
    "DELETE FROM listing_artists WHERE seller = :seller AND listing_id = :listing_id",
    "DELETE FROM listing_labels WHERE seller = :seller AND listing_id = :listing_id",
    """
    UPDATE listings SET artist_id = NULL, label_id = NULL
    WHERE seller = :seller AND listing_id = :listing_id
    """,
)


def unlink_moved(session: Session, seller: str, rewrites: Iterable[Rewrite]) -> None:
    """Delete the links to artists and labels of a listing's former release; `enrich` adds new."""
    moved = [
        {"seller": seller, "listing_id": str(rewrite.listing_id)}
        for rewrite in rewrites
        if any(change.field == "release_id" for change in rewrite.fields)
    ]
    for statement in _STATEMENTS if moved else ():
        session.execute_all(statement, moved)
