"""Parsed records, kept on the disk between planning and writing.

So the records that are written are the very ones that the plan decided about, none is parsed twice,
and memory does not grow with the inventory.
"""

import marshal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from discosync.core.inventory.parsed import SLOT_BY_FIELD, ParsedBlock
from discosync.errors import StorageFailed
from discosync.files.disk import disk_errors

_SIZE_BYTES = 8
_DECIMALS = [SLOT_BY_FIELD[field] for field in ("price_value", "weight")]
_MOMENTS = [SLOT_BY_FIELD[field] for field in ("posted",)]


class ParsedFile:
    """A file of parsed records, in the order of their snapshot, without the rejected ones."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def writing(self) -> Iterator[Callable[[ParsedBlock], None]]:
        """Empty the file, and give a function that appends a block to it.

        Raises `StorageFailed` when the disk does not take it.
        """
        self._count = 0
        with disk_errors(self.path):
            file = self.path.open("wb")

        def put(block: ParsedBlock) -> None:
            packed = _pack(block)
            with disk_errors(self.path):
                file.write(len(packed).to_bytes(_SIZE_BYTES, "big") + packed)
                file.flush()
            self._count += len(block)

        try:
            yield put
        # What the caller raised is the error to report, not a second one from closing.
        except BaseException:
            with suppress(OSError):
                file.close()
            raise
        with disk_errors(self.path):
            file.close()

    def read(self) -> Iterator[ParsedBlock]:
        """Yield every block that was appended; none, if none was.

        Raises `StorageFailed` when some of it is missing.
        """
        left = self._count
        if not left:
            return
        with disk_errors(self.path, "read"), self.path.open("rb") as file:
            while block := _unpack_from(file):
                left -= len(block)
                yield block
        if left:
            raise StorageFailed(
                f"{self.path} is not as it was written: {left:,} records are missing",
                hint="nothing was changed; run again",
                code="disk",
            )


def _unpack_from(file: BinaryIO) -> ParsedBlock | None:
    """Read the next block; return None at the end, and where a block is cut short."""
    size = int.from_bytes(file.read(_SIZE_BYTES), "big")
    packed = file.read(size)
    return _unpack(packed) if packed and len(packed) == size else None


# marshal, because pickle and JSON are hardly quicker than parsing the file again. It has no
# decimals and no moments, so both become text. The process that wrote the file also reads it, so
# the version of the format does not matter.


def _pack(block: ParsedBlock) -> bytes:
    columns = list(block.columns)
    for slot in _DECIMALS:
        columns[slot] = _each(columns[slot], str)
    for slot in _MOMENTS:
        columns[slot] = _each(columns[slot], datetime.isoformat)
    return marshal.dumps((list(block.ids), columns, list(block.digests)))


def _unpack(packed: bytes) -> ParsedBlock:
    ids, columns, digests = marshal.loads(packed)  # noqa: S302 - our own file, written just now
    for slot in _DECIMALS:
        columns[slot] = _each(columns[slot], Decimal)
    for slot in _MOMENTS:
        columns[slot] = _each(columns[slot], datetime.fromisoformat)
    return ParsedBlock(indexes=range(len(ids)), ids=ids, columns=columns, digests=digests)


def _each(column: Sequence[Any], turn: Callable[[Any], Any]) -> Sequence[Any]:
    """Return the column with `turn` applied to every value but None."""
    return [None if value is None else turn(value) for value in column]
