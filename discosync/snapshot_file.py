"""A snapshot's file, read record by record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from discosync.core.inventory_csv import (
    Header,
    RecordParser,
    RejectedRecord,
    parse_header,
    split_records,
)
from discosync.core.listing import Listing
from discosync.core.snapshot import Snapshot
from discosync.errors import StorageFailed


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
    with _opened(snapshot.path) as stream:
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


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise StorageFailed(
            f"cannot read the inventory {path}: {exc.strerror}",
            hint="nothing was changed; run again",
            code="disk",
        ) from exc
