"""A snapshot's file, read record by record."""

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
    """A snapshot opened for reading: its header, and its records, as they are or parsed.

    Either `stream` or `records` can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: BlockParser
    stream: RecordStream

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Read the records into listings, one by one."""
        while block := self.stream.take():
            for parsed in self.parser.read(block):
                yield from parsed.rejected
                for record in parsed.records:
                    yield record.listing


@contextmanager
def open_snapshot(snapshot: Snapshot) -> Iterator[OpenSnapshot]:
    """Open a snapshot; may be called again to read it once more.

    Raises `BadData` for a broken header here, and for a broken structure while records are read.
    """
    with _opened(snapshot.path) as file:
        stream = RecordStream(file)
        first = stream.take(_HEADER_BYTES)
        header = parse_header(RawRecord(first.lines[0], first.bodies[0]) if first else None)
        if first and len(first.bodies) > 1:
            stream.give_back(first, 1)
        sees = header.sees - snapshot.hidden
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
