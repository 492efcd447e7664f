"""The bytes of a dump, unpacked block by block, and the byte at which damage begins.

It uses `zlib` rather than `gzip`: `gzip` loses the good bytes of the block in which damage begins,
and does not say where that is.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FORM = 31  # to zlib: gzip's header and checksum, window of any size
_CHUNK_BYTES = 1 << 16
_PLAIN_CHUNK_BYTES = 1 << 20
_MAX_BLOCK_BYTES = 1 << 22


class DumpStream:
    """The unpacked blocks of a file, gzipped or plain; its first bytes decide, not its name.

    Damage ends the blocks without an exception: `damage` then says what is wrong, and `offset` at
    which byte of the file.
    """

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self.damage = ""
        self.offset = 0
        self._file = file
        self._progress = progress

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks; may be called once."""
        first = self._read(_CHUNK_BYTES)
        if first.startswith(_GZIP_MAGIC):
            yield from self._unpacked(first)
            return
        while first:
            yield first
            first = self._read(_PLAIN_CHUNK_BYTES)

    def _read(self, size: int) -> bytes:
        try:
            chunk = self._file.read(size)
        except OSError as exc:
            self.damage = f"the disk cannot read on ({exc.strerror or exc})"
            return b""
        self.offset += len(chunk)
        self._progress(len(chunk))
        return chunk

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack one gzip member after the other; zeros after a member are padding."""
        inflater = zlib.decompressobj(_GZIP_FORM)
        while chunk:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP_FORM)
            # zlib does not say which byte was wrong: keep a copy to find it with.
            before = inflater.copy()
            try:
                block = inflater.decompress(chunk, _MAX_BLOCK_BYTES)
            except zlib.error:
                yield self._salvage(before, chunk)
                return
            yield block
            chunk = inflater.unused_data.lstrip(b"\0") or inflater.unconsumed_tail
            while not chunk and (chunk := self._read(_CHUNK_BYTES)) and inflater.eof:
                chunk = chunk.lstrip(b"\0")
        if not inflater.eof:
            self.damage = self.damage or "the file ends in the middle of the packed data"

    def _salvage(self, inflater: "zlib._Decompress", chunk: bytes) -> bytes:
        """Unpack byte by byte, up to the first one that is wrong; return what came out."""
        salvaged = []
        chunk_at = self.offset - len(chunk)
        for index in range(len(chunk)):
            try:
                salvaged.append(inflater.decompress(chunk[index : index + 1]))
            except zlib.error as exc:
                self.offset = chunk_at + index
                self.damage = f"the packed data is damaged ({str(exc).rpartition(': ')[2]})"
                break
        return b"".join(salvaged)
