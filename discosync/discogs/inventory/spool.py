"""Bring whatever Discogs or the seller gives onto the disk as one plain CSV file."""

import gzip
import hashlib
import lzma
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from discosync.errors import BadData
from discosync.files.disk import disk_errors

_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20


class Spool:
    """A directory of one seller for the snapshot of one run.

    Its lock is the seller's: whatever is left in it by a run that died belongs to nobody, and
    `prepare` removes it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def _kept(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}.kept")

    def keep(self, path: Path) -> Path:
        """Put one file aside for later, in place of what was kept before; return where it is."""
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir(mode=0o700)
        return path.rename(self._kept / path.name)

    def forget_kept(self) -> None:
        """Remove what was put aside: something newer has been applied."""
        shutil.rmtree(self._kept, ignore_errors=True)

    def prepare(self) -> None:
        """Make the directory, empty; raise `StorageFailed` when that cannot be done."""
        with disk_errors(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.clear()

    def clear(self) -> None:
        """Remove what is in it."""
        with disk_errors(self.directory):
            for leftover in self.directory.iterdir():
                leftover.unlink()

    def remove(self) -> None:
        """Remove the directory and what is in it; a run that succeeded leaves nothing."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name: str) -> Path:
        """Name a file in it."""
        return self.directory / name


def unpack(packed: Path, destination: Path) -> None:
    """Make a plain CSV of a plain, gzipped or zipped one; the first bytes tell, not the name.

    Raises `BadData` when the archive is damaged or holds no CSV.
    """
    with packed.open("rb") as stream:
        magic = stream.read(4)
        stream.seek(0)
        try:
            if magic == _ZIP_MAGIC:
                _unzip(stream, destination)
            elif magic[:2] == _GZIP_MAGIC:
                with gzip.open(stream) as unpacked:
                    _copy(cast("BinaryIO", unpacked), destination)
            else:
                _copy(stream, destination)
        except (
            zipfile.BadZipFile,
            gzip.BadGzipFile,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            OSError,  # bzip2's word for damage
            NotImplementedError,  # a packing method that Python's zipfile does not know
            RuntimeError,  # an encrypted member
        ) as exc:
            raise BadData(
                f"the packed inventory is damaged: {exc}",
                hint="nothing was changed; fetch it again",
                code="damaged_archive",
            ) from exc


def _unzip(stream: BinaryIO, destination: Path) -> None:
    with zipfile.ZipFile(stream) as archive:
        members = [
            member
            for member in archive.infolist()
            if member.filename.lower().endswith(".csv")
            and not member.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise BadData(
                f"the ZIP holds {len(members)} CSV files instead of one",
                hint="nothing was changed; is this a Discogs inventory export?",
                code="damaged_archive",
            )
        with archive.open(members[0]) as unpacked:
            _copy(cast("BinaryIO", unpacked), destination)


def _copy(stream: BinaryIO, destination: Path) -> None:
    with disk_errors(destination):
        file = destination.open("wb")
    with file:
        while chunk := stream.read(_CHUNK_BYTES):
            with disk_errors(destination):
                file.write(chunk)


def copy_stdin(destination: Path) -> None:
    """Bring standard input onto the disk."""
    _copy(sys.stdin.buffer, destination)


def copy_stream(source: Path, destination: Path) -> None:
    """Bring what can be read only once, a pipe, onto the disk."""
    with source.open("rb") as stream:
        _copy(stream, destination)


def digest(path: Path) -> tuple[str, int]:
    """Give a file's SHA-256 and size in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
