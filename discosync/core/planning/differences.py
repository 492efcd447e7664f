"""What differs between a row and a record, or between two records of one listing."""

from collections.abc import Collection, Iterable
from itertools import compress
from operator import ne

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS, Listing, canonical, content_hash
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.planning.changes import FieldChange, Lifecycle
from discosync.core.planning.known import KnownListing

_CONTENT_SLOTS = range(len(CONTENT_FIELDS))


def content_changes(
    row: KnownListing, record: ParsedRecord, fields: Collection[str]
) -> tuple[FieldChange, ...]:
    """List the changes in these content fields.

    A value that the row lacks (None) is filled in, which is no change.
    """
    # Both begin with the content fields, in the same order.
    others = compress(_CONTENT_SLOTS, map(ne, row.values, record.values))
    return tuple(
        FieldChange(name, before, after)
        for slot in others
        if (name := CONTENT_FIELDS[slot]) in fields
        and (before := row.values[slot]) is not None
        and canonical(name, before) != canonical(name, after := record.values[slot])
    )


def lifecycle_changes(before: Lifecycle, after: Lifecycle) -> tuple[FieldChange, ...]:
    """List the changes in whether a listing is for sale and, if not, since when and why."""
    if before == after:  # most listings
        return ()
    return tuple(
        FieldChange(name, old, new)
        for name, old, new in zip(Lifecycle._fields, before, after, strict=True)
        if old != new
    )


def find_conflicts(records: Iterable[Listing | RejectedRecord], ids: Collection[int]) -> list[int]:
    """Return the ids of listings that a snapshot holds more than once, with different contents."""
    hashes_by_id: dict[int, set[str]] = {}
    for record in records:
        if isinstance(record, Listing) and record.listing_id in ids:
            hashes_by_id.setdefault(record.listing_id, set()).add(content_hash(record))
    return sorted(i for i, hashes in hashes_by_id.items() if len(hashes) > 1)
