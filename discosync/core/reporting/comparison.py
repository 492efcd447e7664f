"""Differences between an export and the pages of one inventory, and which of them time explains.

Only listings For Sale are compared, because the pages show no others. The export is asked for
first, the pages are read after it, and if the two differ, a second export follows. A listing that
the two exports show differently has changed meanwhile: time explains its difference. A listing that
both exports show alike and the pages show otherwise is an unexplained difference.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    Listing,
    canonical,
    content_hash,
    heading_of,
    overlay,
)
from discosync.core.planning.changes import FieldChange
from discosync.core.reporting.change_entry import fields_json, json_value
from discosync.core.reporting.report_parts import ApiUse, ListingCounts

_UNSEEN = dict.fromkeys(CONTENT_FIELDS)
"""Stands in for fields that one method does not show, so that they never differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One method: the moment of its snapshot, what it cost, and what `sync` would change by it."""

    source: str
    as_of: datetime | None
    for_sale: int
    is_complete: bool
    api: ApiUse
    seconds: float
    would: ListingCounts

    def to_json(self) -> dict[str, Any]:
        """Return it as `export` or `pages` in the report's `comparison`."""
        would = {name: getattr(self.would, name) for name in ListingCounts.__slots__}
        return {
            "source": self.source,
            "as_of": json_value(self.as_of),
            "for_sale": self.for_sale,
            "complete": self.is_complete,
            "requests": self.api.requests,
            "bytes": self.api.bytes,
            "seconds": round(self.seconds, 3),
            "would": would,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A listing that the two methods show differently.

    `kind` is `differs`, `only_export` or `only_pages`. `fields` holds the export's value as before
    and the pages' value as after. `explained_by` is None for an unexplained difference.
    """

    listing_id: int
    heading: str
    kind: str
    fields: tuple[FieldChange, ...]
    explained_by: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as an entry of `differences`; fields as field → [export, pages]."""
        return {
            "listing_id": self.listing_id,
            "heading": self.heading,
            "kind": self.kind,
            "fields": fields_json(self.fields),
            "explained_by": self.explained_by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both methods and every difference; `second_as_of` is the second export's moment, if any."""

    export: Side
    pages: Side
    compared: int
    differences: tuple[Difference, ...]
    second_as_of: datetime | None = None

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that nothing explains."""
        return tuple(d for d in self.differences if d.explained_by is None)

    def to_json(self) -> dict[str, Any]:
        """Return it as the report's `comparison`."""
        return {
            "export": self.export.to_json(),
            "pages": self.pages.to_json(),
            "compared": self.compared,
            "second_export_as_of": json_value(self.second_as_of),
            "explained": len(self.differences) - len(self.unexplained),
            "unexplained": len(self.unexplained),
            "differences": [difference.to_json() for difference in self.differences],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one snapshot shows For Sale: id → digest of the common fields, and unreadable ids."""

    digests: Mapping[int, str]
    unreadable: Collection[int]


def digest_shown(records: Iterable[Listing | RejectedRecord], *, common: frozenset[str]) -> Shown:
    """Digest every listing For Sale, by the fields that both methods show (`common`)."""
    digests: dict[int, str] = {}
    unreadable: set[int] = set()
    for record in records:
        if isinstance(record, RejectedRecord):
            if record.listing_id is not None:
                unreadable.add(record.listing_id)
        elif record.is_for_sale:
            digests[record.listing_id] = content_hash(overlay(record, _UNSEEN, sees=common))
    return Shown(digests=digests, unreadable=unreadable)


def differing_ids(export: Shown, pages: Shown) -> set[int]:
    """Return the ids that the two show differently, without those that one could not read."""
    # A record that one side could not read says nothing about its listing.
    ids = {
        i
        for i in export.digests.keys() | pages.digests.keys()
        if export.digests.get(i) != pages.digests.get(i)
    }
    return ids.difference(export.unreadable, pages.unreadable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """The differing listings as each snapshot shows them, if it shows them For Sale."""

    export: Mapping[int, Listing]
    pages: Mapping[int, Listing]
    second: Mapping[int, Listing] | None


def explain(
    ids: Collection[int],
    seen: Sightings,
    *,
    common: frozenset[str],
    second_as_of: datetime | None,
    pages_complete: bool,
) -> tuple[Difference, ...]:
    """Return each difference, sorted by id, with what explains it."""
    return tuple(
        _explain(i, seen, common, second_as_of, pages_complete=pages_complete) for i in sorted(ids)
    )


def _explain(
    listing_id: int,
    seen: Sightings,
    common: frozenset[str],
    second_as_of: datetime | None,
    *,
    pages_complete: bool,
) -> Difference:
    export, pages = seen.export.get(listing_id), seen.pages.get(listing_id)
    shown = export or pages
    explained_by = None
    # It changed between the two exports, and the pages were read in that time.
    if seen.second is not None and _differ(export, seen.second.get(listing_id), common):
        explained_by = f"time: it changed before the second export of {json_value(second_as_of)}"
    # Pages that stop early cannot show it, whether it is For Sale or not.
    elif pages is None and not pages_complete:
        explained_by = "the pages are incomplete"
    return Difference(
        listing_id=listing_id,
        heading=heading_of(shown.artist_names, shown.release_title) if shown else "",
        kind="only_pages" if export is None else "only_export" if pages is None else "differs",
        fields=_fields(export, pages, common) if export and pages else (),
        explained_by=explained_by,
    )


def _differ(one: Listing | None, other: Listing | None, common: frozenset[str]) -> bool:
    if one is None or other is None:
        return one is not other
    return bool(_fields(one, other, common))


def _fields(one: Listing, other: Listing, common: frozenset[str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, getattr(one, name), getattr(other, name))
        for name in CONTENT_FIELDS
        if name in common
        and canonical(name, getattr(one, name)) != canonical(name, getattr(other, name))
    )
