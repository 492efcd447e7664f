"""A snapshot's file, read record by record."""

import io
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from discosync.core.block_parser import BlockParser
from discosync.core.inventory_csv import Header, RejectedRecord, parse_header
from discosync.core.listing import Listing
from discosync.core.parsed import ParsedBlock
from discosync.core.records import RawRecord, RecordBlock, RecordStream, Region
from discosync.core.snapshot import Snapshot
from discosync.errors import StorageFailed

_HEADER_BYTES = 4096
_ZERO = ord("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """A snapshot opened for reading: its header, and its records, as they are or parsed.

    One of `stream`, `blocks`, `parsed`, `parsed_of` and `records` can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: BlockParser
    stream: RecordStream
    file: BinaryIO

    @property
    def blocks(self) -> Iterator[RecordBlock]:
        """Read all records, as they are."""
        while block := self.stream.take():
            yield block

    @property
    def parsed(self) -> Iterator[ParsedBlock]:
        """Read all records."""
        return chain.from_iterable(map(self.parser.read, self.blocks))

    def parsed_of(self, ids: Collection[int], regions: Iterable[Region]) -> Iterator[ParsedBlock]:
        """Read some listings' records, and what may be one of them, all in these regions.

        A record that begins with another listing's id need not be parsed to be told apart.
        """
        is_first = self.header.columns[0] == "listing_id"
        wanted = {b"%d" % listing_id for listing_id in ids}
        for region in regions:
            self.file.seek(region.offset)
            piece = io.BytesIO(self.file.read(region.size_bytes))
            stream = RecordStream(piece, offset=region.offset, line=region.line)
            while block := stream.take():
                yield from self.parser.read(_pick(block, wanted) if is_first else block)

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Read the records into listings, one by one."""
        for block in self.parsed:
            yield from block.rejected
            for record in block.records:
                yield record.listing


def _pick(block: RecordBlock, wanted: Collection[bytes]) -> RecordBlock:
    firsts = [body[: body.find(b",")] for body in block.bodies]
    # What is no number as Discogs writes it may be one all the same: the parser knows.
    return block.pick([f in wanted or not f.isdigit() or f[0] == _ZERO for f in firsts])


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
            file=file,
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
