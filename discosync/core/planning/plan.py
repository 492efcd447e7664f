"""Decide what a snapshot changes.

The `Planner` is fed one record after the other. Most are settled by their content hash alone, or
even by the digest of their bytes; for the few others it names the listings whose stored rows it
wants to see, and decides when it gets them. It asks nobody itself: the caller reads the database.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import compress
from operator import gt
from typing import NamedTuple

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import (
    FILLED_ONCE_FIELDS,
    FOR_SALE,
    content_digest_of,
)
from discosync.core.inventory.parsed import ParsedBlock, ParsedRecord
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.changes import (
    ChangeSet,
    Completed,
    Reactivated,
    Removed,
    Rewrite,
    Updated,
)
from discosync.core.planning.decisions import Decider
from discosync.core.planning.known import (
    IS_ACTIVE,
    IS_INCOMPLETE,
    IS_PURGED,
    KnownListing,
    KnownListings,
)
from discosync.core.planning.limits import MAX_REJECTED, too_many_rejected
from discosync.core.recall.remembered import Remembered


class _Waiting(NamedTuple):
    """A listing that waits for its stored row; the digest of its bytes, its place in the arrays."""

    record: ParsedRecord
    raw_digest: bytes
    at: int


class Planner:
    """Compares one snapshot, record by record, with what the database knows.

    `sees` are the fields that the snapshot's source shows; `as_of` is its moment; a planner that
    does not `trust_hash` compares and rewrites every known listing.
    """

    def __init__(
        self,
        known: KnownListings,
        *,
        sees: frozenset[str],
        as_of: datetime,
        may_remove: bool = True,
        trust_hash: bool = True,
    ) -> None:
        self._known = known
        self._decider = Decider(sees=sees, as_of=as_of, trust_hash=trust_hash)
        self._may_remove = may_remove
        self._trust_hash = trust_hash
        self._may_complete = not sees.isdisjoint(FILLED_ONCE_FIELDS)
        self._seen = bytearray(len(known))
        self._added: array[int] = array("q")
        self._added_ids: set[int] = set()
        self._waiting: dict[int, _Waiting] = {}
        self._decided: list[Rewrite] = []
        self._rejected: list[RejectedRecord] = []
        self._repeated: set[int] = set()
        self._unchanged = self._for_sale = self._added_active = self._compared_active = 0
        self._left_purged = 0
        self._has_purged = any(flags & IS_PURGED for flags in set(known.flags))
        self.remembered = Remembered(known)

    @property
    def waiting(self) -> Collection[int]:
        """The listings whose stored rows are wanted, see `resolve`."""
        return self._waiting.keys()

    @property
    def repeated_ids(self) -> Collection[int]:
        """Listings that the snapshot holds more than once."""
        return self._repeated

    def recognise(self, places: Sequence[int]) -> None:
        """Take records by their bytes alone: they were settled before, and so were their values.

        `places` are where their listings stand among the known ones.
        """
        seen, flags = self._seen, self._known.flags
        fresh = [at for at in dict.fromkeys(places) if not seen[at]]
        if len(fresh) < len(places):
            again = Counter(places) - Counter(fresh)
            self._repeated.update(self._known.ids[at] for at in again)
        for at in fresh:
            seen[at] = 1
        self.remembered.keep(fresh)
        self._unchanged += len(fresh)
        active = sum(flags[at] & IS_ACTIVE for at in fresh)
        self._for_sale += active
        self._compared_active += active
        if self._has_purged:
            self._left_purged += sum(flags[at] & IS_PURGED for at in fresh) // IS_PURGED

    def see_block(self, block: ParsedBlock, raw_digests: Sequence[bytes]) -> ParsedBlock:
        """Take the next records, and the digests of their bytes, which stand at their places.

        Gives those that the plan may write. Raises `BadData` when too many cannot be read.
        """
        for rejected in block.rejected:
            self.reject(rejected)
        digests = [raw_digests[place] for place in block.places]
        if self._are_new(block.ids):
            self._add_all(block, digests)
            return block
        pairs = zip(block.records, digests, strict=True)
        return block.pick([self.see(record, digest) for record, digest in pairs])

    def reject(self, record: RejectedRecord) -> None:
        """Take a record that cannot be read; raise `BadData` when there are too many."""
        self._rejected.append(record)
        if len(self._rejected) > MAX_REJECTED:
            raise too_many_rejected(self._rejected, self._records + len(self._rejected))

    def see(self, record: ParsedRecord, raw_digest: bytes = NO_DIGEST) -> bool:
        """Take the next record; say whether the plan may write it."""
        at = self._known.find(record.listing_id)
        if record.listing_id in self._added_ids or (at is not None and self._seen[at]):
            self._repeated.add(record.listing_id)
            return False
        self._for_sale += record.is_for_sale
        if at is None:
            self._add(record, raw_digest)
            return True
        self._seen[at] = 1
        if self._known.flags[at] & IS_PURGED:
            return self._see_purged(record, at, raw_digest)
        return self._compare(record, at, raw_digest)

    def _are_new(self, ids: Sequence[int]) -> bool:
        """Whether these listings are seen for the first time, each, as far as is easily told."""
        known = self._known.ids
        if known and min(ids, default=0) <= known[-1]:
            return False
        distinct = set(ids)
        return len(distinct) == len(ids) and distinct.isdisjoint(self._added_ids)

    def _add_all(self, block: ParsedBlock, raw_digests: Sequence[bytes]) -> None:
        """Take listings that are seen for the first time."""
        are_for_sale = bytes(status == FOR_SALE for status in block.statuses)
        active = are_for_sale.count(1)
        self._for_sale += active
        self._added.extend(block.ids)
        self._added_ids.update(block.ids)
        self._added_active += active
        self.remembered.add(block.ids, raw_digests, are_active=are_for_sale)

    def _add(self, record: ParsedRecord, raw_digest: bytes) -> None:
        """Take a listing that is seen for the first time."""
        self._added.append(record.listing_id)
        self._added_ids.add(record.listing_id)
        self._added_active += record.is_for_sale
        are_active = bytes([record.is_for_sale])
        self.remembered.add([record.listing_id], [raw_digest], are_active=are_active)

    def _see_purged(self, record: ParsedRecord, at: int, raw_digest: bytes) -> bool:
        if record.is_for_sale:
            self._added.append(record.listing_id)
            self._added_active += 1
            self.remembered.settle(at, raw_digest, flags=IS_ACTIVE)
            return True
        # Purged, and an export shows it for years to come: it stays away.
        self._unchanged += 1
        self._left_purged += 1
        self.remembered.settle(at, raw_digest)
        return False

    def _compare(self, record: ParsedRecord, at: int, raw_digest: bytes) -> bool:
        flags = self._known.flags[at]
        self._compared_active += flags & IS_ACTIVE
        if self._is_settled(record, flags, self._known.hash_at(at)):
            self._unchanged += 1
            self.remembered.settle(at, raw_digest)
            return False
        self._waiting[record.listing_id] = _Waiting(record, raw_digest, at)
        return True

    def _is_settled(self, record: ParsedRecord, flags: int, known: bytes) -> bool:
        """Whether the hash alone proves that nothing changed."""
        return (
            self._trust_hash
            and known == record.digest
            and bool(flags & IS_ACTIVE) == record.is_for_sale
            and not (self._may_complete and flags & IS_INCOMPLETE and record.fills_in)
        )

    def resolve(self, rows: Iterable[KnownListing]) -> None:
        """Decide the waiting listings by their stored rows."""
        for row in rows:
            record, raw_digest, at = self._waiting.pop(row.listing_id)
            left = content_digest_of(row.content_hash)
            if self._is_settled(record, row.flags, left):
                decision = None  # where only the row could tell
            else:
                decision = self._decider.decide(row, record)
                self._unchanged += isinstance(decision, Completed)
            if decision is None:
                self._unchanged += 1
            else:
                self._decided.append(decision)
                left = content_digest_of(decision.content_hash)
            # Where the row keeps more than the source shows, only the row can settle it again.
            if left == record.digest:
                flags = IS_ACTIVE if record.is_for_sale else 0
                self.remembered.settle(at, raw_digest, flags=flags)

    @property
    def gone(self) -> Collection[int]:
        """Active listings that a complete snapshot lacks, and that may be judged by it."""
        return self._judged(self._missing())

    def _missing(self) -> set[int]:
        return set(compress(self._known.ids, map(gt, self._known.are_active, self._seen)))

    def _judged(self, missing: set[int]) -> set[int]:
        """Leave out what may not be judged."""
        if not self._may_remove or any(r.listing_id is None for r in self._rejected):
            # A record whose very id is unreadable could be any of them.
            return set()
        return missing - {r.listing_id for r in self._rejected if r.listing_id is not None}

    def remove(self, rows: Iterable[KnownListing]) -> None:
        """Decide that these listings are gone."""
        self._decided += map(self._decider.remove, rows)

    @property
    def _records(self) -> int:
        return self._seen.count(1) + len(self._added_ids)

    def finish(self) -> ChangeSet:
        """Hand over the plan, sorted by listing id."""
        if self._waiting:
            raise KeyError(f"listings without their stored rows: {sorted(self._waiting)[:5]}")
        missing = self._missing()
        self._decided.sort(key=lambda decision: decision.listing_id)
        return ChangeSet(
            added=array("q", sorted(self._added)),
            updated=tuple(d for d in self._decided if isinstance(d, Updated)),
            removed=tuple(d for d in self._decided if isinstance(d, Removed)),
            reactivated=tuple(d for d in self._decided if isinstance(d, Reactivated)),
            completed=tuple(d for d in self._decided if isinstance(d, Completed)),
            rejected=tuple(self._rejected),
            unchanged=self._unchanged,
            added_active=self._added_active,
            records=self._records,
            for_sale=self._for_sale,
            known_active=self._known.are_active.count(1),
            compared=self._records - len(self._added) - self._left_purged,
            compared_active=self._compared_active,
            left_purged=self._left_purged,
            protected=len(missing) - len(self._judged(missing)),
        )
