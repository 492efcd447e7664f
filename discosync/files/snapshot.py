"""A snapshot's file, opened for reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.header import Header, RejectedRecord, parse_header
from discosync.core.inventory.listing import Listing
from discosync.core.inventory.records import RawRecord, RecordStream
from discosync.core.inventory.snapshot import Snapshot
from discosync.files.disk import disk_errors

_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """An open snapshot: its header, the fields it shows, and its records.

    `stream` gives raw blocks, `records` parsed listings; only one of them can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: BlockParser
    stream: RecordStream

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Yield the records as listings, one by one; a bad record as `RejectedRecord`."""
        while block := self.stream.take():
            for parsed in self.parser.read(block):
                yield from parsed.rejected
                for record in parsed.records:
                    yield record.listing


@contextmanager
def open_snapshot(snapshot: Snapshot) -> Iterator[OpenSnapshot]:
    """Open a snapshot from its beginning; it can be opened again.

    Raises `BadData` for a broken header, `StorageFailed` for a file that cannot be opened. Reading
    records raises `BadData` for a broken structure.
    """
    with _opened(snapshot.path) as file:
        stream = RecordStream(file)
        first = stream.take(_HEADER_BYTES)
        header = parse_header(RawRecord(first.lines[0], first.bodies[0]) if first else None)
        # The header is read as the first record; those that came with it are records to read.
        if first and len(first.bodies) > 1:
            stream.give_back(first, 1)
        sees = header.sees - snapshot.hidden
        # The CSV has no currency column; the snapshot knows it from the API or the settings.
        if snapshot.currency is not None:
            sees |= {"price_currency"}
        yield OpenSnapshot(
            header=header,
            sees=sees,
            parser=BlockParser(header, currency=snapshot.currency),
            stream=stream,
        )


def _opened(path: Path) -> BinaryIO:
    with disk_errors(path, "read"):
        return path.open("rb")
