"""The view and the triggers of the schema: what SQLAlchemy's `Table` cannot describe."""

from sqlalchemy import DDL, MetaData, event

VIEW = "CREATE VIEW active_listings AS SELECT * FROM listings WHERE is_active"
"""What a shop should query: the listings that a customer can buy."""

_READ_BY_A_PLAN = "seller, listing_id, content_hash, is_active, release_year, image_uri"
_EVENTS = (
    ("insert", "INSERT", "NEW.seller"),
    ("delete", "DELETE", "OLD.seller"),
    ("update", "UPDATE", "OLD.seller, NEW.seller"),
)


def _triggers() -> list[str]:
    """Write the triggers by which SQLite notices that somebody wrote a listing or a purge.

    Each deletes the seller's mark, in the same transaction as the write: while a mark is there, the
    seller's rows are as the last run left them. Postgres needs none: it adds the rows up instead.
    """
    triggers = []
    for table in ("listings", "purged_listings"):
        for name, statement, sellers in _EVENTS:
            # An update of other columns changes nothing that a plan reads.
            columns = f" OF {_READ_BY_A_PLAN}" if (table, name) == ("listings", "update") else ""
            own = f"FROM snapshot_marks WHERE seller IN ({sellers})"
            triggers.append(
                f"CREATE TRIGGER watch_{table}_{name} AFTER {statement}{columns} ON {table} "
                f"WHEN EXISTS (SELECT 1 {own}) BEGIN DELETE {own}; END"
            )
    return triggers


def add_view_and_triggers(metadata: MetaData) -> None:
    """Have `metadata.create_all` make the view, and on SQLite the triggers, after the tables."""
    event.listen(metadata, "after_create", _ddl(VIEW))
    for trigger in _triggers():
        event.listen(metadata, "after_create", _ddl(trigger).execute_if(dialect="sqlite"))


def _ddl(statement: str) -> DDL:
    return DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types there
