"""Cutting an inventory into records at line ends outside quotes, without parsing them.

A record is known again by the digest of its bytes: see `raw_digest`.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress
from typing import BinaryIO, NamedTuple, Self

from discosync.errors import BadData

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A longer record means that a quote never closes."""

DIGEST_BYTES = 16
"""The length of every digest, of a record's bytes and of a listing's content."""

NO_DIGEST = bytes(DIGEST_BYTES)
"""Stands for "no digest is known"."""

_BLOCK_BYTES = 1 << 19


class RawRecord(NamedTuple):
    """The bytes of one record, without its last line feed; `line` counts from 1."""

    line: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBlock:
    """Some records in a row: the lines in which they begin (from 1), and their bytes."""

    lines: Sequence[int]
    bodies: Sequence[bytes]

    def pick(self, wanted: Sequence[bool]) -> Self:
        """Keep the records for which `wanted` is true."""
        return type(self)(
            lines=list(compress(self.lines, wanted)), bodies=list(compress(self.bodies, wanted))
        )


_SAYS_NOTHING = b',"\t\n\v\f\r '


def is_blank(body: bytes) -> bool:
    """Whether a record says nothing: each of its fields is empty, or there is none.

    A spreadsheet keeps rows that somebody emptied as lines of separators.
    """
    if body.strip(_SAYS_NOTHING):
        return False
    # A field may be a quote itself, written as four of them.
    try:
        return not any(field.strip() for field in next(csv.reader([body.decode()]), []))
    except csv.Error:
        return False


def raw_digest(body: bytes | memoryview) -> bytes:
    """Digest the bytes of a record, or of several."""
    return blake2b(body, digest_size=DIGEST_BYTES).digest()


def split_records(stream: BinaryIO) -> Iterator[RawRecord]:
    """Cut a file into records; raise `BadData` as `RecordStream` does."""
    records = RecordStream(stream)
    while block := records.take():
        yield from map(RawRecord, block.lines, block.bodies)


class RecordStream:
    """A file of records, cut some thousand at a time; known parts may be passed over uncut."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._offset = 0
        self._line = 1

    def take(self, size_bytes: int = _BLOCK_BYTES) -> RecordBlock | None:
        """Take the next records: at least one, about `size_bytes` of them; None at the end.

        Raises `BadData` when the last record has no line end: the file was cut.
        """
        while True:
            self._fill(size_bytes)
            part = self._buffer[self._offset : self._offset + size_bytes]
            texts = part.split(b"\n")
            rest_bytes = len(texts.pop())
            odd = [index for index, text in enumerate(texts) if text.count(b'"') & 1]
            # A line with an odd number of quotes opens or closes a field that spans lines.
            if len(odd) & 1:  # the last record goes on after this part
                opened = odd.pop()
                rest_bytes += sum(len(text) + 1 for text in texts[opened:])
                del texts[opened:]
            if texts:
                self._offset += len(part) - rest_bytes
                block = _join(self._line, texts, odd)
                self._line += len(texts)
                return block
            _check_record_size(self._line, rest_bytes)
            if len(part) < size_bytes:
                self._check_end(part)
                return None
            # Not one whole record: a field with many line ends needs a larger part.
            size_bytes *= 2

    def _check_end(self, rest: bytes) -> None:
        # Without this a download that broke off would look like a shop that sold the rest.
        if rest:
            is_quoted = rest.count(b'"') & 1
            where = "inside a quoted field" if is_quoted else "inside a record, before its line end"
            raise cut(self._line, where)

    def give_back(self, block: RecordBlock, stop: int) -> RecordBlock:
        """Give back the records of the block just taken, from index `stop` on; keep the others."""
        self._offset -= sum(len(body) + 1 for body in block.bodies[stop:])
        self._line = block.lines[stop]
        return RecordBlock(lines=block.lines[:stop], bodies=block.bodies[:stop])

    def pass_over(self, size_bytes: int, digest: bytes) -> bool:
        """Pass over the next `size_bytes` bytes if they have this digest; say whether they had."""
        self._fill(size_bytes)
        end = self._offset + size_bytes
        if raw_digest(memoryview(self._buffer)[self._offset : end]) != digest:
            return False
        self._line += self._buffer.count(b"\n", self._offset, end)
        self._offset = end
        return True

    def _fill(self, size_bytes: int) -> None:
        """Read until the buffer holds at least `size_bytes`, or all that are left."""
        missing = size_bytes - (len(self._buffer) - self._offset)
        if missing > 0:
            more = self._stream.read(max(missing, _BLOCK_BYTES))
            self._buffer = self._buffer[self._offset :] + more
            self._offset = 0


def _join(line: int, texts: list[bytes], odd: list[int]) -> RecordBlock:
    """Join lines that a quoted line end had separated; at `odd` quotes open and close in turn."""
    if not odd:
        return RecordBlock(lines=range(line, line + len(texts)), bodies=texts)
    lines: list[int] = []
    bodies: list[bytes] = []
    start = 0
    for opens, closes in zip(odd[::2], odd[1::2], strict=True):
        bodies += texts[start:opens]
        bodies.append(b"\n".join(texts[opens : closes + 1]))
        lines += range(line + start, line + opens + 1)
        start = closes + 1
    bodies += texts[start:]
    lines += range(line + start, line + len(texts))
    return RecordBlock(lines=lines, bodies=bodies)


def _check_record_size(line: int, size_bytes: int) -> None:
    if size_bytes > MAX_RECORD_BYTES:
        raise BadData(
            f"the record that begins in line {line} is longer than {MAX_RECORD_BYTES >> 20} MiB: "
            "a quote that never closes, or no CSV at all",
            hint="nothing was changed; fetch the inventory again",
            code="malformed_record",
        )


def cut(line: int, where: str) -> BadData:
    """Make the refusal of a file that ends in the middle."""
    return BadData(
        f"the inventory ends {where}, in line {line}: it was cut short",
        hint="nothing was changed; run again, or download the file again",
        code="truncated",
    )
