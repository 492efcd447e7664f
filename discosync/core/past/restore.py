"""What restoring changes: undoing deactivations of listings, or everything that one run did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FieldValue,
    canonical,
    content_hash_of_row,
)
from discosync.core.past.history import PastChange, lifecycle_with, values_before
from discosync.core.past.thinning import MERGED
from discosync.core.planning.changes import (
    ChangeSet,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Rewrite,
    RewriteFields,
    Updated,
)
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from discosync.core.planning.limits import RemovalLimit, Violation

Values = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A listing that is left as it is, and why; `is_warning` if a person would not expect that."""

    listing_id: int
    why: str
    is_warning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCounts:
    """How many listings the database holds of a seller, and how many of them are active."""

    total: int
    active: int


@dataclass(slots=True, kw_only=True)
class RestorePlan:
    """The changes of a restore, the content that each listing gets, and the listings left alone."""

    changes: ChangeSet
    content_by_id: dict[int, Values]
    skipped: list[Skipped] = field(default_factory=list)


def find_deactivation(changes: Sequence[PastChange]) -> list[PastChange]:
    """Return a listing's changes since it was last for sale, oldest first; none if it never was.

    `changes` is its whole history, oldest first.
    """
    # The last time only: whatever took it off sale before that, it was for sale again afterwards.
    for position in reversed(range(len(changes))):
        fields = changes[position].fields
        if any(c.field == "is_active" and c.before and not c.after for c in fields):
            return list(changes[position:])
    return []


def target_of_listing(row: KnownListing, changes: Sequence[PastChange]) -> Values | Skipped:
    """Return the values that an inactive listing had when it was last for sale, or why not."""
    if row.lifecycle.is_active:
        return Skipped(listing_id=row.listing_id, why="it is for sale", is_warning=False)
    since = find_deactivation(changes)
    if not since:
        why = "discosync has never seen it for sale"
        return Skipped(listing_id=row.listing_id, why=why)
    return values_before(since)


def target_of_change(row: KnownListing, change: PastChange, *, now: datetime) -> Values | Skipped:
    """Return the values that a listing had before one change, or why it is left alone.

    A listing is left alone when a later change touched the same fields.
    """
    # A merged change stands for those of several runs: one run's share is no longer known.
    if change.kind == MERGED:
        why = "`db compact` has merged its changes of that month into one"
        return Skipped(listing_id=row.listing_id, why=why)
    if change.kind == "added":
        if not row.lifecycle.is_active:
            why = "it is not for sale"
            return Skipped(listing_id=row.listing_id, why=why, is_warning=False)
        # Nothing is deleted: what a run should not have added is no longer for sale.
        gone = Lifecycle(is_active=False, removed_at=now, removal_reason="missing", sold_at=None)
        return gone._asdict()
    later = [c.field for c in change.fields if not _is_still(row, c)]
    if later:
        why = f"{', '.join(later)} changed again since"
        return Skipped(listing_id=row.listing_id, why=why)
    return {c.field: c.before for c in change.fields}


def _is_still(row: KnownListing, change: FieldChange) -> bool:
    if change.field in Lifecycle._fields:
        now = getattr(row.lifecycle, change.field)
        if isinstance(now, datetime) and isinstance(change.after, datetime):
            # The history keeps whole seconds, the row microseconds.
            return abs((now - change.after).total_seconds()) < 1
        return bool(now == change.after)
    now = row.value(change.field)
    return canonical(change.field, now) == canonical(change.field, change.after)


def plan_restore(
    targets: Iterable[tuple[KnownListing, Values | Skipped]], known: KnownCounts
) -> RestorePlan:
    """Turn the values that listings are to have again into changes, sorted by listing id."""
    skipped: list[Skipped] = []
    decided: list[Rewrite] = []
    content_by_id: dict[int, Values] = {}
    for row, target in targets:
        if isinstance(target, Skipped):
            skipped.append(target)
            continue
        # Fields that the undone change did not touch stay as they are now.
        content = {name: target.get(name, row.value(name)) for name in CONTENT_FIELDS}
        if (rewrite := _rewrite(row, content, target)) is not None:
            decided.append(rewrite)
            content_by_id[row.listing_id] = content
    decided.sort(key=lambda rewrite: rewrite.listing_id)
    changes = ChangeSet(
        updated=tuple(d for d in decided if isinstance(d, Updated)),
        removed=tuple(d for d in decided if isinstance(d, Removed)),
        reactivated=tuple(d for d in decided if isinstance(d, Reactivated)),
        unchanged=known.total - len(decided),
        # No snapshot was read: the limits take their shares of all listings.
        records=known.total,
        known_active=known.active,
        compared=known.total,
        compared_active=known.active,
    )
    return RestorePlan(changes=changes, content_by_id=content_by_id, skipped=skipped)


def _rewrite(row: KnownListing, content: Values, target: Values) -> Rewrite | None:
    lifecycle = lifecycle_with(row.lifecycle, target)
    before = {**dict(zip(STORED_FIELDS, row.values, strict=True)), **row.lifecycle._asdict()}
    after = {**content, **lifecycle._asdict()}
    fields = tuple(
        FieldChange(name, before[name], value)
        for name, value in after.items()
        if before[name] != value
    )
    if not fields:
        return None
    currency = content["price_currency"]
    state = RewriteFields(
        listing_id=row.listing_id,
        heading=row.heading,
        fields=fields,
        lifecycle=lifecycle,
        content_hash=content_hash_of_row(content),
        expected_hash=row.content_hash,
        currency=currency if isinstance(currency, str) else None,
    )
    # The kind follows from what it was and what it will be, whatever the undone change was.
    match row.lifecycle.is_active, lifecycle.is_active:
        case True, False:
            return Removed(**state, in_snapshot=False)
        case False, True:
            return Reactivated(**state)
    return Updated(**state)


def check_reactivations(changes: ChangeSet) -> Violation | None:
    """Return a violation for more reactivations than a run may remove listings.

    A wrong run id would put records up for sale in this database that were sold long ago.
    """
    count, limit = len(changes.reactivated), RemovalLimit()
    if count <= limit.of(changes.known_active):
        return None
    return Violation(
        code="too_many_reactivations",
        text=f"would put {count:,} listings back up for sale in this database; the limit is "
        f"{limit.explain(changes.known_active)}",
        option="--allow-mass-restore",
    )
