"""The monthly releases dump: who made the releases that are wanted, without any API call.

Facts (dump of 2020): 10 GB packed, 120 GB unpacked, one `<release id="…">` after the other in the
order of ids, UTF-8, no CDATA, no comments. Parsing costs, unpacking does not: so the bytes are cut
at each `<release `, the id is read, and only a wanted record is parsed.
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

MAX_RECORD_BYTES = 64 << 20
"""More than that is no record, but garbage that never ends."""

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
    """A wanted release that could not be read; without a `release_id` even that could not.

    `unpacked_offset` is the byte of the unpacked dump at which the record begins.
    """

    release_id: int | None
    reason: str
    record_number: int
    unpacked_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpFault:
    """Where a dump ends too early; what came before has been read.

    `packed_offset` is a byte of the file as it lies on the disk.
    """

    reason: str
    after_release: int | None
    records_seen: int
    packed_offset: int

    @property
    def message(self) -> str:
        """Say it to people."""
        where = "before the first release"
        if self.records_seen:
            where = f"after release {self.after_release} (record {self.records_seen:,})"
        return f"the dump breaks off {where}, at byte {self.packed_offset:,}: {self.reason}"


class DumpReader:
    """Reads the wanted releases of a dump, once; its counters may be looked at all the while.

    `packed_total` is the size of the file, None where nobody knows it, as with a pipe. When the
    iteration has ended, `fault` says whether the dump did too early; `is_stopped` that the rest
    was not looked at, because nothing was wanted any more. A second record of one release is
    passed over.
    """

    def __init__(
        self,
        path: Path,
        wanted: AbstractSet[int],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Look at the file; raise `UsageFault` when there is none.

        `progress` is told of each handful of bytes that was read of the packed file.
        """
        self.path = path
        self.fault: DumpFault | None = None
        self.is_stopped = False
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
        """How many bytes of the file have been read."""
        return self._stream.offset if self._stream else 0

    @property
    def missing(self) -> frozenset[int]:
        """The wanted releases that have not been seen."""
        return frozenset(self._remaining)

    def __iter__(self) -> Iterator[ReleaseCredits | DamagedRecord]:
        """Read; raise `BadData` for what is no releases dump, `UsageFault` for what is closed."""
        with self._file_errors():
            file = self.path.open("rb", buffering=0)
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
        """Cut records out of a buffer that holds little more than one block."""
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
        self.is_stopped = True

    def _followed(self, buffer: bytes) -> Generator[ReleaseCredits | DamagedRecord, None, int]:
        """Read each record that another one follows; return where the last one begins."""
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
        item = self._judge(buffer, start, start + _HEAD_BYTES)
        if item is not None:
            yield item
        return len(buffer) - len(_START)

    def _last(self, buffer: bytes, *, must_close: bool) -> Iterator[ReleaseCredits | DamagedRecord]:
        """Read the record that none follows, and say whether the dump ends as it should."""
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
        """Read a record if it is wanted."""
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
    """Find `<release` and a space: not `<released>`, which nearly every record has."""
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
    """Give the name of the first element; raise `BadData` when it is not a releases dump's."""
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
