"""The lifecycle of a listing: whether it is for sale and, if not, since when and why."""

from datetime import datetime

from discosync.core.inventory.listing import FOR_SALE, FieldValue, removal_reason
from discosync.core.planning.changes import ACTIVE, Lifecycle


def lifecycle_of_new(status: str, *, is_for_sale: bool, as_of: datetime) -> Lifecycle:
    """Return the lifecycle of a listing that is seen for the first time.

    One that is first seen when it is sold already has no `sold_at`: nobody knows when it was.
    """
    if is_for_sale:
        return ACTIVE
    return Lifecycle(
        is_active=False, removed_at=as_of, removal_reason=removal_reason(status), sold_at=None
    )


def lifecycle_of_adopted(status: FieldValue, *, now: datetime) -> Lifecycle:
    """Return the lifecycle of a row of the old shop, which kept only rows that are for sale.

    A row without a status, or with "for sale" in other letters, counts as for sale.
    """
    word = str(status or FOR_SALE).strip()
    is_for_sale = word.casefold() == FOR_SALE.casefold()
    return lifecycle_of_new(word, is_for_sale=is_for_sale, as_of=now)


def lifecycle_after(before: Lifecycle, status: str, *, as_of: datetime) -> Lifecycle:
    """Return the lifecycle of a known listing that a snapshot of `as_of` shows with this status."""
    # It is for sale, whether it was before or not: nothing is left of an earlier removal.
    if status == FOR_SALE:
        return ACTIVE
    reason = removal_reason(status)
    # It was for sale in the last snapshot, and is not in this one.
    if before.is_active:
        sold_at = as_of if reason == "sold" else None
        return Lifecycle(is_active=False, removed_at=as_of, removal_reason=reason, sold_at=sold_at)
    # It stays as it was: sold, a draft, …
    if before.removal_reason == reason:
        return before
    # It was missing, and now we learn why. If it was sold, it was sold when it was first missed.
    missed_at = before.removed_at if before.removal_reason == "missing" else None
    sold_at = (missed_at or as_of) if reason == "sold" else None
    return Lifecycle(
        is_active=False,
        removed_at=before.removed_at or as_of,
        removal_reason=reason,
        sold_at=sold_at,
    )
