"""What differs between a stored listing and what a source shows of it, or tells of it twice."""

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
    """List what differs in these content fields.

    What was not known yet (None) is learnt, not changed.
    """
    # The values of both begin with the content.
    others = compress(_CONTENT_SLOTS, map(ne, row.values, record.values))
    return tuple(
        FieldChange(name, before, after)
        for slot in others
        if (name := CONTENT_FIELDS[slot]) in fields
        and (before := row.values[slot]) is not None
        and canonical(name, before) != canonical(name, after := record.values[slot])
    )


def lifecycle_changes(before: Lifecycle, after: Lifecycle) -> tuple[FieldChange, ...]:
    """List what differs in whether, since when and why a listing is not for sale."""
    if before == after:  # as most are
        return ()
    return tuple(
        FieldChange(name, old, new)
        for name, old, new in zip(Lifecycle._fields, before, after, strict=True)
        if old != new
    )


def find_conflicts(records: Iterable[Listing | RejectedRecord], ids: Collection[int]) -> list[int]:
    """Name the listings that a snapshot holds twice with different content."""
    hashes_by_id: dict[int, set[str]] = {}
    for record in records:
        if isinstance(record, Listing) and record.listing_id in ids:
            hashes_by_id.setdefault(record.listing_id, set()).add(content_hash(record))
    return sorted(i for i, hashes in hashes_by_id.items() if len(hashes) > 1)
