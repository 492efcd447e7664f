"""What differs between a stored listing and what a source shows of it."""

from discosync.core.changes import FieldChange, Lifecycle
from discosync.core.known import KnownListing
from discosync.core.listing import CONTENT_FIELDS, Listing, canonical


def content_changes(
    row: KnownListing, listing: Listing, *, sees: frozenset[str]
) -> tuple[FieldChange, ...]:
    """List what differs in content; what was not known yet (None) is learnt, not changed."""
    return tuple(
        FieldChange(name, row.values[name], getattr(listing, name))
        for name in CONTENT_FIELDS
        if name in sees
        and row.values[name] is not None
        and canonical(name, row.values[name]) != canonical(name, getattr(listing, name))
    )


def lifecycle_changes(before: Lifecycle, after: Lifecycle) -> tuple[FieldChange, ...]:
    """List what differs in whether, since when and why a listing is not for sale."""
    return tuple(
        FieldChange(name, old, new)
        for name, old, new in zip(Lifecycle._fields, before, after, strict=True)
        if old != new
    )
