"""Which source gives a complete snapshot with the fewest requests, and why."""

from dataclasses import dataclass

from discosync.core.flags import FlagValue
from discosync.core.inventory.snapshot import Source

PER_PAGE = 100
"""The most listings that Discogs gives on a page; a larger number is reduced without an error."""

EXPORT_REQUESTS = 5
"""The requests of an export: identity, one page (the witness), order, status, download."""

MAX_PUBLIC_PAGES = 100
"""Discogs refuses page 101 of somebody else's inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChoice:
    """A source and the reason, for the report."""

    source: Source
    reason: str


def pages_of(items: int) -> int:
    """How many pages an inventory takes; an empty one has a page too."""
    return max(1, -(-items // PER_PAGE))


def choose_source(items: int, *, use_csv_export: FlagValue) -> SourceChoice:
    """Choose the source with the fewest requests for an inventory of `items` listings For Sale."""
    pages_requests = 1 + pages_of(items)
    # Off is the older way: the pages, however many requests they cost.
    if not use_csv_export.value:
        why = f"USE_CSV_EXPORT is off: {use_csv_export.why}"
        return SourceChoice(source=Source.PAGES, reason=why)
    sum_up = f"{items:,} listings: pages cost {pages_requests:,} requests, an export about"
    reason = f"{sum_up} {EXPORT_REQUESTS}"
    is_small = pages_requests < EXPORT_REQUESTS
    return SourceChoice(source=Source.PAGES if is_small else Source.EXPORT, reason=reason)
