"""Link listings to artists and labels: all of a release's credits, in order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, delete, select

from discosync.core.catalog.links import ArtistLink, LabelLink, Links
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.rows.store import ROWS_PER_QUERY
from discosync.database.schema.tables import listing_artists, listing_labels, listings

Owner = tuple[str, str]
"""Seller and listing id, as the tables hold them."""

_ARTIST_COLUMNS = ("seller", "listing_id", "position", *ArtistLink._fields)
_LABEL_COLUMNS = ("seller", "listing_id", "position", *LabelLink._fields)


@dataclass(slots=True)
class _Present:
    """What listings are linked to now."""

    artists: dict[Owner, list[ArtistLink]] = field(default_factory=dict)
    labels: dict[Owner, list[LabelLink]] = field(default_factory=dict)
    primary: dict[Owner, tuple[str | None, str | None]] = field(default_factory=dict)

    def links(self, owner: Owner) -> Links:
        """Give one listing's links."""
        return Links(
            artists=tuple(self.artists.get(owner, ())), labels=tuple(self.labels.get(owner, ()))
        )


def lock_listings_of(connection: Connection, release_ids: Sequence[int]) -> dict[Owner, int]:
    """Find the listings of releases, of every seller, and hold their rows until the commit.

    A purge in between would otherwise take a listing away while its links are written.
    """
    c = listings.c
    found: dict[Owner, int] = {}
    for chunk in _chunks([str(i) for i in release_ids]):
        wanted = select(c.seller, c.listing_id, c.release_id).where(c.release_id.in_(chunk))
        rows = connection.execute(wanted.order_by(c.id).with_for_update(of=listings))
        found.update({(seller, listing_id): int(release) for seller, listing_id, release in rows})
    return found


def lock_listings(connection: Connection, seller: str, listing_ids: Sequence[str]) -> set[str]:
    """Hold these listings' rows likewise; give those that are there."""
    c = listings.c
    found: set[str] = set()
    for chunk in _chunks(listing_ids):
        wanted = select(c.listing_id).where(c.seller == seller, c.listing_id.in_(chunk))
        locked = wanted.order_by(c.id).with_for_update()
        found.update(connection.execute(locked).scalars())
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many listings got other links, and which entries lost a link by it."""

    listings: int = 0
    left_artists: frozenset[str] = frozenset()
    left_labels: frozenset[str] = frozenset()


def write_links(connection: Connection, wanted: Mapping[Owner, Links]) -> Written:
    """Give listings these links and no others; those that have them already are not touched."""
    present = _load_present(connection, wanted)
    changed = {owner: links for owner, links in wanted.items() if _differs(present, owner, links)}
    if not changed:
        return Written()
    linked = [owner for owner in changed if owner in present.artists or owner in present.labels]
    for table in (listing_artists, listing_labels):
        _delete_links(connection, table, linked)
    writer = bulk_writer(connection)
    writer.insert("listing_artists", _ARTIST_COLUMNS, _artist_rows(changed))
    writer.insert("listing_labels", _LABEL_COLUMNS, _label_rows(changed))
    assignments = Assignments(set_columns=("artist_id", "label_id"), keys=("seller", "listing_id"))
    rows = [(links.artist_id, links.label_id, *owner) for owner, links in changed.items()]
    writer.update("listings", assignments, rows)
    before = [present.links(owner) for owner in linked]
    return Written(
        listings=len(changed),
        left_artists=frozenset(link.artist_id for links in before for link in links.artists),
        left_labels=frozenset(link.label_id for links in before for link in links.labels),
    )


def load_links(connection: Connection, owners: Iterable[Owner]) -> dict[Owner, Links]:
    """Load the links of listings."""
    wanted = list(owners)
    present = _load_present(connection, dict.fromkeys(wanted))
    return {owner: present.links(owner) for owner in wanted}


def _differs(present: _Present, owner: Owner, links: Links) -> bool:
    primary = (links.artist_id, links.label_id)
    return present.links(owner) != links or present.primary.get(owner) != primary


def _load_present(connection: Connection, owners: Iterable[Owner]) -> _Present:
    present = _Present()
    ids_by_seller: dict[str, list[str]] = {}
    for seller, listing_id in owners:
        ids_by_seller.setdefault(seller, []).append(listing_id)
    for seller, listing_ids in ids_by_seller.items():
        for chunk in _chunks(listing_ids):
            for listing_id, *link in _links_of(connection, listing_artists, seller, chunk):
                present.artists.setdefault((seller, listing_id), []).append(ArtistLink(*link))
            for listing_id, *link in _links_of(connection, listing_labels, seller, chunk):
                present.labels.setdefault((seller, listing_id), []).append(LabelLink(*link))
            c = listings.c
            own = select(c.listing_id, c.artist_id, c.label_id).where(
                c.seller == seller, c.listing_id.in_(chunk)
            )
            for listing_id, artist_id, label_id in connection.execute(own):
                present.primary[seller, listing_id] = (artist_id, label_id)
    return present


def _links_of(
    connection: Connection, table: Table, seller: str, listing_ids: Sequence[str]
) -> Iterator[Sequence[str]]:
    c = table.c
    kind = ArtistLink if table is listing_artists else LabelLink
    shown = select(c.listing_id, *(c[name] for name in kind._fields))
    own = shown.where(c.seller == seller, c.listing_id.in_(listing_ids))
    yield from connection.execute(own.order_by(c.listing_id, c.position))


def _delete_links(connection: Connection, table: Table, owners: Sequence[Owner]) -> None:
    ids_by_seller: dict[str, list[str]] = {}
    for seller, listing_id in owners:
        ids_by_seller.setdefault(seller, []).append(listing_id)
    for seller, listing_ids in ids_by_seller.items():
        for chunk in _chunks(listing_ids):
            own = (table.c.seller == seller, table.c.listing_id.in_(chunk))
            connection.execute(delete(table).where(*own))


def _artist_rows(links_by_owner: Mapping[Owner, Links]) -> Iterator[Row]:
    for owner, links in links_by_owner.items():
        for position, link in enumerate(links.artists, start=1):
            yield (*owner, position, *link)


def _label_rows(links_by_owner: Mapping[Owner, Links]) -> Iterator[Row]:
    for owner, links in links_by_owner.items():
        for position, link in enumerate(links.labels, start=1):
            yield (*owner, position, *link)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), ROWS_PER_QUERY):
        yield values[start : start + ROWS_PER_QUERY]
