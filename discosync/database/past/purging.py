"""Find what a purge would take, delete it, and know afterwards what was purged."""

from collections.abc import Sequence
from datetime import datetime

from discosync.core.past.purge import Purged, PurgePlan
from discosync.database.connection.session import Session, in_chunks
from discosync.database.connection.values import read_json
from discosync.errors import StorageFailed

_OF_A_LISTING = ("listing_artists", "listing_labels", "listing_changes", "purged_listings")
"""The tables whose rows go with a listing, besides its own row."""


def load_purge_plan(session: Session, seller: str, cutoff: datetime) -> PurgePlan:
    """Find the listings that have not been for sale since before `cutoff`."""
    due = session.execute(
        "SELECT listing_id, removal_reason FROM listings "
        "WHERE seller = :seller AND NOT is_active AND removed_at <= :cutoff",
        seller=seller,
        cutoff=session.moment(cutoff),
    )
    by_reason: dict[str, int] = {}
    listing_ids = []
    for listing_id, reason in due:
        listing_ids.append(int(listing_id))
        by_reason[str(reason or "unknown")] = by_reason.get(str(reason or "unknown"), 0) + 1
    total, undated = session.execute(
        "SELECT count(*), count(*) FILTER (WHERE NOT is_active AND removed_at IS NULL) "
        "FROM listings WHERE seller = :seller",
        seller=seller,
    ).fetchone()
    return PurgePlan(
        cutoff=cutoff,
        listing_ids=tuple(sorted(listing_ids)),
        by_reason=dict(sorted(by_reason.items())),
        total=total,
        undated=undated,
    )


def delete_purged(
    session: Session, seller: str, listing_ids: Sequence[int], *, run_key: int, archive: str
) -> None:
    """Delete listings with their links and history, and note for each which archive holds it.

    Raises `StorageFailed` when one of them is for sale again.
    """
    deleted = 0
    own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
    for chunk in in_chunks([str(i) for i in listing_ids]):
        ids = session.one_of(chunk)
        for table in _OF_A_LISTING:
            session.execute(f"DELETE FROM {table} WHERE {own}", seller=seller, ids=ids)  # noqa: S608
        inactive = f"DELETE FROM listings WHERE {own} AND NOT is_active"  # noqa: S608
        deleted += session.execute(inactive, seller=seller, ids=ids).rowcount
        notes = [{"seller": seller, "id": i, "run_key": run_key, "archive": archive} for i in chunk]
        session.execute_all(
            "INSERT INTO purged_listings (seller, listing_id, sync_run_id, archive) "
            "VALUES (:seller, :id, :run_key, :archive)",
            notes,
        )
    if deleted != len(listing_ids):
        raise StorageFailed(
            f"another program changed {len(listing_ids) - deleted:,} of the listings meanwhile",
            hint="nothing was purged; run again",
            code="conflict",
        )


def load_purged(session: Session, seller: str, listing_id: int) -> Purged | None:
    """Say in which run a listing was purged, and into which archive, as that run named it."""
    found = session.execute(
        "SELECT r.run_id, p.archive, r.report FROM purged_listings p "
        "JOIN sync_runs r ON r.id = p.sync_run_id "
        "WHERE p.seller = :seller AND p.listing_id = :listing_id",
        seller=seller,
        listing_id=str(listing_id),
    ).fetchone()
    if found is None:
        return None
    run_id, name, report = found
    file = (read_json(report).get("archive") or {}).get("file")
    return Purged(run_id=run_id, archive=name, file=str(file or name))


def forget_purged(session: Session, seller: str, listing_id: str) -> None:
    """Delete the note that a listing was purged: it is back."""
    session.execute(
        "DELETE FROM purged_listings WHERE seller = :seller AND listing_id = :listing_id",
        seller=seller,
        listing_id=listing_id,
    )


def load_present(session: Session, seller: str, listing_ids: Sequence[int]) -> set[int]:
    """Say which of these listings the database holds."""
    own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
    present: set[int] = set()
    for chunk in in_chunks([str(i) for i in listing_ids]):
        found = session.execute(
            f"SELECT listing_id FROM listings WHERE {own}",  # noqa: S608 - our own names
            seller=seller,
            ids=session.one_of(chunk),
        )
        present.update(int(listing_id) for (listing_id,) in found)
    return present
