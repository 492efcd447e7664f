"""The view shows what can be bought; SQLite's triggers delete a mark that no longer holds."""

from collections.abc import Callable

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema


def test_view_shows_active_listings_only(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """A shop need not know when a listing counts as gone."""
    insert_listing("1")
    insert_listing("2", is_active=False)
    with filled.session() as session:
        assert session.value("SELECT max(listing_id) FROM active_listings") == "1"


@pytest.mark.parametrize(
    ("statement", "marked"),
    [
        ("UPDATE listings SET comments = 'x'", ["other", "velvet"]),
        ("UPDATE listings SET content_hash = 'x'", ["other"]),
        ("UPDATE listings SET seller = 'other'", []),
        ("DELETE FROM listings", ["other"]),
        ("INSERT INTO listings (listing_id, seller) VALUES ('2', 'velvet')", ["other"]),
    ],
)
def test_write_to_what_a_plan_reads_deletes_the_mark_of_its_seller(
    sqlite_url: str, statement: str, marked: list[str]
) -> None:
    """A listing that changes hands deletes both marks; a comment deletes none."""
    database = open_database(sqlite_url, read_only=False, application="tests")
    upgrade_schema(database)
    with database.session(writes=True) as session:
        session.insert("listings", listing_id="1", seller="velvet")
        for seller in ("velvet", "other"):
            session.execute(
                "INSERT INTO snapshot_marks VALUES (:seller, 'c', 'f', 's', NULL, 1, 1, 0)",
                seller=seller,
            )
        session.execute(statement)
        found = session.execute("SELECT seller FROM snapshot_marks ORDER BY seller")
        assert [row[0] for row in found] == marked
