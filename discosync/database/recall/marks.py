"""What the last applied snapshot left for the next run.

A mark is believed as long as the seller's rows are as it left them, see `fingerprints`.
"""

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.mark import SnapshotMark
from discosync.core.recall.passages import Passages
from discosync.database.connection.session import Session
from discosync.database.recall.fingerprints import (
    SeenRows,
    fingerprint_after,
    is_as_seen,
    unwatched,
)

LISTINGS_PER_CHUNK = 2_000
_MARK_COLUMNS = tuple(SnapshotMark.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMark:
    """The mark that a run leaves. With `known` and `passages` None the stored ones are kept.

    `seen` describes the rows that the plan saw, and which of them it writes.
    """

    mark: SnapshotMark
    seen: SeenRows
    known: KnownRecords | None
    passages: Passages | None


def load_mark(session: Session, seller: str) -> SnapshotMark | None:
    """Load the mark of a seller, whether it still holds or not; None when there is none."""
    found = session.execute(
        f"SELECT {', '.join(_MARK_COLUMNS)} FROM snapshot_marks WHERE seller = :seller",  # noqa: S608
        seller=seller,
    ).fetchone()
    return None if found is None else SnapshotMark(**dict(zip(_MARK_COLUMNS, found, strict=True)))


def load_remembered(session: Session, seller: str) -> KnownRecords:
    """Load the ids, flags and record digests that the mark left, or what is still there of them.

    Compare with the mark's `checksum` to see whether all are there.
    """
    packed, flags, digests = bytearray(), bytearray(), bytearray()
    for _, *parts in _load_chunks(session, seller):
        packed += parts[0]
        flags += parts[1]
        digests += parts[2]
    ids = array("q", packed[: len(packed) // 8 * 8])
    if sys.byteorder == "big":
        ids.byteswap()
    return KnownRecords(ids=ids, flags=bytes(flags), raw_digests=bytes(digests))


def _load_chunks(session: Session, seller: str) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    rows = session.execute(
        "SELECT chunk, ids, flags, digests FROM record_digests WHERE seller = :seller "
        "ORDER BY chunk",
        seller=seller,
    )
    for number, *parts in rows:
        ids, flags, digests = map(bytes, parts)
        yield number, ids, flags, digests


def forget_mark(session: Session, seller: str) -> None:
    """Delete the mark: the next sync then reads every row and every record."""
    session.execute("DELETE FROM snapshot_marks WHERE seller = :seller", seller=seller)


@contextmanager
def leaving_mark(session: Session, seller: str, left: NextMark) -> Iterator[None]:
    """Enclose the write of a plan, and leave the mark for the next run.

    No mark is left when the rows are no longer those that the plan saw.
    """
    may_leave = is_as_seen(session, seller, left.seen)
    forget_mark(session, seller)
    with unwatched(session, left.seen):
        yield
    if may_leave:
        mark = replace(left.mark, fingerprint=fingerprint_after(session, seller, left.seen))
        _write_mark(session, seller, mark)
        if left.known is not None:
            _write_chunks(session, seller, left.known)
        if left.passages is not None:
            _write_passages(session, seller, mark.checksum, left.passages)


def _write_mark(session: Session, seller: str, mark: SnapshotMark) -> None:
    marks = ", ".join(f":{name}" for name in _MARK_COLUMNS)
    session.execute(
        f"INSERT INTO snapshot_marks (seller, {', '.join(_MARK_COLUMNS)}) "  # noqa: S608
        f"VALUES (:seller, {marks})",
        seller=seller,
        **{name: getattr(mark, name) for name in _MARK_COLUMNS},
    )


def _write_chunks(session: Session, seller: str, known: KnownRecords) -> None:
    """Write the chunks that differ from the stored ones."""
    before = {number: parts for number, *parts in _load_chunks(session, seller)}
    rows: list[dict[str, Any]] = []
    for number, piece in enumerate(known.chunks(LISTINGS_PER_CHUNK)):
        ids = piece.ids
        if sys.byteorder == "big":
            ids.byteswap()
        state = [ids.tobytes(), piece.flags, piece.raw_digests]
        if before.pop(number, None) != state:
            named = dict(zip(("ids", "flags", "digests"), state, strict=True))
            rows.append({"seller": seller, "chunk": number, **named})
    stale = [{"seller": seller, "chunk": n} for n in (*(row["chunk"] for row in rows), *before)]
    session.execute_all(
        "DELETE FROM record_digests WHERE seller = :seller AND chunk = :chunk", stale
    )
    session.execute_all(
        "INSERT INTO record_digests (seller, chunk, ids, flags, digests) "
        "VALUES (:seller, :chunk, :ids, :flags, :digests)",
        rows,
    )


def load_passages(session: Session, seller: str, checksum: str) -> Passages:
    """Load the passages of the file that the record digests with this checksum come from.

    There are none when they are missing or damaged.
    """
    found = session.execute(
        "SELECT checksum, packed FROM snapshot_passages WHERE seller = :seller", seller=seller
    ).fetchone()
    if found is None:
        return Passages()
    packed = bytes(found[1])
    if found[0] != _checksum_of(packed, checksum):
        return Passages()
    try:
        return Passages.unpack(packed)
    except ValueError:
        return Passages()


def _write_passages(session: Session, seller: str, checksum: str, passages: Passages) -> None:
    packed = passages.pack()
    session.execute("DELETE FROM snapshot_passages WHERE seller = :seller", seller=seller)
    session.execute(
        "INSERT INTO snapshot_passages (seller, checksum, packed) "
        "VALUES (:seller, :checksum, :packed)",
        seller=seller,
        checksum=_checksum_of(packed, checksum),
        packed=packed,
    )


def _checksum_of(packed: bytes, checksum: str) -> str:
    """Tie passages to the record digests: their positions are meaningless beside others."""
    return blake2b(packed + checksum.encode(), digest_size=16).hexdigest()
