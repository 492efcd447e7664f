"""What a run remembers of a snapshot, so that the next run need not parse the same bytes again.

The digest of a record's bytes is remembered when the record settles its listing once the run is
applied: the same bytes, read by the same rules, then change nothing. No digest is remembered for a
record that was rejected, nor for a listing that the snapshot lacks.
"""

from array import array
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from operator import not_

from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.known import IS_ACTIVE, IS_PURGED
from discosync.core.recall.known_records import KnownRecords


class Memory:
    """Hears from the planner what the next run may recognise (a `PlanObserver`)."""

    def __init__(self, known: KnownRecords) -> None:
        self._known = known
        self._flags = bytearray(flags & (IS_ACTIVE | IS_PURGED) for flags in known.flags)
        self._digests = bytearray(known.raw_digests or NO_DIGEST * len(known))
        self._is_settled = bytearray(len(known))
        self._new_ids: array[int] = array("q")
        self._new_flags = bytearray()
        self._new_digests = bytearray()

    def keep(self, positions: Iterable[int]) -> None:
        """Keep what is remembered of these known listings: the same records have come again."""
        is_settled = self._is_settled
        for position in positions:
            is_settled[position] = 1

    def settle(self, position: int, raw_digest: bytes, *, flags: int | None = None) -> None:
        """Remember the record of a known listing, and whether that is for sale by now."""
        self._is_settled[position] = 1
        self._digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES] = raw_digest
        if flags is not None:
            self._flags[position] = flags

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
        return {self._known.ids[position] for position in self._unsettled}

    def settles_all_of(self, changes: ChangeSet) -> bool:
        """Whether each record of the snapshot settles its listing once the plan is applied."""
        return (
            not changes.rejected
            # A listing that is active, and that the snapshot lacks, is asked for again.
            and not changes.kept
            and self._is_settled.count(1) + len(self._new_ids) == changes.records
        )

    def known_after(self, changes: ChangeSet) -> KnownRecords:
        """Return what is known once the plan is applied."""
        for rewrite in changes.rewrites:
            position = self._known.find(rewrite.listing_id)
            if position is not None:
                self._flags[position] = IS_ACTIVE if rewrite.lifecycle.is_active else 0
        # A listing that the snapshot lacks, or shows in a bad record, must be looked at next time.
        for position in self._unsettled:
            self._digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES] = NO_DIGEST
        ids = self._known.ids + self._new_ids
        flags = bytes(self._flags + self._new_flags)
        digests = bytes(self._digests + self._new_digests)
        return KnownRecords(ids=ids, flags=flags, raw_digests=digests).in_order()
