"""A snapshot's file, read record by record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from discosync.core.inventory_csv import (
    Header,
    RecordParser,
    RejectedRecord,
    parse_header,
)
from discosync.core.listing import Listing
from discosync.core.records import RawRecord, RecordBlock, split_blocks
from discosync.core.snapshot import Snapshot
from discosync.errors import StorageFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSnapshot:
    """A snapshot opened for reading: its header, and its records, as they are or parsed.

    Either `blocks` or `records` can be read, once.
    """

    header: Header
    sees: frozenset[str]
    parser: RecordParser
    blocks: Iterator[RecordBlock]

    @property
    def records(self) -> Iterator[Listing | RejectedRecord]:
        """Parse the records one by one."""
        parse = self.parser.parse
        for block in self.blocks:
            for raw in map(RawRecord, block.lines, block.bodies):
                if not is_blank(raw.body):
                    yield parse(raw)


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
