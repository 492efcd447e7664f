"""The directory for a run's snapshot, and unpacking into it: always one plain CSV file."""

import gzip
import hashlib
import lzma
import os
import shutil
import sys
import zipfile
import zlib
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from discosync.errors import BadData, UsageFault
from discosync.files.bounded import MAX_INVENTORY_BYTES, bounded, most_unpacked
from discosync.files.disk import disk_errors
from discosync.files.held_directory import hold_directory, remove_abandoned_directories
from discosync.files.making import OWN_DIRECTORY, OWN_FILE

_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
_SELLERS_NAME = r"[a-z0-9_-]{0,60}-[0-9a-f]{8}"
"""What the directory of a seller's snapshot is called; an inventory that is kept has a dot."""


class Spool:
    """The directory for the snapshot of one seller's run.

    A run holds the seller's lock, so no other run uses the directory: files that a killed run left
    are removed by `prepare`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._held: int | None = None

    @property
    def _kept(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}.kept")

    def keep(self, path: Path) -> Path:
        """Move one file beside the directory, in place of one kept before; return its new path."""
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir(mode=OWN_DIRECTORY)
        path.chmod(OWN_FILE)
        return path.rename(self._kept / path.name)

    def forget_kept(self) -> None:
        """Remove the file that was kept: a newer snapshot has been applied."""
        shutil.rmtree(self._kept, ignore_errors=True)

    def prepare(self) -> None:
        """Make the directory and empty it; raise `StorageFailed` when that fails.

        The directories of other sellers, whose runs were killed, are removed.
        """
        with disk_errors(self.directory):
            if self._held is None:
                self._held = hold_directory(self.directory)
            self.clear()
        remove_abandoned_directories(self.directory.parent, _SELLERS_NAME)

    def clear(self) -> None:
        """Remove its files; raise `StorageFailed` when that fails."""
        with disk_errors(self.directory):
            for leftover in self.directory.iterdir():
                leftover.unlink()

    def remove(self) -> None:
        """Remove the directory with its files, after a run that succeeded; raises nothing."""
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.directory / name


def unpack(packed: Path, destination: Path) -> None:
    """Write a plain, gzipped or zipped CSV as a plain one.

    The first bytes decide, not the name. Raises `BadData` when the archive is damaged, does not
    hold exactly one CSV, or holds far more than an inventory.
    """
    most_bytes = most_unpacked(packed.stat().st_size)
    with packed.open("rb") as stream:
        magic = stream.read(4)
        stream.seek(0)
        try:
            if magic == _ZIP_MAGIC:
                _unzip(stream, destination, most_bytes)
            elif magic[:2] == _GZIP_MAGIC:
                with gzip.open(stream) as unpacked:
                    _copy(cast("BinaryIO", unpacked), destination, most_bytes)
            else:
                _copy(stream, destination)
        except (
            zipfile.BadZipFile,
            gzip.BadGzipFile,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            OSError,  # damage, as bzip2 reports it
            NotImplementedError,  # a packing method that Python's zipfile does not know
            RuntimeError,  # an encrypted member
        ) as exc:
            raise BadData(
                f"the packed inventory is damaged: {exc}",
                hint="nothing was changed; fetch it again",
                code="damaged_archive",
            ) from exc


def _unzip(stream: BinaryIO, destination: Path, most_bytes: int) -> None:
    with zipfile.ZipFile(stream) as archive:
        members = [
            member
            for member in archive.infolist()
            if member.filename.lower().endswith(".csv")
            # macOS adds a folder of its own to a ZIP, with a shadow of each file.
            and not member.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise BadData(
                f"the ZIP holds {len(members)} CSV files instead of one",
                hint="nothing was changed; is this a Discogs inventory export?",
                code="damaged_archive",
            )
        with archive.open(members[0]) as unpacked:
            _copy(cast("BinaryIO", unpacked), destination, most_bytes)


def _copy(stream: BinaryIO, destination: Path, most_bytes: int = MAX_INVENTORY_BYTES) -> None:
    with disk_errors(destination):
        file = destination.open("wb")
    try:
        for chunk in bounded(iter(partial(stream.read, _CHUNK_BYTES), b""), most_bytes):
            with disk_errors(destination):
                file.write(chunk)
    except BaseException:
        with suppress(OSError):
            file.close()
        raise
    # Closing writes the rest: a full disk may show only now, and is no damage of the archive.
    with disk_errors(destination):
        file.close()


def copy_stdin(destination: Path) -> None:
    """Copy standard input into a file.

    Raises `UsageFault` when nothing can come from there, `BadData` when no end comes, and
    `StorageFailed` when the disk does not take it.
    """
    # Somebody has closed it, as `<&-` does, or sits before it and would wait for an answer.
    if sys.stdin is None or sys.stdin.isatty():
        what = "closed" if sys.stdin is None else "a terminal"
        raise UsageFault(
            f"there is no file on standard input: it is {what}",
            hint="give it a file or a pipe: `discosync sync --from-file - < FILE`",
            code="no_file",
        )
    _copy(sys.stdin.buffer, destination)


def copy_stream(source: Path, destination: Path) -> None:
    """Copy a pipe, which can be read only once, into a file; a signal ends the wait for it."""
    with source.open("rb") as stream:
        _copy(stream, destination)


def digest(path: Path) -> tuple[str, int]:
    """Return a file's SHA-256, in hexadecimal, and its size in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
