"""Load a seller's listings, as far as a plan needs them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from discosync.core.inventory.listing import FILLED_ONCE_FIELDS
from discosync.core.planning.changes import Lifecycle
from discosync.core.planning.known import (
    IS_ACTIVE,
    IS_INCOMPLETE,
    IS_PURGED,
    STORED_FIELDS,
    KnownListing,
    KnownListings,
)
from discosync.database.connection.session import Session
from discosync.database.connection.values import ROW_FAULTS, read_field, read_moment
from discosync.errors import StorageFailed

_BOTH = (0, 1)
"""What `is_active` may hold. SQLite stores any text there, and counts most of it as false."""

ROW_COLUMNS = ("listing_id", "content_hash", *Lifecycle._fields, *STORED_FIELDS)
"""The columns of a row, as far as a decision needs it."""

_MAX_DIGITS = 18
_ROWS_AT_ONCE = 5_000
_TYPED = ("weight", "release_id", "price_value", "accept_offer")
"""The columns whose values the drivers give in other types than the fields have."""


def load_known(session: Session, seller: str) -> KnownListings:
    """Load what decides about most listings: id, content hash, whether active and complete."""
    gone = session.execute(
        "SELECT listing_id FROM purged_listings WHERE seller = :seller", seller=seller
    )
    purged = {int(row[0]) for row in gone}
    lacks = " OR ".join(f"{name} IS NULL" for name in FILLED_ONCE_FIELDS)
    rows = session.execute(
        f"SELECT listing_id, content_hash, is_active, {lacks} "  # noqa: S608 - our own names
        "FROM listings WHERE seller = :seller",
        seller=seller,
    )
    return KnownListings.of(_known_rows(rows, purged))


def _known_rows(cursor: Any, purged: set[int]) -> Iterator[tuple[int, int, str | None]]:  # noqa: ANN401 - DBAPI
    while rows := cursor.fetchmany(10_000):
        for text_id, content_hash, is_active, is_lacking in rows:
            listing_id = _parse_id(text_id)
            if content_hash is not None and not isinstance(content_hash, str):
                raise bad_row(text_id, "its content_hash is no text")
            if is_active not in _BOTH:
                raise bad_row(text_id, f"its is_active is {is_active!r}")
            flags = (IS_ACTIVE if is_active else 0) | (IS_INCOMPLETE if is_lacking else 0)
            yield listing_id, flags, content_hash
            purged.discard(listing_id)  # it came back
    for listing_id in purged:
        yield listing_id, IS_PURGED, None


def _parse_id(text: str) -> int:
    # Written as Discogs writes it, without leading zeros: rows are found by their text.
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        listing_id = int(text)
        if str(listing_id) == text:
            return listing_id
    raise bad_row(text, "its listing_id is no Discogs id")


def bad_row(listing_id: object, why: object) -> StorageFailed:
    """Name the row that another program wrote in a way that cannot be read, and say why."""
    if isinstance(why, Exception):
        why = f"{type(why).__name__}: {why}"[:200]
    return StorageFailed(
        f"the table listings holds a row that cannot be read, listing_id {listing_id!r}: {why}",
        hint="another program must have written it: correct that row; nothing was changed",
        code="bad_row",
    )


def load_rows(session: Session, seller: str, listing_ids: Sequence[int]) -> Iterator[KnownListing]:
    """Load the rows of some listings, as far as a decision needs them."""
    columns = ", ".join(ROW_COLUMNS)
    own = f"seller = :seller AND {session.is_in('listing_id', 'ids')}"
    for start in range(0, len(listing_ids), _ROWS_AT_ONCE):
        wanted = [str(i) for i in listing_ids[start : start + _ROWS_AT_ONCE]]
        found = session.execute(
            f"SELECT {columns} FROM listings WHERE {own}",  # noqa: S608 - our own names
            seller=seller,
            ids=session.one_of(wanted),
        )
        if rows := found.fetchall():
            yield from _known_listings(rows)


def _known_listings(rows: Sequence[Any]) -> Iterable[KnownListing]:
    try:
        return list(read_rows(rows))
    except ROW_FAULTS as exc:
        # Reading by columns is quicker, but a fault can be named only when its row is read alone.
        if len(rows) == 1:
            raise bad_row(rows[0][0], exc) from exc
    return chain.from_iterable(_known_listings([row]) for row in rows)


def read_rows(rows: Sequence[Any]) -> Iterable[KnownListing]:
    """Read rows column by column; raises one of `ROW_FAULTS`, which does not say at which row."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    ids, hashes, are_active, removed, reasons, sold, *values = columns
    for name in _TYPED:
        slot = STORED_FIELDS.index(name)
        # Many listings share a price or a weight, and reading a number costs more than finding it.
        read = {value: read_field(name, value) for value in set(values[slot])}
        values[slot] = [read[value] for value in values[slot]]
    lifecycles = map(
        Lifecycle, map(bool, are_active), map(read_moment, removed), reasons, map(read_moment, sold)
    )
    return map(KnownListing, map(int, ids), hashes, lifecycles, zip(*values, strict=True))
