"""A snapshot: one complete inventory on disk, and where it came from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from discosync.core.inventory.listing import PRIVATE_FIELDS

MAX_SHOWN_AGE = timedelta(hours=6)
"""Discogs' API terms of use: an inventory that is shown to others must not be older."""


class Source(StrEnum):
    """Where a snapshot comes from."""

    EXPORT = "export"
    PAGES = "pages"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One inventory as a CSV file on disk.

    `as_of` is the moment that it shows (None when a file does not say), `as_of_precision` how far
    that moment may be off. `expected_items` is the witness: how many listings Discogs counts For
    Sale. `hidden` are fields that have a column in the file but are not shown in this view of the
    seller. `incomplete_because` is the reason why nothing may be deactivated because of it.
    `ready_seconds` is how long an export took to be ready, `clock_offset` how far Discogs' clock is
    ahead of this machine's, as far as that is known.
    """

    path: Path
    source: Source
    seller: str
    sha256: str
    size_bytes: int
    as_of: datetime | None
    as_of_precision: timedelta = timedelta()
    expected_items: int | None = None
    currency: str | None = None
    hidden: frozenset[str] = frozenset()
    incomplete_because: str | None = None
    ready_seconds: float | None = None
    clock_offset: timedelta = timedelta()


def hidden_fields(private_columns_shown: frozenset[str]) -> frozenset[str]:
    """Name the private fields that a walk through the pages did not show.

    In the CSV a private field's column has the field's own name.
    """
    return PRIVATE_FIELDS - private_columns_shown


def is_too_old_to_show(as_of: datetime, *, now: datetime) -> bool:
    """Return whether an inventory of the moment `as_of` is older than Discogs' terms allow."""
    return now - as_of > MAX_SHOWN_AGE
