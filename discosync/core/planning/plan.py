"""Decide what a snapshot changes.

The `Planner` takes one record after the other. Most listings are settled by the content hash of
their record alone. For the few others it names the listings whose stored rows it needs, and
decides when it gets them. It asks nobody itself: the caller reads the database.
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
from discosync.core.planning.observer import NoObserver, PlanObserver


class _Waiting(NamedTuple):
    """A record that waits for the stored row of its listing; where that listing stands."""

    record: ParsedRecord
    raw_digest: bytes
    position: int


class Planner:
    """Compares one snapshot, record by record, with what the database knows.

    `sees` are the fields that the snapshot's source shows, `as_of` is its moment. With `may_remove`
    False nothing is taken for gone. With `trust_hash` False every known listing is compared and
    rewritten. `observer` hears which records settle which listings.
    """

    def __init__(
        self,
        known: KnownListings,
        *,
        sees: frozenset[str],
        as_of: datetime,
        may_remove: bool = True,
        trust_hash: bool = True,
        observer: PlanObserver | None = None,
    ) -> None:
        self._known = known
        self._observer = observer or NoObserver()
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

    @property
    def waiting(self) -> Collection[int]:
        """The listings whose stored rows are wanted, see `resolve`."""
        return self._waiting.keys()

    @property
    def repeated_ids(self) -> Collection[int]:
        """Listings that the snapshot holds more than once."""
        return self._repeated

    def recognise(self, positions: Sequence[int]) -> None:
        """Take records that settle their listings, as their bytes show: nothing changes.

        `positions` are where these listings stand among the known ones.
        """
        seen, flags = self._seen, self._known.flags
        fresh = [position for position in dict.fromkeys(positions) if not seen[position]]
        # A listing that was seen before, in this call or an earlier one, stands in the file twice.
        if len(fresh) < len(positions):
            again = Counter(positions) - Counter(fresh)
            self._repeated.update(self._known.ids[position] for position in again)
        for position in fresh:
            seen[position] = 1
        self._observer.keep(fresh)
        self._unchanged += len(fresh)
        active = sum(flags[position] & IS_ACTIVE for position in fresh)
        self._for_sale += active
        self._compared_active += active
        # Looking for purged listings costs time for each record, and most sellers have none.
        if self._has_purged:
            self._left_purged += sum(flags[position] & IS_PURGED for position in fresh) // IS_PURGED

    def see_block(self, block: ParsedBlock, raw_digests: Sequence[bytes] = ()) -> ParsedBlock:
        """Take the next records; give those that the plan may write.

        `raw_digests` are the digests of the bytes of all records that the block was parsed from,
        for the observer; without them it hears of no digest. Raises `BadData` when too many
        records cannot be read.
        """
        for rejected in block.rejected:
            self.reject(rejected)
        if raw_digests:
            digests = [raw_digests[index] for index in block.indexes]
        else:
            digests = [NO_DIGEST] * len(block)
        # On a first load whole blocks are new: one look at the ids saves a look at each record.
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
        position = self._known.find(record.listing_id)
        # The snapshot holds this listing twice: the first record counts. Whether the others agree
        # with it is checked once the whole snapshot has been read.
        if record.listing_id in self._added_ids or (position is not None and self._seen[position]):
            self._repeated.add(record.listing_id)
            return False
        self._for_sale += record.is_for_sale
        # First time we see this listing.
        if position is None:
            self._add(record, raw_digest)
            return True
        self._seen[position] = 1
        # It was here once, and was purged.
        if self._known.flags[position] & IS_PURGED:
            return self._see_purged(record, position, raw_digest)
        # The database holds a row for it.
        return self._compare(record, position, raw_digest)

    def _are_new(self, ids: Sequence[int]) -> bool:
        """Whether none of these listings is known or was seen before, as a quick look shows.

        False may also mean that only a look at each record can tell.
        """
        known = self._known.ids
        # Discogs counts its listing ids upwards: new listings have higher ids than all known ones.
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
        self._observer.add(block.ids, raw_digests, are_active=are_for_sale)

    def _add(self, record: ParsedRecord, raw_digest: bytes) -> None:
        """Take a listing that is seen for the first time."""
        self._added.append(record.listing_id)
        self._added_ids.add(record.listing_id)
        self._added_active += record.is_for_sale
        are_active = bytes([record.is_for_sale])
        self._observer.add([record.listing_id], [raw_digest], are_active=are_active)

    def _see_purged(self, record: ParsedRecord, position: int, raw_digest: bytes) -> bool:
        # It is for sale again: its row was deleted, so it begins anew.
        if record.is_for_sale:
            self._added.append(record.listing_id)
            self._added_active += 1
            self._observer.settle(position, raw_digest, flags=IS_ACTIVE)
            return True
        # An export shows sold listings for years: a purged one stays away all the same.
        self._unchanged += 1
        self._left_purged += 1
        self._observer.settle(position, raw_digest)
        return False

    def _compare(self, record: ParsedRecord, position: int, raw_digest: bytes) -> bool:
        flags = self._known.flags[position]
        self._compared_active += flags & IS_ACTIVE
        # The content hash proves that nothing changed: the row is not needed.
        if self._is_settled(record, flags, self._known.hash_at(position)):
            self._unchanged += 1
            self._observer.settle(position, raw_digest)
            return False
        # Something changed, or may have: only the stored row can tell what.
        self._waiting[record.listing_id] = _Waiting(record, raw_digest, position)
        return True

    def _is_settled(self, record: ParsedRecord, flags: int, known: bytes) -> bool:
        """Whether the hash alone proves that nothing changed; `known` is the stored digest."""
        return (
            self._trust_hash
            and known == record.digest
            # A row may have been deactivated or restored without a change of its content.
            and bool(flags & IS_ACTIVE) == record.is_for_sale
            # The record may show a year or an image that the row still lacks.
            and not (self._may_complete and flags & IS_INCOMPLETE and record.fills_in)
        )

    def resolve(self, rows: Iterable[KnownListing]) -> None:
        """Decide about waiting records, now that the stored rows of their listings are here."""
        for row in rows:
            record, raw_digest, position = self._waiting.pop(row.listing_id)
            stored = content_digest_of(row.content_hash)
            # The hash was not known before the row was read, and it proves that nothing changed.
            if self._is_settled(record, row.flags, stored):
                decision = None
            else:
                decision = self._decider.decide(row, record)
                # What was missing is filled in: that is written, but it is no change.
                self._unchanged += isinstance(decision, Completed)
            if decision is None:
                self._unchanged += 1
            else:
                self._decided.append(decision)
                stored = content_digest_of(decision.content_hash)
            # Where the row keeps more than the source shows, only the row can settle it again.
            if stored == record.digest:
                flags = IS_ACTIVE if record.is_for_sale else 0
                self._observer.settle(position, raw_digest, flags=flags)

    @property
    def gone(self) -> Collection[int]:
        """The active listings that are gone: a complete snapshot lacks them."""
        return self._judged(self._missing())

    def _missing(self) -> set[int]:
        return set(compress(self._known.ids, map(gt, self._known.are_active, self._seen)))

    def _judged(self, missing: set[int]) -> set[int]:
        """Leave out the listings that this snapshot cannot prove to be gone."""
        # An incomplete snapshot proves no absence. A record whose very id cannot be read may be
        # the record of any of them.
        if not self._may_remove or any(r.listing_id is None for r in self._rejected):
            return set()
        # A record that cannot be read says at least that its listing is still there.
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
