"""Decide what one listing's record, or its absence, means for its stored row."""

from datetime import datetime
from typing import TypedDict

from discosync.core.changes import (
    Completed,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    Updated,
)
from discosync.core.differences import content_changes, lifecycle_changes
from discosync.core.known import KnownListing
from discosync.core.lifecycle import lifecycle_after
from discosync.core.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    Listing,
    content_hash,
    overlay,
    render_hash,
)
from discosync.core.parsed import ParsedRecord


class Decider:
    """Decides by the rows of a seller's listings, for one snapshot.

    `sees` are the fields that its source shows, `as_of` is its moment; one that does not
    `trust_hash` rewrites every listing.
    """

    def __init__(self, *, sees: frozenset[str], as_of: datetime, trust_hash: bool) -> None:
        self._sees = sees
        self._as_of = as_of
        self._trust_hash = trust_hash
        self._gone = Lifecycle(
            is_active=False, removed_at=as_of, removal_reason="missing", sold_at=None
        )

    def decide(self, row: KnownListing, record: ParsedRecord) -> Rewrite | None:
        """Say what a record makes of the row; None for nothing at all."""
        listing = record.listing
        merged = overlay(listing, row.values, sees=self._sees)
        lifecycle = lifecycle_after(row.lifecycle, listing, as_of=self._as_of)
        content = content_changes(row, listing, sees=self._sees)
        state = _State(
            listing_id=row.listing_id,
            heading=listing.heading,
            fields=(*content, *lifecycle_changes(row.lifecycle, lifecycle)),
            lifecycle=lifecycle,
            content_hash=render_hash(record.digest) if merged is listing else content_hash(merged),
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
            return Completed(**state)
        return None

    def _must_complete(self, row: KnownListing, listing: Listing, new_hash: str) -> bool:
        return (
            not self._trust_hash
            or row.content_hash != new_hash
            or any(
                row.values[name] is None and getattr(listing, name) is not None
                for name in (*self._sees.intersection(CONTENT_FIELDS), *FILLED_ONCE_FIELDS)
            )
        )

    def remove(self, row: KnownListing) -> Removed:
        """Say what it means that a complete snapshot lacks a listing that was for sale."""
        return Removed(
            listing_id=row.listing_id,
            heading=row.heading,
            fields=lifecycle_changes(row.lifecycle, self._gone),
            lifecycle=self._gone,
            content_hash=row.content_hash or "",
            expected_hash=row.content_hash,
            in_snapshot=False,
        )


class _State(TypedDict):
    listing_id: int
    heading: str
    fields: tuple[FieldChange, ...]
    lifecycle: Lifecycle
    content_hash: str
    expected_hash: str | None
    currency: str | None
