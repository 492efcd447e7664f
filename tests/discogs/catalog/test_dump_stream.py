"""The bytes of a dump, and the byte at which damage begins."""

import gzip
import io

import pytest

from discosync.discogs.catalog.dump_stream import DumpStream

CONTENT = bytes(range(256)) * 2000


def _read(packed: bytes) -> tuple[bytes, DumpStream, list[int]]:
    told: list[int] = []
    stream = DumpStream(io.BytesIO(packed), told.append)
    return b"".join(stream.blocks()), stream, told


@pytest.mark.parametrize(
    "packed",
    [
        CONTENT,
        gzip.compress(CONTENT),
        gzip.compress(CONTENT[:9]) + gzip.compress(CONTENT[9:]),
        gzip.compress(CONTENT) + b"\0" * 5000,
    ],
    ids=["plain", "gzip", "two members", "padding"],
)
def test_blocks_are_the_content(packed: bytes) -> None:
    """Plain or packed, in one member or several, all bytes come; progress tells of each read."""
    content, stream, told = _read(packed)
    assert content == CONTENT
    assert stream.damage == ""
    assert stream.offset == sum(told) == len(packed)


def test_empty_file_has_no_block() -> None:
    """It is not damaged either."""
    content, stream, _ = _read(b"")
    assert (content, stream.damage, stream.offset) == (b"", "", 0)


def test_damage_ends_the_blocks_at_its_byte() -> None:
    """What came before the bad byte is not lost, and its place in the file is known."""
    first = gzip.compress(CONTENT[:5000])
    packed = bytearray(first + gzip.compress(CONTENT[5000:]))
    bad = len(first) + 10  # the first byte after a header, now of an unknown kind of block
    packed[bad] |= 0b110
    content, stream, _ = _read(bytes(packed))
    assert content == CONTENT[:5000]
    assert stream.offset == bad
    assert "invalid block type" in stream.damage


def test_packed_file_cut_short_is_damaged() -> None:
    """Its last bytes are missing, whatever could be unpacked."""
    packed = gzip.compress(CONTENT)
    content, stream, _ = _read(packed[:-20])
    assert CONTENT.startswith(content)
    assert "in the middle" in stream.damage


class _FailingFile(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_disk_that_fails_is_damage_too() -> None:
    """The blocks end there, without an exception."""
    stream = DumpStream(_FailingFile(CONTENT), lambda _count: None)
    assert CONTENT.startswith(b"".join(stream.blocks()))
    assert "Input/output error" in stream.damage
