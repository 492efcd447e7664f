"""A snapshot: one complete inventory, on disk, with what is known about where it came from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from discosync.core.inventory_csv import (
    Header,
    RecordParser,
    RejectedRecord,
    parse_header,
    split_records,
)
from discosync.core.listing import PRIVATE_FIELDS, Listing


class Source(StrEnum):
    """Where a snapshot comes from."""

    EXPORT = "export"
    PAGES = "pages"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One inventory as a CSV file on disk.

    `as_of` is the moment it shows (None when a file does not say), `as_of_precision` how far that
    may be off. `expected_items` is the second witness: how many listings Discogs counts For Sale.
    `hidden` are fields that the file has columns for but this view of the seller does not show.
    `incomplete_because` names why nothing may be deactivated by it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """A snapshot opened for reading: its header, and its records one by one."""

    header: Header
    sees: frozenset[str]
    records: Iterator[Listing | RejectedRecord]


@contextmanager
def open_snapshot(snapshot: Snapshot) -> Iterator[OpenSnapshot]:
    """Open a snapshot; may be called again to read it once more.

    Raises `BadData` for a broken header here, and for a broken structure while records are read.
    """
    with snapshot.path.open("rb") as stream:
        raw_records = split_records(stream)
        header = parse_header(next(raw_records, None))
        parser = RecordParser(header, currency=snapshot.currency)
        sees = header.sees - snapshot.hidden
        if snapshot.currency is not None:
            sees |= {"price_currency"}
        yield OpenSnapshot(
            header=header,
            sees=sees,
            # A blank line, left by an editor, is no record.
            records=(parser.parse(raw) for raw in raw_records if raw.body.strip()),
        )


def hidden_fields(private_columns_shown: frozenset[str]) -> frozenset[str]:
    """Name the private fields that a walk through the pages did not show.

    In the CSV a private field's column has the field's own name.
    """
    return PRIVATE_FIELDS - private_columns_shown
