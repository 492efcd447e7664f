"""What one run did, listing by listing, as the history holds it."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from discosync.core.inventory.listing import heading_of
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.database.past.history import parse_stored
from discosync.database.schema.tables import listing_changes, listings


def load_entries_of_run(connection: Connection, run_key: int) -> Iterator[ChangeEntry]:
    """Tell every change of a run, in the order of writing; records are named as they are now."""
    c, now = listing_changes.c, listings.c
    same = and_(now.seller == c.seller, now.listing_id == c.listing_id)
    shown = select(c.listing_id, c.kind, c.fields, now.artist_names, now.release_title)
    own = shown.outerjoin_from(listing_changes, listings, same).where(c.sync_run_id == run_key)
    for listing_id, kind, fields, artists, title in connection.execute(own.order_by(c.id)):
        yield ChangeEntry(
            kind=kind,
            listing_id=int(listing_id),
            heading=heading_of(artists, title),
            fields=parse_stored(listing_id, fields),
        )
