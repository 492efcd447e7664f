"""Decide what a snapshot changes.

The `Planner` is fed one record after the other. Most are settled by their content hash alone; for
the few others it names the listings whose stored rows it wants to see, and decides when it gets
them. It asks nobody itself: the caller reads the database.
"""

from array import array
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypedDict

from discosync.core.changes import (
    ACTIVE,
    ChangeSet,
    Completed,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    Updated,
)
from discosync.core.differences import content_changes, lifecycle_changes
from discosync.core.inventory_csv import RejectedRecord
from discosync.core.known import KnownListing, KnownListings
from discosync.core.limits import MAX_REJECTED, too_many_rejected
from discosync.core.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    FOR_SALE,
    FieldValue,
    Listing,
    content_hash,
    overlay,
    removal_reason,
)


def lifecycle_of_new(status: str, *, is_for_sale: bool, as_of: datetime) -> Lifecycle:
    """Say how a listing begins.

    One that is first seen when it is sold already has no `sold_at`: nobody knows when it was.
    """
    if is_for_sale:
        return ACTIVE
    return Lifecycle(
        is_active=False, removed_at=as_of, removal_reason=removal_reason(status), sold_at=None
    )


def lifecycle_of_adopted(status: FieldValue, *, now: datetime) -> Lifecycle:
    """Say what the old shop's row means: it kept what is for sale, and said no more.

    Without a status, or with the right one in other letters, it counts as for sale.
    """
    word = str(status or FOR_SALE).strip()
    is_for_sale = word.casefold() == FOR_SALE.casefold()
    return lifecycle_of_new(word, is_for_sale=is_for_sale, as_of=now)


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
        self._sees = sees
        self._as_of = as_of
        self._may_remove = may_remove
        self._trust_hash = trust_hash
        self._may_complete = not sees.isdisjoint(FILLED_ONCE_FIELDS)
        self._seen: set[int] = set()
        self._added: array[int] = array("q")
        self._waiting: dict[int, tuple[Listing, str]] = {}
        self._decided: list[Rewrite] = []
        self._rejected: list[RejectedRecord] = []
        self._repeated: set[int] = set()
        self._unchanged = self._for_sale = self._added_active = self._compared_active = 0
        self._left_purged = 0

    @property
    def waiting(self) -> Collection[int]:
        """The listings whose stored rows are wanted, see `resolve`."""
        return self._waiting.keys()

    @property
    def repeated_ids(self) -> Collection[int]:
        """Listings that the snapshot holds more than once."""
        return self._repeated

    def see(self, record: Listing | RejectedRecord) -> None:
        """Take the next record; raise `BadData` when too many cannot be read."""
        if isinstance(record, RejectedRecord):
            self._rejected.append(record)
            if len(self._rejected) > MAX_REJECTED:
                raise too_many_rejected(self._rejected, len(self._seen) + len(self._rejected))
            return
        digest = content_hash(record)
        listing_id = record.listing_id
        if listing_id in self._seen:
            self._repeated.add(listing_id)
            return
        self._seen.add(listing_id)
        self._for_sale += record.is_for_sale
        if listing_id not in self._known.hash_by_id:
            if listing_id in self._known.purged and not record.is_for_sale:
                # Purged, and an export shows it for years to come: it stays away.
                self._unchanged += 1
                self._left_purged += 1
                return
            # The first time we see it.
            self._added.append(listing_id)
            self._added_active += record.is_for_sale
            return
        is_active = listing_id not in self._known.inactive
        self._compared_active += is_active
        if self._is_settled(record, digest, is_active=is_active):
            self._unchanged += 1
        else:
            self._waiting[listing_id] = (record, digest)

    def _is_settled(self, listing: Listing, digest: str, *, is_active: bool) -> bool:
        """Whether the hash alone proves that nothing changed."""
        return (
            self._trust_hash
            and self._known.hash_by_id[listing.listing_id] == digest
            and is_active == listing.is_for_sale
            and not (
                self._may_complete
                and listing.listing_id in self._known.incomplete
                and any(getattr(listing, name) is not None for name in FILLED_ONCE_FIELDS)
            )
        )

    def resolve(self, rows: Iterable[KnownListing]) -> None:
        """Decide the waiting listings by their stored rows."""
        for row in rows:
            listing, digest = self._waiting.pop(row.listing_id)
            decision = self._decide(row, listing, digest)
            if decision is None:
                self._unchanged += 1
            else:
                self._decided.append(decision)

    def _decide(self, row: KnownListing, listing: Listing, digest: str) -> Rewrite | None:
        merged = overlay(listing, row.values, sees=self._sees)
        lifecycle = self._lifecycle_after(row.lifecycle, listing)
        content = content_changes(row, listing, sees=self._sees)
        state = _State(
            listing_id=row.listing_id,
            heading=listing.heading,
            fields=(*content, *lifecycle_changes(row.lifecycle, lifecycle)),
            lifecycle=lifecycle,
            content_hash=digest if merged is listing else content_hash(merged),
            expected_hash=row.content_hash,
            currency=merged.price_currency,
        )
        match row.lifecycle.is_active, lifecycle.is_active:
            case True, False:  # the snapshot says that it is sold, a draft, expired, …
                return Removed(**state, in_snapshot=True)
            case False, True:  # came back after being gone
                return Reactivated(**state)
        if state["fields"]:
            return Updated(**state)
        if self._must_complete(row, listing, state["content_hash"]):
            self._unchanged += 1
            return Completed(**state)
        return None

    def _lifecycle_after(self, before: Lifecycle, listing: Listing) -> Lifecycle:
        if listing.is_for_sale:
            return ACTIVE
        reason = removal_reason(listing.status)
        if before.is_active:
            sold_at = self._as_of if reason == "sold" else None
            return Lifecycle(
                is_active=False, removed_at=self._as_of, removal_reason=reason, sold_at=sold_at
            )
        if before.removal_reason == reason:
            return before
        # It had vanished, and now we learn why: it was sold by the time it was missed.
        missed_at = before.removed_at if before.removal_reason == "missing" else None
        sold_at = (missed_at or self._as_of) if reason == "sold" else None
        return Lifecycle(
            is_active=False,
            removed_at=before.removed_at or self._as_of,
            removal_reason=reason,
            sold_at=sold_at,
        )

    def _must_complete(self, row: KnownListing, listing: Listing, new_hash: str) -> bool:
        return (
            not self._trust_hash
            or row.content_hash != new_hash
            or any(
                row.values[name] is None and getattr(listing, name) is not None
                for name in (*self._sees.intersection(CONTENT_FIELDS), *FILLED_ONCE_FIELDS)
            )
        )

    @property
    def gone(self) -> Collection[int]:
        """Active listings that a complete snapshot lacks, and that may be judged by it."""
        missing = self._missing()
        if not self._may_remove or any(r.listing_id is None for r in self._rejected):
            # A record whose very id is unreadable could be any of them.
            return ()
        return missing - {r.listing_id for r in self._rejected if r.listing_id is not None}

    def _missing(self) -> set[int]:
        inactive, seen = self._known.inactive, self._seen
        return {i for i in self._known.hash_by_id if i not in seen and i not in inactive}

    def remove(self, rows: Iterable[KnownListing]) -> None:
        """Decide that these listings are gone."""
        lifecycle = Lifecycle(
            is_active=False, removed_at=self._as_of, removal_reason="missing", sold_at=None
        )
        for row in rows:
            self._decided.append(
                Removed(
                    listing_id=row.listing_id,
                    heading=row.heading,
                    fields=lifecycle_changes(row.lifecycle, lifecycle),
                    lifecycle=lifecycle,
                    content_hash=row.content_hash or "",
                    expected_hash=row.content_hash,
                    in_snapshot=False,
                )
            )

    def finish(self) -> ChangeSet:
        """Hand over the plan, sorted by listing id."""
        if self._waiting:
            raise KeyError(f"listings without their stored rows: {sorted(self._waiting)[:5]}")
        self._decided.sort(key=lambda decision: decision.listing_id)
        known_active = len(self._known.hash_by_id) - len(self._known.inactive)
        return ChangeSet(
            added=array("q", sorted(self._added)),
            updated=tuple(d for d in self._decided if isinstance(d, Updated)),
            removed=tuple(d for d in self._decided if isinstance(d, Removed)),
            reactivated=tuple(d for d in self._decided if isinstance(d, Reactivated)),
            completed=tuple(d for d in self._decided if isinstance(d, Completed)),
            rejected=tuple(self._rejected),
            unchanged=self._unchanged,
            added_active=self._added_active,
            records=len(self._seen),
            for_sale=self._for_sale,
            known_active=known_active,
            compared=len(self._seen) - len(self._added) - self._left_purged,
            compared_active=self._compared_active,
            protected=len(self._missing()) - len(self.gone),
        )


class _State(TypedDict):
    listing_id: int
    heading: str
    fields: tuple[FieldChange, ...]
    lifecycle: Lifecycle
    content_hash: str
    expected_hash: str | None
    currency: str | None


def find_conflicts(records: Iterable[Listing | RejectedRecord], ids: Collection[int]) -> list[int]:
    """Name the listings that a snapshot holds twice with different content."""
    hashes_by_id: dict[int, set[str]] = {}
    for record in records:
        if isinstance(record, Listing) and record.listing_id in ids:
            hashes_by_id.setdefault(record.listing_id, set()).add(content_hash(record))
    return sorted(i for i, hashes in hashes_by_id.items() if len(hashes) > 1)
