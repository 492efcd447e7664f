"""What the last applied snapshot left for the next run, and whether it still holds.

A mark is believed as long as the seller's rows are as it left them: `load_fingerprint` digests
exactly what a plan would read of all rows, their ids, content hashes, whether they are active and
complete. So a mark knows no less than that reading would, whoever wrote meanwhile.
"""

import sys
from array import array
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text

from discosync.core.known import KnownListings
from discosync.core.remembered import SnapshotMark
from discosync.database.tables import listings, record_digests, snapshot_marks

LISTINGS_PER_CHUNK = 2_000
_ROWS_PER_DIGEST = 50_000

_STATE = (
    "listing_id || coalesce(content_hash, '') || {is_active} "
    "|| {flag}(release_year IS NULL OR image_uri IS NULL)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMark:
    """A mark to be left; `known` None means: all that was known before, as it was.

    `before` is the fingerprint of the rows that the plan saw (`""` for none).
    """

    mark: SnapshotMark
    before: str
    known: KnownListings | None


def load_fingerprint(connection: Connection, seller: str) -> str:
    """Digest the state of a seller's rows, and of what was purged; `""` for none of either."""
    any_row = select(listings.c.id).where(listings.c.seller == seller).limit(1)
    is_empty = connection.execute(any_row).first() is None
    purged = connection.execute(
        text("SELECT count(*), max(id) FROM purged_listings WHERE seller = :seller"),
        {"seller": seller},
    ).one()
    if is_empty and not purged[0]:
        return ""
    digest_rows = _digest_sqlite if connection.dialect.name == "sqlite" else _digest_postgres
    return f"{digest_rows(connection, seller)}-{purged[0]}-{purged[1] or 0}"


def _digest_postgres(connection: Connection, seller: str) -> str:
    """Add up a hash of each row, which needs no order."""
    state = _STATE.format(is_active="is_active::text", flag="")
    statement = text(
        f"SELECT count(*), coalesce(sum(hashtextextended({state}, 0)), 0) "  # noqa: S608 - our own names
        "FROM listings WHERE seller = :seller"
    )
    count, total = connection.execute(statement, {"seller": seller}).one()
    return f"{count}-{total}"


def _digest_sqlite(connection: Connection, seller: str) -> str:
    """Digest the rows in the order of their ids, some ten thousand at a time."""
    cursor: Any = connection.connection.cursor()
    state = _STATE.format(is_active="is_active", flag="")
    digest, after = blake2b(digest_size=16), ""
    while True:
        cursor.execute(
            "SELECT listing_id FROM listings WHERE seller = ? AND listing_id > ? "
            "ORDER BY listing_id LIMIT 1 OFFSET ?",
            (seller, after, _ROWS_PER_DIGEST - 1),
        )
        last = cursor.fetchone()
        until = "" if last is None else "AND listing_id <= ?"
        cursor.execute(
            f"SELECT group_concat({state}, ' ') FROM listings "  # noqa: S608 - our own names
            f"WHERE seller = ? AND listing_id > ? {until}",
            (seller, after, *(last or ())),
        )
        (states,) = cursor.fetchone()
        digest.update(str(states).encode(errors="surrogateescape"))
        if last is None:
            return digest.hexdigest()
        after = last[0]


def load_mark(connection: Connection, seller: str) -> SnapshotMark | None:
    """Load what was left, whether it still holds or not."""
    columns = [snapshot_marks.c[name] for name in SnapshotMark.__slots__]
    own = select(*columns).where(snapshot_marks.c.seller == seller)
    found = connection.execute(own).mappings().first()
    return None if found is None else SnapshotMark(**found)


def load_remembered(connection: Connection, seller: str) -> KnownListings:
    """Load ids, flags and digests of records as the mark left them."""
    ids, flags, digests = array("q"), bytearray(), bytearray()
    for chunk in _load_chunks(connection, seller):
        ids.frombytes(chunk.ids)
        flags += chunk.flags
        digests += chunk.digests
    if sys.byteorder == "big":
        ids.byteswap()
    return KnownListings(ids=ids, flags=bytes(flags), raw_digests=bytes(digests))


def _load_chunks(connection: Connection, seller: str) -> Any:  # noqa: ANN401 - rows
    c = record_digests.c
    own = select(c.chunk, c.ids, c.flags, c.digests).where(c.seller == seller)
    return connection.execute(own.order_by(c.chunk))


def forget_mark(connection: Connection, seller: str) -> None:
    """Let the next run look at everything again."""
    connection.execute(delete(snapshot_marks).where(snapshot_marks.c.seller == seller))


def leave_mark(connection: Connection, seller: str, left: NextMark, *, fingerprint: str) -> None:
    """Leave a mark for the next run; chunks that are as before are not written again."""
    mark = replace(left.mark, fingerprint=fingerprint)
    forget_mark(connection, seller)
    values = {name: getattr(mark, name) for name in SnapshotMark.__slots__}
    connection.execute(insert(snapshot_marks).values(seller=seller, **values))
    if left.known is not None:
        _write_chunks(connection, seller, left.known)


def _write_chunks(connection: Connection, seller: str, known: KnownListings) -> None:
    before = {
        chunk.chunk: (bytes(chunk.ids), bytes(chunk.flags), bytes(chunk.digests))
        for chunk in _load_chunks(connection, seller)
    }
    rows = []
    for number, piece in enumerate(known.chunks(LISTINGS_PER_CHUNK)):
        ids = piece.ids
        if sys.byteorder == "big":
            ids.byteswap()
        state = (ids.tobytes(), piece.flags, piece.raw_digests)
        if before.pop(number, None) != state:
            names = ("ids", "flags", "digests")
            row = dict(zip(names, state, strict=True))
            rows.append({"seller": seller, "chunk": number, **row})
    c = record_digests.c
    stale = [row["chunk"] for row in rows] + list(before)
    if stale:
        connection.execute(delete(record_digests).where(c.seller == seller, c.chunk.in_(stale)))
    if rows:
        connection.execute(insert(record_digests), rows)
