"""A snapshot's file, read record by record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from discosync.core.block_parser import BlockParser
from discosync.core.inventory_csv import Header, RejectedRecord, parse_header
from discosync.core.listing import Listing
from discosync.core.parsed import ParsedBlock
from discosync.core.records import RawRecord, RecordBlock, RecordStream
from discosync.core.snapshot import Snapshot
from discosync.errors import StorageFailed

_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """A snapshot opened for reading: its header, and its records, as they are or parsed.

    One of `stream`, `blocks`, `parsed` and `records` can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: BlockParser
    stream: RecordStream

    @property
    def blocks(self) -> Iterator[RecordBlock]:
        """Read all records, as they are."""
        while block := self.stream.take():
            yield block

    @property
    def parsed(self) -> Iterator[ParsedBlock]:
        """Read all records."""
        return chain.from_iterable(map(self.parser.read, self.blocks))

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Read the records into listings, one by one."""
        for block in self.parsed:
            yield from block.rejected
            for record in block.records:
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
    try:
        return path.open("rb")
    except OSError as exc:
        raise StorageFailed(
            f"cannot read the inventory {path}: {exc.strerror}",
            hint="nothing was changed; run again",
            code="disk",
        ) from exc
