"""Decide what one listing's record, or its absence, means for its stored row."""

from datetime import datetime

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    content_digest_of,
    digest_values,
    render_hash,
)
from discosync.core.inventory.parsed import SLOT_BY_FIELD, ParsedRecord
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.changes import (
    Completed,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    RewriteFields,
    Updated,
)
from discosync.core.planning.differences import content_changes, lifecycle_changes
from discosync.core.planning.known import KnownListing
from discosync.core.planning.lifecycle import lifecycle_after


class Decider:
    """Decides by the rows of a seller's listings, for one snapshot.

    `sees` are the fields that its source shows, `as_of` is its moment; one that does not
    `trust_hash` rewrites every listing.
    """

    def __init__(self, *, sees: frozenset[str], as_of: datetime, trust_hash: bool) -> None:
        self._shown = sees.intersection(CONTENT_FIELDS)
        self._hidden = [field for field in CONTENT_FIELDS if field not in sees]
        self._as_of = as_of
        self._trust_hash = trust_hash
        self._gone = Lifecycle(
            is_active=False, removed_at=as_of, removal_reason="missing", sold_at=None
        )

    def decide(self, row: KnownListing, record: ParsedRecord) -> Rewrite | None:
        """Return what a record changes in its listing's row; None if there is nothing to write."""
        lifecycle = lifecycle_after(row.lifecycle, record.status, as_of=self._as_of)
        content = content_changes(row, record, self._shown)
        state = RewriteFields(
            listing_id=row.listing_id,
            heading=record.heading,
            fields=(*content, *lifecycle_changes(row.lifecycle, lifecycle)),
            lifecycle=lifecycle,
            content_hash=self._hash_after(row, record),
            expected_hash=row.content_hash,
            currency=self._currency_after(row, record),
            keeps_indexed=row.lifecycle.is_active == lifecycle.is_active
            and row.value("status") == record.status
            and row.value("release_id") == record.value("release_id"),
        )
        match row.lifecycle.is_active, lifecycle.is_active:
            # The snapshot shows it as sold, a draft, expired, …: evidence that it is gone.
            case True, False:
                return Removed(**state, in_snapshot=True)
            # It was gone, and is for sale again.
            case False, True:
                return Reactivated(**state)
        # The seller or the catalogue changed it, or it is gone for another reason than we knew.
        if state["fields"]:
            return Updated(**state)
        # Nothing changed. What the row lacked is filled in; a hash of an older version is renewed;
        # without trust in the hash every row is written.
        fills_in = self._fills_in(row, record)
        if fills_in or not self._trust_hash or self._renews_hash(row, state["content_hash"]):
            return Completed(**state, fills_in=fills_in)
        return None

    def _hash_after(self, row: KnownListing, record: ParsedRecord) -> str:
        """Return the content hash of the row once it is rewritten."""
        if not self._hidden:
            return render_hash(record.digest)
        # The source shows less than a row holds (no private fields, say): the row keeps the rest.
        content = list(record.values[: len(CONTENT_FIELDS)])
        for field in self._hidden:
            content[SLOT_BY_FIELD[field]] = row.value(field)
        return render_hash(digest_values(content))

    def _renews_hash(self, row: KnownListing, after: str) -> bool:
        # Another program edited a value that this source does not show. The hash proves what stood
        # there: it stays for the slow check, and for a source that shows more.
        if self._hidden and content_digest_of(row.content_hash) != NO_DIGEST:
            return False
        return row.content_hash != after

    def _currency_after(self, row: KnownListing, record: ParsedRecord) -> str | None:
        hidden = "price_currency" in self._hidden
        code = row.value("price_currency") if hidden else record.value("price_currency")
        return None if code is None else str(code)

    def _fills_in(self, row: KnownListing, record: ParsedRecord) -> bool:
        """Whether the record shows a value that the row lacks."""
        return any(
            row.value(name) is None and record.value(name) is not None
            for name in (*self._shown, *FILLED_ONCE_FIELDS)
        )

    def remove(self, row: KnownListing) -> Removed:
        """Deactivate a listing that was for sale and that a complete snapshot lacks."""
        return Removed(
            listing_id=row.listing_id,
            heading=row.heading,
            fields=lifecycle_changes(row.lifecycle, self._gone),
            lifecycle=self._gone,
            content_hash=row.content_hash or "",
            expected_hash=row.content_hash,
            in_snapshot=False,
        )
