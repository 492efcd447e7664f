"""A snapshot's file, read record by record."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from discosync.core.inventory_csv import Header, RejectedRecord, parse_header
from discosync.core.listing import Listing
from discosync.core.record_parser import ParsedRecord, RecordParser
from discosync.core.records import RawRecord, RecordBlock, split_blocks
from discosync.core.snapshot import Snapshot
from discosync.errors import StorageFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """A snapshot opened for reading: its header, and its records, as they are or parsed.

    One of `blocks`, `parsed`, `parsed_of` and `records` can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: RecordParser
    blocks: Iterator[RecordBlock]

    @property
    def parsed(self) -> Iterator[ParsedRecord | RejectedRecord]:
        """Read the records one by one."""
        read = self.parser.read
        for block in self.blocks:
            for raw in map(RawRecord, block.lines, block.bodies):
                if not is_blank(raw.body):
                    yield read(raw)

    def parsed_of(self, ids: Collection[int]) -> Iterator[ParsedRecord | RejectedRecord]:
        """Read the records of some listings, and of what may be one of them.

        A record that begins with another listing's id need not be parsed to be told apart.
        """
        if self.header.columns[0] != "listing_id":
            yield from self.parsed
            return
        read, wanted = self.parser.read, {b"%d" % listing_id for listing_id in ids}
        for block in self.blocks:
            for line, body in zip(block.lines, block.bodies, strict=True):
                first = body[: body.find(b",")]
                # Not a number as Discogs writes it, or a blank line: the parser knows.
                is_odd = not first.isdigit() or first.startswith(b"0")
                if (first in wanted or is_odd) and not is_blank(body):
                    yield read(RawRecord(line, body))

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Read the records into listings, one by one."""
        for record in self.parsed:
            yield record if isinstance(record, RejectedRecord) else record.listing


def is_blank(body: bytes) -> bool:
    """Whether it is a blank line, left by an editor, and no record."""
    return not body or body.isspace()


@contextmanager
def open_snapshot(snapshot: Snapshot) -> Iterator[OpenSnapshot]:
    """Open a snapshot; may be called again to read it once more.

    Raises `BadData` for a broken header here, and for a broken structure while records are read.
    """
    with _opened(snapshot.path) as stream:
        blocks = split_blocks(stream)
        first = next(blocks, None)
        header = parse_header(RawRecord(first.lines[0], first.bodies[0]) if first else None)
        sees = header.sees - snapshot.hidden
        if snapshot.currency is not None:
            sees |= {"price_currency"}
        yield OpenSnapshot(
            header=header,
            sees=sees,
            parser=RecordParser(header, currency=snapshot.currency),
            blocks=chain(_without_header(first), blocks),
        )


def _without_header(first: RecordBlock | None) -> Iterator[RecordBlock]:
    if first is not None:
        yield RecordBlock(lines=first.lines[1:], bodies=first.bodies[1:])


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise StorageFailed(
            f"cannot read the inventory {path}: {exc.strerror}",
            hint="nothing was changed; run again",
            code="disk",
        ) from exc
