"""Write what a restore decided: rows as they were, and the history of taking them back."""

from collections.abc import Mapping
from datetime import datetime

from discosync.core.inventory.listing import CONTENT_FIELDS, FieldValue
from discosync.core.past.restore import RestorePlan
from discosync.core.planning.changes import Lifecycle, Rewrite
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.session import Session
from discosync.database.connection.values import naive
from discosync.database.rows.apply import HISTORY_COLUMNS, conflict, history_rows
from discosync.database.rows.listing_rows import PRIMARY_COLUMNS, changed_only, primary_values
from discosync.database.rows.unlinking import unlink_moved


def apply_restore(
    session: Session, plan: RestorePlan, *, seller: str, now: datetime, run_key: int
) -> None:
    """Write the rows and their history; raise `StorageFailed` when one is not as planned."""
    writer = bulk_writer(session)
    rewrites = list(plan.changes.rewrites)
    assignments = Assignments(
        set_columns=(
            *CONTENT_FIELDS,
            *Lifecycle._fields,
            "content_hash",
            "updated_at",
        ),
        derived_columns=tuple(PRIMARY_COLUMNS),
        keys=("seller", "listing_id"),
        nullable_keys=("content_hash",),
    )
    rows = [_row(r, plan.content_by_id[r.listing_id], seller, now) for r in rewrites]
    written = writer.update("listings", assignments, rows) if rows else 0
    if written != len(rows):
        raise conflict(len(rows) - written)
    unlink_moved(session, seller, rewrites)
    writer.insert("listing_changes", HISTORY_COLUMNS, history_rows(plan.changes, seller, run_key))


def _row(rewrite: Rewrite, content: Mapping[str, FieldValue], seller: str, now: datetime) -> Row:
    life = rewrite.lifecycle
    shown = [content[name] for name in CONTENT_FIELDS]
    release = CONTENT_FIELDS.index("release_id")
    shown[release] = None if shown[release] is None else str(shown[release])
    primary = primary_values(content)
    return (
        *shown,
        *(life.is_active, naive(life.removed_at), life.removal_reason, naive(life.sold_at)),
        *(rewrite.content_hash, naive(now)),
        *(
            changed_only(name, [value], [rewrite])[0]
            for name, value in zip(PRIMARY_COLUMNS, primary, strict=True)
        ),
        *primary,
        *(seller, str(rewrite.listing_id), rewrite.expected_hash),
    )
