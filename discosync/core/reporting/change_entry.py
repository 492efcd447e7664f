"""Changes in the form of the report, the history and the diff."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_never

from discosync.core.inventory.listing import FieldValue, Listing
from discosync.core.planning.changes import (
    Change,
    ChangeSet,
    Corrected,
    FieldChange,
    Reactivated,
    Removed,
    Updated,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEntry:
    """One change of one listing; `heading` names it by artist and title."""

    kind: str
    listing_id: int
    heading: str
    fields: tuple[FieldChange, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as an entry of the report's `changes`."""
        return {
            "kind": self.kind,
            "listing_id": self.listing_id,
            "heading": self.heading,
            "fields": fields_json(self.fields),
        }


def json_value(value: FieldValue) -> str | int | bool | None:
    """Return a value for JSON: amounts as text, so that no cent is lost; times in ISO 8601, UTC."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def fields_json(fields: tuple[FieldChange, ...]) -> dict[str, Any]:
    """Return field changes as report and history hold them: field → [before, after]."""
    return {c.field: [json_value(c.before), json_value(c.after)] for c in fields}


_SHOWN_OF_ADDED = (
    "status",
    "price_value",
    "price_currency",
    "condition",
    "release_id",
    "artist_names",
    "release_title",
)
"""What a report shows of an added listing: with all fields, that of a first load would be huge."""


def kind_of(change: Change) -> str:
    """Return the kind of a change, as report and history name it."""
    match change:
        case Updated():
            return "updated"
        case Removed():
            return "removed"
        case Reactivated():
            return "reactivated"
        case Corrected():
            return "corrected"
        case _:
            assert_never(change)


def describe_changes(changes: ChangeSet, added: Mapping[int, Listing]) -> Iterator[ChangeEntry]:
    """Yield an entry for every change; `added` maps id → listing for the added ones."""
    # A plan holds only ids of added listings, or it would grow with the inventory.
    for listing_id in changes.added:
        listing = added[listing_id]
        yield ChangeEntry(
            kind="added",
            listing_id=listing_id,
            heading=listing.heading,
            fields=tuple(FieldChange(n, None, getattr(listing, n)) for n in _SHOWN_OF_ADDED),
        )
    yield from describe_known(changes)


def describe_known(changes: ChangeSet) -> Iterator[ChangeEntry]:
    """Yield an entry for every change of a known listing."""
    for change in changes.of_known:
        yield ChangeEntry(
            kind=kind_of(change),
            listing_id=change.listing_id,
            heading=change.heading,
            fields=change.fields,
        )
