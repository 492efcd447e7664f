"""Checks of an archived listing before it goes back into the database."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_KINDS = frozenset(
    {"added", "updated", "removed", "reactivated", "corrected", "restored", "merged"}
)
_MOMENTS = ("posted", "export_timestamp", "created_at", "updated_at", "removed_at", "sold_at")
_AMOUNTS = ("price_value", "shipping_price", "weight")


def check_archived(line: Mapping[str, Any]) -> None:
    """Raise `ValueError`, `KeyError` or `TypeError` for a line that no purge has written.

    `line` is one listing of an archive: its `row` as field → value, and its `changes`.
    """
    row = line["row"]
    listing_id = row["listing_id"]
    if not (isinstance(listing_id, str) and listing_id.isascii() and listing_id.isdigit()):
        raise ValueError(f"{listing_id!r} is not the number of a listing")
    # Restoring it would put a listing up for sale that nobody offers.
    if row["is_active"]:
        raise ValueError(
            f"listing {listing_id} is for sale in this archive, and no purge takes such a listing"
        )
    for name in _MOMENTS:
        if row.get(name) is not None:
            datetime.fromisoformat(row[name])
    # JSON as Python reads it also allows NaN and Infinity.
    for name in _AMOUNTS:
        if row.get(name) is not None and not math.isfinite(float(row[name])):
            raise ValueError(f"listing {listing_id} has the {name} {row[name]}")
    for change in line["changes"]:
        if change["kind"] not in _KINDS:
            raise ValueError(f"listing {listing_id} has a change of kind {change['kind']!r}")
