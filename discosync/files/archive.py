"""Archives of purged listings: gzipped lines of JSON.

The first line is the header. Then come the runs to which the history refers, then the listings,
each with its whole history and its links. The last line counts them: an archive without it was cut
short.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from discosync.core.past.archived import check_archived
from discosync.errors import BackupFailed, BadData
from discosync.files.disk import is_no_file, remedy_of
from discosync.files.drafts import drafting, remove_abandoned
from discosync.files.making import OWN_DIRECTORY, OWN_FILE, make_directory

FORMAT = "discosync-archive"
VERSION = 1

_NAMES = r"purged-.+\.ndjson\.gz"
"""What archives are called, whoever's listings are in them."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A whole archive: its path, its digest and size, and how much is in it."""

    path: Path
    sha256: str
    size_bytes: int
    listings: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCounts:
    """How many runs, listings and changes an archive holds."""

    runs: int = 0
    listings: int = 0
    changes: int = 0


def write_archive(path: Path, header: Line, lines: Iterable[Line]) -> Archive:
    """Write an archive, read it back, and only then give it its name.

    Raises `BackupFailed` when the disk does not take it, or when it reads back differently.
    """
    try:
        make_directory(path.parent, OWN_DIRECTORY)
        remove_abandoned(path.parent, _NAMES)
        with drafting(path, OWN_FILE) as draft:
            written, counts = _write(draft.file, header, lines)
            # A purge deletes what is in here: trust the disk only after reading it back.
            read, _ = _digest_of_lines(draft.path)
            if read != written:
                raise BackupFailed(
                    f"the archive {path} does not read back as it was written",
                    hint="nothing was purged; is the disk sound?",
                    code="archive_unverified",
                )
            sha256 = _sha256(draft.path)
        # The listings are deleted next: a power cut must not lose the archive's name.
        _sync_directory(path.parent)
    except OSError as exc:
        remedy = remedy_of(exc) or "free some space"
        raise BackupFailed(
            f"the archive {path} cannot be written: {exc.strerror or exc}",
            hint=f"nothing was purged; {remedy}, or name another directory with --archive",
            code="archive_failed",
        ) from exc
    return Archive(
        path=path,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        listings=counts.listings,
        changes=counts.changes,
    )


def _write(file: BinaryIO, header: Line, lines: Iterable[Line]) -> tuple[str, ArchiveCounts]:
    digest = hashlib.sha256()
    runs = listings = changes = 0
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:

        def put(line: Line) -> None:
            encoded = (json.dumps(line, ensure_ascii=False) + "\n").encode()
            digest.update(encoded)
            packed.write(encoded)

        put({"type": "header", "format": FORMAT, "version": VERSION, **header})
        for line in lines:
            put(line)
            runs += line["type"] == "run"
            listings += line["type"] == "listing"
            changes += len(line.get("changes", ()))
        put({"type": "end", "runs": runs, "listings": listings, "changes": changes})
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest(), ArchiveCounts(runs=runs, listings=listings, changes=changes)


def _digest_of_lines(path: Path) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    with gzip.open(path, "rb") as packed:
        for line in packed:
            digest.update(line)
            count += 1
    return digest.hexdigest(), count


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def inspect_archive(path: Path) -> tuple[Line, Archive]:
    """Read and check a whole archive; return its header and what is in it.

    Raises `BadData` for an archive that is missing, damaged, cut short or of another program.
    """
    header: Line | None = None
    listings = changes = 0
    for line in read_archive(path):
        header = header or line
        if line["type"] == "listing":
            with _reading(path):
                check_archived(line)
            listings += 1
            changes += len(line["changes"])
    return header or {}, Archive(
        path=path,
        sha256=_sha256(path),
        size_bytes=path.stat().st_size,
        listings=listings,
        changes=changes,
    )


def read_archive(path: Path) -> Iterator[Line]:
    """Yield an archive's lines, with header and end; raise `BadData` for a broken archive."""
    seen = {"run": 0, "listing": 0}
    is_first, end = True, None
    with _reading(path), _open_plain(path) as lines:
        for text in lines:
            line = json.loads(text)
            kind = line["type"]
            if is_first and (kind, line.get("format")) != ("header", FORMAT):
                raise ValueError("it is not an archive of discosync")
            if is_first and line.get("version") != VERSION:
                raise ValueError(f"this discosync does not know version {line.get('version')}")
            is_first = False
            seen[kind] = seen.get(kind, 0) + 1
            end = line if kind == "end" else None
            yield line
        # A copy that broke off at the end of a line reads well: only counting shows it.
        if end is None or (end["runs"], end["listings"]) != (seen["run"], seen["listing"]):
            raise ValueError("it is cut short")


def _open_plain(path: Path) -> TextIO:
    # Reading a pipe could never end, and an archive is read several times.
    if is_no_file(path):
        raise ValueError("it is a pipe or a device, and no file")
    return gzip.open(path, "rt", encoding="utf-8")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        raise BadData(
            f"there is no archive {path}",
            hint="nothing was changed; check the path: a bare name is looked for in the working "
            "directory, then in ARCHIVE_DIR",
            code="no_archive",
        ) from exc
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as exc:
        raise BadData(
            f"the archive {path} cannot be read: {exc}",
            hint="nothing was changed; fetch another copy of it",
            code="damaged_archive",
        ) from exc
