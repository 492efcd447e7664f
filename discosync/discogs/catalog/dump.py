"""The monthly releases dump: the credits of wanted releases, without any API call.

The dump is XML: one `<release id="…">` after the other, ordered by id, UTF-8, without CDATA and
comments (observed, dump of August 2020); some 10 GB packed, 120 GB unpacked (reported, August
2026). Unpacking is cheap and parsing is not. So the bytes are cut at each `<release `, the id is
read, and only a wanted record is parsed.
"""

import re
from collections.abc import Callable, Generator, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from discosync.core.catalog.credits import ReleaseCredits
from discosync.discogs.catalog.dump_record import parse_record
from discosync.discogs.catalog.dump_stream import DumpStream
from discosync.errors import BadData, UsageFault
from discosync.files.pipes import open_to_read

MAX_RECORD_BYTES = 64 << 20
"""What is longer than that is no record, but garbage without an end."""

_HEAD_BYTES = 4096
_START = b"<release"
_SPACES = frozenset({b" ", b"\t", b"\r", b"\n"})
_END = b"</release>"
_ATTRIBUTE = rb"""\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')"""
_ID = re.compile(rb"<release(?:%s)*?\s+id\s*=\s*[\"'](\d{1,18})[\"']" % _ATTRIBUTE)
_PROLOG = rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*"
_ROOT = re.compile(_PROLOG + rb"<([A-Za-z]+)", re.DOTALL)
_CLOSED = re.compile(rb"</releases\s*>|<releases\s*/>")
_ADVICE = "take the monthly discogs_YYYYMMDD_releases.xml.gz from https://data.discogs.com"
_OTHER_DUMPS = frozenset({"artist", "label", "master"})
_OTHER_PACKINGS = (b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRecord:
    """A release that could not be read; `release_id` is None when not even its id could be.

    `record_number` counts from 1; `unpacked_offset` is the byte of the unpacked dump at which the
    record begins.
    """

    release_id: int | None
    reason: str
    record_number: int
    unpacked_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpFault:
    """Where a dump ends too early, and why; the records before it have been read.

    `packed_offset` is a byte of the file on the disk; `after_release` the last id that was seen.
    """

    reason: str
    after_release: int | None
    records_seen: int
    packed_offset: int

    @property
    def message(self) -> str:
        """Where it ends and why, in a sentence for people."""
        where = "before the first release"
        if self.records_seen:
            where = f"after release {self.after_release} (record {self.records_seen:,})"
        return f"the dump breaks off {where}, at byte {self.packed_offset:,}: {self.reason}"


class DumpReader:
    """Reads the wanted releases of a dump; can be iterated over once.

    It stops as soon as every wanted release was seen, and skips a second record of a release. The
    counters are true at any moment of the iteration; after it, `fault` says whether the dump ended
    too early. `packed_total` is the size of the file in bytes, None for a pipe.
    """

    def __init__(
        self,
        path: Path,
        wanted: AbstractSet[int],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Find the file; raise `UsageFault` when there is none.

        `progress` is called with the number of packed bytes after each read.
        """
        self.path = path
        self.fault: DumpFault | None = None
        self.records_seen = 0
        self.records_wanted = 0
        with self._file_errors():
            status = path.stat()
        self.packed_total = status.st_size if S_ISREG(status.st_mode) else None
        self._remaining = set(wanted)
        self._progress = progress
        self._stream: DumpStream | None = None
        self._last_release: int | None = None
        self._unpacked_offset = 0

    @property
    def packed_read(self) -> int:
        """How many bytes of the packed file have been read."""
        return self._stream.offset if self._stream else 0

    @property
    def missing(self) -> frozenset[int]:
        """The wanted releases that have not been seen so far."""
        return frozenset(self._remaining)

    def __iter__(self) -> Iterator[ReleaseCredits | DamagedRecord]:
        """Yield credits and damaged records, in the order of the dump.

        Raises `BadData` for a file that is no releases dump, `UsageFault` for one that may not be
        read.
        """
        with self._file_errors():
            file = open_to_read(self.path)
        with file:
            yield from self._items(file)

    @contextmanager
    def _file_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise UsageFault(
                f"cannot read {self.path}: {exc.strerror}",
                hint="check the path after --from-dump",
                code="no_file",
            ) from exc

    def _items(self, file: BinaryIO) -> Iterator[ReleaseCredits | DamagedRecord]:
        """Yield what is wanted out of a buffer that holds little more than one block."""
        self._stream = DumpStream(file, self._progress)
        blocks = self._stream.blocks()
        buffer = _take_head(blocks)
        root = _check_kind(self.path, buffer, self._stream.damage)
        while self._remaining:
            cut = yield from self._followed(buffer)
            if not self._remaining:
                break
            self._unpacked_offset += cut
            block = next(blocks, None)
            if block is None:
                yield from self._last(buffer[cut:], must_close=root == "releases")
                return
            buffer = buffer[cut:] + block

    def _followed(self, buffer: bytes) -> Generator[ReleaseCredits | DamagedRecord, None, int]:
        """Yield of each record that another one follows; return where the last one begins.

        Only a following `<release ` proves that a record is whole.
        """
        start = _find_start(buffer, 0)
        if start < 0:
            return max(0, len(buffer) - _HEAD_BYTES)
        while (following := _find_start(buffer, start + len(_START))) >= 0:
            item = self._judge(buffer, start, following)
            if item is not None:
                yield item
                if not self._remaining:
                    break
            start = following
        if len(buffer) - start <= MAX_RECORD_BYTES:
            return start
        # Garbage without an end: give it up, or the buffer would grow to the size of the dump.
        item = self._judge(buffer, start, start + _HEAD_BYTES)
        if item is not None:
            yield item
        return len(buffer) - len(_START)

    def _last(self, buffer: bytes, *, must_close: bool) -> Iterator[ReleaseCredits | DamagedRecord]:
        """Yield of the record that none follows, and note in `fault` a dump that ends too early."""
        start = _find_start(buffer, 0)
        if start >= 0 and _END in buffer:
            item = self._judge(buffer, start, len(buffer))
            if item is not None:
                yield item
        damage = self._stream.damage if self._stream else ""
        if not damage and must_close and not _CLOSED.search(buffer):
            damage = "the file ends before </releases>"
        if damage:
            self.fault = DumpFault(
                reason=damage,
                after_release=self._last_release,
                records_seen=self.records_seen,
                packed_offset=self.packed_read,
            )

    def _judge(
        self, buffer: bytes, start: int, following: int
    ) -> ReleaseCredits | DamagedRecord | None:
        """Return the credits of a record, or why it cannot be read; None if it is not wanted."""
        self.records_seen += 1
        found = _ID.match(buffer, start, following)
        if found is None:
            return self._damaged(None, start, "the record has no id")
        release_id = self._last_release = int(found[1])
        if release_id not in self._remaining:
            return None
        self._remaining.discard(release_id)
        self.records_wanted += 1
        end = buffer.find(_END, start, following)
        if end < 0:
            return self._damaged(release_id, start, "the record has no end")
        try:
            return parse_record(release_id, buffer[start : end + len(_END)])
        except ValueError as exc:
            return self._damaged(release_id, start, str(exc))

    def _damaged(self, release_id: int | None, start: int, reason: str) -> DamagedRecord:
        return DamagedRecord(
            release_id=release_id,
            reason=reason,
            record_number=self.records_seen,
            unpacked_offset=self._unpacked_offset + start,
        )


def _find_start(buffer: bytes, position: int) -> int:
    """Find `<release` with white space after it: `<released>` stands in nearly every record."""
    while (position := buffer.find(_START, position)) >= 0:
        after = position + len(_START)
        if buffer[after : after + 1] in _SPACES:
            return position
        position = after
    return -1


def _take_head(blocks: Iterator[bytes]) -> bytes:
    head = b""
    for block in blocks:
        head += block
        if len(head) >= _HEAD_BYTES:
            break
    return head


def _check_kind(path: Path, head: bytes, damage: str) -> str:
    """Return the name of the first element; raise `BadData` if it is no releases dump's."""
    found = _ROOT.match(head)
    root = found[1].decode().lower() if found else ""
    if root in {"releases", "release"}:
        return root
    raise BadData(
        f"{path} is no releases dump: {_describe(head, root, damage)}",
        hint=f"nothing was changed; {_ADVICE}",
        code="no_dump",
    )


def _describe(head: bytes, root: str, damage: str) -> str:
    if not head:
        return damage or "it is empty"
    if head.startswith(_OTHER_PACKINGS):
        return "it is packed in a way that Discogs does not use"
    if root == "html":
        return "it is a web page, perhaps an error's"
    if root.removesuffix("s") in _OTHER_DUMPS:
        return f"it is the dump of the {root.removesuffix('s')}s"
    return f"it begins with <{root}>" if root else "it is no XML"
