"""Parsed records put aside on the disk, from the plan to the write.

What is written is what was decided about, and nothing of it is parsed twice; in memory it would
grow with the inventory.
"""

import marshal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from discosync.core.inventory.parsed import PLACE_BY_FIELD, ParsedBlock
from discosync.errors import StorageFailed
from discosync.files.disk import disk_errors

_SIZE_BYTES = 8
_DECIMALS = [PLACE_BY_FIELD[field] for field in ("price_value", "weight")]
_MOMENTS = [PLACE_BY_FIELD[field] for field in ("posted",)]


class ParsedFile:
    """A file of parsed records, in the order of their snapshot; without the rejected ones."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def writing(self) -> Iterator[Callable[[ParsedBlock], None]]:
        """Begin anew, and give what puts a block aside.

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
        except BaseException:
            with suppress(OSError):
                file.close()
            raise
        with disk_errors(self.path):
            file.close()

    def read(self) -> Iterator[ParsedBlock]:
        """Read all that was put aside: nothing, when nothing ever was.

        Raises `StorageFailed` when it is not all there.
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
    """Read the next block; None where there is no whole one."""
    size = int.from_bytes(file.read(_SIZE_BYTES), "big")
    packed = file.read(size)
    return _unpack(packed) if packed and len(packed) == size else None


# Of all that Python has for the purpose, marshal alone is much quicker than parsing; it knows
# neither money nor moments, and is read by the very process that wrote it.


def _pack(block: ParsedBlock) -> bytes:
    columns = list(block.columns)
    for place in _DECIMALS:
        columns[place] = _each(columns[place], str)
    for place in _MOMENTS:
        columns[place] = _each(columns[place], datetime.isoformat)
    return marshal.dumps((list(block.ids), columns, list(block.digests)))


def _unpack(packed: bytes) -> ParsedBlock:
    ids, columns, digests = marshal.loads(packed)  # noqa: S302 - our own file, written just now
    for place in _DECIMALS:
        columns[place] = _each(columns[place], Decimal)
    for place in _MOMENTS:
        columns[place] = _each(columns[place], datetime.fromisoformat)
    return ParsedBlock(places=range(len(ids)), ids=ids, columns=columns, digests=digests)


def _each(column: Sequence[Any], turn: Callable[[Any], Any]) -> Sequence[Any]:
    """Turn every value but None into another."""
    return [None if value is None else turn(value) for value in column]
