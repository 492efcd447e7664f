"""Errors of the disk, turned into `StorageFailed`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from discosync.errors import StorageFailed

_HINTS = {
    "write": "free some space or mend the permissions there; nothing was changed",
    "read": "nothing was changed; run again",
}


def path_refused(exc: OSError) -> StorageFailed | None:
    """Return the error that names the refused path; None for an error without a path."""
    # Without a path nobody can mend it: the caller takes it for a bug.
    if exc.filename is None:
        return None
    return StorageFailed(
        f"cannot use {exc.filename}: {exc.strerror}",
        hint="check the path, and who may use it",
        code="disk",
    )


@contextmanager
def disk_errors(path: Path, verb: Literal["read", "write"] = "write") -> Iterator[None]:
    """Turn an `OSError` into a `StorageFailed` that names `path` and what to do."""
    try:
        yield
    except OSError as exc:
        raise StorageFailed(
            f"cannot {verb} {path}: {exc.strerror or exc}", hint=_HINTS[verb], code="disk"
        ) from exc
