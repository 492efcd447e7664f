"""Write what a restore decided: rows as they were, and the history of taking them back."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from discosync.core.inventory.listing import CONTENT_FIELDS, FieldValue
from discosync.core.past.restore import KnownCounts, RestorePlan
from discosync.core.planning.changes import Lifecycle, Rewrite
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.session import session_over
from discosync.database.rows.apply import HISTORY_COLUMNS, conflict, history_rows
from discosync.database.rows.listing_rows import primary_values
from discosync.database.rows.store import load_has_sandbox
from discosync.database.rows.unlinking import unlink_moved
from discosync.database.schema.column_types import naive
from discosync.database.schema.tables import listings

_PRIMARY = ("primary_artist", "primary_label", "primary_format")


def load_known_counts(connection: Connection, seller: str) -> KnownCounts:
    """Count a seller's listings."""
    c = listings.c
    groups = select(c.is_active, func.count()).where(c.seller == seller).group_by(c.is_active)
    counts: dict[bool, int] = {row[0]: row[1] for row in connection.execute(groups)}
    return KnownCounts(total=sum(counts.values()), active=counts.get(True, 0))


def load_is_sandbox(connection: Connection) -> bool:
    """Whether everything in the database is made up: the two never mix."""
    return load_has_sandbox(session_over(connection))


def apply_restore(
    connection: Connection, plan: RestorePlan, *, seller: str, now: datetime, run_key: int
) -> None:
    """Write the rows and their history; raise `StorageFailed` when one is not as planned."""
    writer = bulk_writer(connection)
    rewrites = list(plan.changes.rewrites)
    assignments = Assignments(
        set_columns=(
            *CONTENT_FIELDS,
            *_PRIMARY,
            *Lifecycle._fields,
            "content_hash",
            "updated_at",
        ),
        keys=("seller", "listing_id"),
        nullable_keys=("content_hash",),
    )
    rows = [_row(r, plan.content_by_id[r.listing_id], seller, now) for r in rewrites]
    written = writer.update("listings", assignments, rows) if rows else 0
    if written != len(rows):
        raise conflict(len(rows) - written)
    unlink_moved(session_over(connection), seller, rewrites)
    writer.insert("listing_changes", HISTORY_COLUMNS, history_rows(plan.changes, seller, run_key))


def _row(rewrite: Rewrite, content: Mapping[str, FieldValue], seller: str, now: datetime) -> Row:
    life = rewrite.lifecycle
    shown = [content[name] for name in CONTENT_FIELDS]
    release = CONTENT_FIELDS.index("release_id")
    shown[release] = None if shown[release] is None else str(shown[release])
    return (
        *shown,
        *primary_values(content),
        *(life.is_active, naive(life.removed_at), life.removal_reason, naive(life.sold_at)),
        *(rewrite.content_hash, naive(now)),
        *(seller, str(rewrite.listing_id), rewrite.expected_hash),
    )
