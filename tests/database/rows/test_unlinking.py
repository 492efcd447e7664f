"""A listing of another release loses its links."""

from collections.abc import Callable

from discosync.core.planning.changes import ACTIVE, FieldChange, Updated
from discosync.database.connection.engine import Database
from discosync.database.rows.unlinking import unlink_moved


def _update(listing_id: int, field: str) -> Updated:
    return Updated(
        listing_id=listing_id,
        heading="",
        fields=(FieldChange(field, before=None, after=1),),
        lifecycle=ACTIVE,
        content_hash="a",
        expected_hash="a",
    )


def test_only_listings_that_moved_to_another_release_are_unlinked(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """A new price keeps the links, and so does another seller's listing of the same number."""
    with filled.session(writes=True) as session:
        session.execute(
            "INSERT INTO artists (uuid, name, created_at, updated_at) "
            "VALUES ('a', 'The Hollow', :now, :now)",
            now="2026-03-01 12:00:00.000000",
        )
    for seller, listing_id in (("velvet", "1"), ("velvet", "2"), ("other", "1")):
        insert_listing(listing_id, seller=seller, artist_id="a")
        with filled.session(writes=True) as session:
            owner = {"seller": seller, "listing_id": listing_id}
            session.insert("listing_artists", position=0, artist_id="a", **owner)

    with filled.session(writes=True) as session:
        unlink_moved(session, "velvet", [_update(1, "release_id"), _update(2, "price_value")])

    with filled.session() as session:
        for statement in (
            "SELECT seller, listing_id FROM listing_artists ORDER BY seller",
            "SELECT seller, listing_id FROM listings WHERE artist_id = 'a' ORDER BY seller",
        ):
            rows = [tuple(row) for row in session.execute(statement)]
            assert rows == [("other", "1"), ("velvet", "2")]
