"""What the last applied snapshot left for the next run.

A mark is believed as long as the seller's rows are as it left them, see `fingerprints`.
"""

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from discosync.core.known import KnownListings
from discosync.core.remembered import SnapshotMark
from discosync.database.fingerprints import SeenRows, fingerprint_after, is_as_seen
from discosync.database.tables import record_digests, snapshot_marks

LISTINGS_PER_CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMark:
    """A mark to be left; `known` None means: all that was known before, as it was.

    `seen` are the rows that the plan saw, and which of them it writes.
    """

    mark: SnapshotMark
    seen: SeenRows
    known: KnownListings | None


def load_mark(connection: Connection, seller: str) -> SnapshotMark | None:
    """Load what was left, whether it still holds or not."""
    columns = [snapshot_marks.c[name] for name in SnapshotMark.__slots__]
    own = select(*columns).where(snapshot_marks.c.seller == seller)
    found = connection.execute(own).mappings().first()
    return None if found is None else SnapshotMark(**found)


def load_remembered(connection: Connection, seller: str) -> KnownListings:
    """Load ids, flags and digests of records as the mark left them, or what is there of them.

    The mark's `checksum` says whether it is all.
    """
    packed, flags, digests = bytearray(), bytearray(), bytearray()
    for chunk in _load_chunks(connection, seller):
        packed += chunk.ids
        flags += chunk.flags
        digests += chunk.digests
    ids = array("q", packed[: len(packed) // 8 * 8])
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


@contextmanager
def leaving_mark(connection: Connection, seller: str, left: NextMark) -> Iterator[None]:
    """Leave a mark for the next run of what the plan saw and what is written inside.

    None is left when it is not known any more what the plan saw.
    """
    may_leave = is_as_seen(connection, seller, left.seen)
    yield
    if may_leave:
        mark = replace(left.mark, fingerprint=fingerprint_after(connection, seller, left.seen))
        _write_mark(connection, seller, mark)
        if left.known is not None:
            _write_chunks(connection, seller, left.known)


def _write_mark(connection: Connection, seller: str, mark: SnapshotMark) -> None:
    forget_mark(connection, seller)
    values = {name: getattr(mark, name) for name in SnapshotMark.__slots__}
    connection.execute(insert(snapshot_marks).values(seller=seller, **values))


def _write_chunks(connection: Connection, seller: str, known: KnownListings) -> None:
    """Write the chunks that are not as before."""
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
