"""Let SQLite notice, by triggers, that a seller's rows are no longer as the last run left them.

Whoever writes a listing or a purge deletes that seller's mark in the same transaction. So a mark
that exists is valid. On Postgres, where several programs write at once, the deletion could come too
late; there the rows are added up instead. A migration that rebuilds `listings` must make the
triggers anew.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
loses = ()

_READ_BY_A_PLAN = "seller, listing_id, content_hash, is_active, release_year, image_uri"
_EVENTS = {
    "insert": ("INSERT", ("NEW",)),
    "delete": ("DELETE", ("OLD",)),
    "update": ("UPDATE", ("OLD", "NEW")),
}


def upgrade() -> None:
    """Make the triggers."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("listings", "purged_listings"):
        for name, (event, rows) in _EVENTS.items():
            columns = f" OF {_READ_BY_A_PLAN}" if (table, name) == ("listings", "update") else ""
            own = f"seller IN ({', '.join(f'{row}.seller' for row in rows)})"
            is_marked = f"EXISTS (SELECT 1 FROM snapshot_marks WHERE {own})"  # noqa: S608
            forgets = f"DELETE FROM snapshot_marks WHERE {own}"  # noqa: S608
            op.execute(
                f"CREATE TRIGGER watch_{table}_{name} AFTER {event}{columns} ON {table} "
                f"WHEN {is_marked} BEGIN {forgets}; END"
            )


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("listings", "purged_listings"):
        for name in _EVENTS:
            op.execute(f"DROP TRIGGER IF EXISTS watch_{table}_{name}")
