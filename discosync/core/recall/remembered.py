"""What a run remembers of a snapshot, so that the next one need not look twice.

The digest of a record's bytes is remembered when its listing, once the run is applied, is settled
by that record: the same bytes, read by the same rules, then change nothing. Nothing else has one:
neither a record that was rejected, nor a listing that the snapshot lacks.
"""

from array import array
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, compress
from operator import not_

from discosync.core.inventory.header import Header
from discosync.core.inventory.listing import HASH_VERSION
from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.known import IS_ACTIVE, IS_PURGED, KnownListings


class Remembered:
    """Collects what the next run may recognise."""

    def __init__(self, known: KnownListings) -> None:
        self._known = known
        self._flags = bytearray(flags & (IS_ACTIVE | IS_PURGED) for flags in known.flags)
        self._digests = bytearray(known.raw_digests or NO_DIGEST * len(known))
        self._is_settled = bytearray(len(known))
        self._new_ids: array[int] = array("q")
        self._new_flags = bytearray()
        self._new_digests = bytearray()

    def keep(self, places: Iterable[int]) -> None:
        """Remember of known listings the records that were remembered before."""
        is_settled = self._is_settled
        for at in places:
            is_settled[at] = 1

    def settle(self, at: int, raw_digest: bytes, *, flags: int | None = None) -> None:
        """Remember the record of a known listing, and whether that is for sale by now."""
        self._is_settled[at] = 1
        self._digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES] = raw_digest
        if flags is not None:
            self._flags[at] = flags

    def add(
        self, listing_ids: Sequence[int], raw_digests: Iterable[bytes], *, are_active: bytes
    ) -> None:
        """Remember the records of new listings."""
        self._new_ids.extend(listing_ids)
        self._new_flags += are_active.replace(b"\1", bytes([IS_ACTIVE]))
        self._new_digests += b"".join(raw_digests)

    @property
    def _unsettled(self) -> Sequence[int]:
        return list(compress(range(len(self._known)), map(not_, self._is_settled)))

    @property
    def unsettled_ids(self) -> AbstractSet[int]:
        """Known listings whose records, if there are any, do not settle them."""
        return {self._known.ids[at] for at in self._unsettled}

    def settles_all_of(self, changes: ChangeSet) -> bool:
        """Whether each record of the snapshot, being what the plan says, settles its listing."""
        return (
            not changes.rejected
            and self._is_settled.count(1) + len(self._new_ids) == changes.records
        )

    def known_after(self, changes: ChangeSet) -> KnownListings:
        """Say what is known once the plan is applied."""
        for rewrite in changes.rewrites:
            at = self._known.find(rewrite.listing_id)
            if at is not None:
                self._flags[at] = IS_ACTIVE if rewrite.lifecycle.is_active else 0
        for at in self._unsettled:
            self._digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES] = NO_DIGEST
        ids = self._known.ids + self._new_ids
        flags = bytes(self._flags + self._new_flags)
        digests = bytes(self._digests + self._new_digests)
        return KnownListings(ids=ids, flags=flags, raw_digests=digests).in_order()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMark:
    """What the last applied snapshot of a seller left: how to tell that nothing changed since.

    `context` is how its records were read, `fingerprint` is of the seller's rows as they were
    left, `checksum` of the digests of its records. `sha256` is that of a complete snapshot whose
    every record settles its listing, see `Remembered`, and stands in it once (None: no such); of
    that one `records`, `for_sale` and `left_purged` are the counts of a plan that changes nothing.
    """

    context: str
    fingerprint: str
    checksum: str
    sha256: str | None
    records: int
    for_sale: int
    left_purged: int

    def plan_again(self) -> ChangeSet:
        """Give the plan for the very same snapshot: it changes nothing."""
        return ChangeSet(
            added=array("q"),
            unchanged=self.records,
            records=self.records,
            for_sale=self.for_sale,
            known_active=self.for_sale,
            compared=self.records - self.left_purged,
            compared_active=self.for_sale,
            left_purged=self.left_purged,
        )


def context_of(snapshot: Snapshot, header: Header, *, rules: str) -> str:
    """Digest everything besides a record's bytes that decides what is read in it.

    `rules` tells one program that reads and decides from another, see `commands.rules`.
    """
    hidden, columns = sorted(snapshot.hidden), header.columns
    parts = chain((rules, HASH_VERSION, snapshot.currency or ""), hidden, ("",), columns)
    return blake2b("\0".join(parts).encode(), digest_size=DIGEST_BYTES).hexdigest()
