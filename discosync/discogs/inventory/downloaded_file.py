"""An export that the seller downloaded: `.csv`, `.csv.gz`, `.zip`, or standard input."""

from datetime import timedelta
from pathlib import Path

from discosync.core.inventory.pacific import parse_export_name
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.discogs.inventory.spool import Spool, copy_stdin, copy_stream, digest, unpack
from discosync.errors import UsageFault

STDIN = Path("-")
_NAME_PRECISION = timedelta(seconds=59)
"""Discogs' file names hold minutes: `NAME-inventory-YYYYMMDD-HHMM.csv` (observed, August 2026)."""


def load_file(path: Path, *, seller: str, currency: str | None, spool: Spool) -> Snapshot:
    """Copy a file into the spool, unpacked, and return it as a snapshot.

    Its moment comes from its name, None under a name that is not Discogs'. No second count can
    confirm it. Raises `UsageFault` when it cannot be read, `BadData` for a damaged archive.
    """
    plain = spool.path("file.csv")
    # A pipe can be read only once, but telling its packing takes a look at its first bytes.
    if path == STDIN or path.is_fifo():
        packed = spool.path("stream.part")
        if path == STDIN:
            copy_stdin(packed)
        else:
            copy_stream(path, packed)
        unpack(packed, plain)
        packed.unlink()
    else:
        _check_readable(path)
        unpack(path, plain)
    named = parse_export_name(path.name)
    sha256, size_bytes = digest(plain)
    return Snapshot(
        path=plain,
        source=Source.FILE,
        seller=seller,
        sha256=sha256,
        size_bytes=size_bytes,
        as_of=named[1] if named else None,
        as_of_precision=_NAME_PRECISION,
        currency=currency,
    )


def _check_readable(path: Path) -> None:
    # `/dev/zero` never ends, and a terminal waits for somebody to type.
    if path.is_char_device() or path.is_block_device():
        raise UsageFault(
            f"{path} is a device, and no file",
            hint="check the path after --from-file; `-` reads standard input",
            code="no_file",
        )
    try:
        path.open("rb").close()
    except OSError as exc:
        raise UsageFault(
            f"cannot read {path}: {exc.strerror}",
            hint="check the path after --from-file",
            code="no_file",
        ) from exc
