"""Count a seller's listings."""

from datetime import datetime

from discosync.core.past.restore import KnownCounts
from discosync.core.reporting.status import InventoryCounts, PurgeOutlook
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_moment


def load_counts(session: Session, seller: str) -> InventoryCounts:
    """Count what is for sale, and the rest by the reason why it is not."""
    groups = session.execute(
        "SELECT is_active, removal_reason, count(*) FROM listings WHERE seller = :seller "
        "GROUP BY is_active, removal_reason",
        seller=seller,
    )
    active, by_reason = 0, {}
    for is_active, reason, count in groups:
        if is_active:
            active += count
        else:
            by_reason[str(reason or "unknown")] = count
    return InventoryCounts(active=active, inactive_by_reason=dict(sorted(by_reason.items())))


def load_known_counts(session: Session, seller: str) -> KnownCounts:
    """Count a seller's listings: all of them, and those for sale."""
    groups = session.execute(
        "SELECT is_active, count(*) FROM listings WHERE seller = :seller GROUP BY is_active",
        seller=seller,
    )
    counts = {bool(is_active): int(count) for is_active, count in groups}
    return KnownCounts(total=sum(counts.values()), active=counts.get(True, 0))


def load_purge_outlook(session: Session, seller: str, cutoff: datetime) -> PurgeOutlook:
    """Count what has been gone since before `cutoff`, and find what went first after it."""
    due, first = session.execute(
        "SELECT count(*) FILTER (WHERE removed_at <= :cutoff), "
        "min(removed_at) FILTER (WHERE removed_at > :cutoff) "
        "FROM listings WHERE seller = :seller AND NOT is_active",
        seller=seller,
        cutoff=session.moment(cutoff),
    ).fetchone()
    return PurgeOutlook(due=due, next_removed_at=read_moment(first))
