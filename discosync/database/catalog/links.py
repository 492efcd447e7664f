"""Link listings to artists and labels: all of a release's credits, in order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from discosync.core.catalog.links import ArtistLink, LabelLink, Links
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.session import Session, in_chunks

Owner = tuple[str, str]
"""Seller and listing id, as the tables hold them."""

_ARTIST_COLUMNS = ("seller", "listing_id", "position", *ArtistLink._fields)
_LABEL_COLUMNS = ("seller", "listing_id", "position", *LabelLink._fields)


@dataclass(slots=True)
class _Present:
    """The links that listings have now."""

    artists: dict[Owner, list[ArtistLink]] = field(default_factory=dict)
    labels: dict[Owner, list[LabelLink]] = field(default_factory=dict)
    primary: dict[Owner, tuple[str | None, str | None]] = field(default_factory=dict)

    def links(self, owner: Owner) -> Links:
        """Give one listing's links."""
        return Links(
            artists=tuple(self.artists.get(owner, ())), labels=tuple(self.labels.get(owner, ()))
        )


def lock_listings_of(session: Session, release_ids: Sequence[int]) -> dict[Owner, int]:
    """Find the listings of releases, of every seller, and hold their rows until the commit.

    A purge in between would otherwise take a listing away while its links are written.
    """
    found: dict[Owner, int] = {}
    for chunk in in_chunks([str(i) for i in release_ids]):
        rows = session.execute(
            "SELECT seller, listing_id, release_id FROM listings "  # noqa: S608 - our own names
            f"WHERE {session.is_in('release_id', 'ids')} ORDER BY id {session.row_lock}",
            ids=session.one_of(chunk),
        )
        found.update({(seller, listing_id): int(release) for seller, listing_id, release in rows})
    return found


def lock_listings(session: Session, seller: str, listing_ids: Sequence[str]) -> set[str]:
    """Hold these listings' rows likewise; give the ids of those that the database holds."""
    found: set[str] = set()
    for chunk in in_chunks(listing_ids):
        rows = session.execute(
            "SELECT listing_id FROM listings "  # noqa: S608 - our own names
            f"WHERE seller = :seller AND {session.is_in('listing_id', 'ids')} "
            f"ORDER BY id {session.row_lock}",
            seller=seller,
            ids=session.one_of(chunk),
        )
        found.update(listing_id for (listing_id,) in rows)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many listings got other links, and which entries lost a link."""

    listings: int = 0
    left_artists: frozenset[str] = frozenset()
    left_labels: frozenset[str] = frozenset()


def write_links(session: Session, wanted: Mapping[Owner, Links]) -> Written:
    """Give listings these links and no others; those that have them already are not touched."""
    present = _load_present(session, wanted)
    changed = {owner: links for owner, links in wanted.items() if _differs(present, owner, links)}
    if not changed:
        return Written()
    linked = [owner for owner in changed if owner in present.artists or owner in present.labels]
    for table in ("listing_artists", "listing_labels"):
        _delete_links(session, table, linked)
    writer = bulk_writer(session)
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


def load_links(session: Session, owners: Iterable[Owner]) -> dict[Owner, Links]:
    """Load the links of listings."""
    wanted = list(owners)
    present = _load_present(session, dict.fromkeys(wanted))
    return {owner: present.links(owner) for owner in wanted}


def _differs(present: _Present, owner: Owner, links: Links) -> bool:
    primary = (links.artist_id, links.label_id)
    return present.links(owner) != links or present.primary.get(owner) != primary


def _load_present(session: Session, owners: Iterable[Owner]) -> _Present:
    present = _Present()
    ids_by_seller: dict[str, list[str]] = {}
    for seller, listing_id in owners:
        ids_by_seller.setdefault(seller, []).append(listing_id)
    for seller, listing_ids in ids_by_seller.items():
        for chunk in in_chunks(listing_ids):
            for listing_id, *link in _links_of(session, "listing_artists", seller, chunk):
                present.artists.setdefault((seller, listing_id), []).append(ArtistLink(*link))
            for listing_id, *link in _links_of(session, "listing_labels", seller, chunk):
                present.labels.setdefault((seller, listing_id), []).append(LabelLink(*link))
            own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
            rows = session.execute(
                f"SELECT listing_id, artist_id, label_id FROM listings WHERE {own}",  # noqa: S608
                seller=seller,
                ids=session.one_of(chunk),
            )
            for listing_id, artist_id, label_id in rows:
                present.primary[seller, listing_id] = (artist_id, label_id)
    return present


def _links_of(
    session: Session, table: str, seller: str, listing_ids: Sequence[str]
) -> Iterator[Sequence[str]]:
    kind = ArtistLink if table == "listing_artists" else LabelLink
    yield from session.execute(
        f"SELECT listing_id, {', '.join(kind._fields)} FROM {table} "  # noqa: S608 - our own names
        f"WHERE seller = :seller AND {session.is_in('listing_id', 'ids')} "
        "ORDER BY listing_id, position",
        seller=seller,
        ids=session.one_of(listing_ids),
    )


def _delete_links(session: Session, table: str, owners: Sequence[Owner]) -> None:
    ids_by_seller: dict[str, list[str]] = {}
    for seller, listing_id in owners:
        ids_by_seller.setdefault(seller, []).append(listing_id)
    own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
    for seller, listing_ids in ids_by_seller.items():
        for chunk in in_chunks(listing_ids):
            ids = session.one_of(chunk)
            session.execute(f"DELETE FROM {table} WHERE {own}", seller=seller, ids=ids)  # noqa: S608


def _artist_rows(links_by_owner: Mapping[Owner, Links]) -> Iterator[Row]:
    for owner, links in links_by_owner.items():
        for position, link in enumerate(links.artists, start=1):
            yield (*owner, position, *link)


def _label_rows(links_by_owner: Mapping[Owner, Links]) -> Iterator[Row]:
    for owner, links in links_by_owner.items():
        for position, link in enumerate(links.labels, start=1):
            yield (*owner, position, *link)
