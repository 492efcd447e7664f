"""What the disk says, in the words of our own errors."""

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
    """Say which path the system refused; None for an error that is about no path."""
    if exc.filename is None:
        return None
    return StorageFailed(
        f"cannot use {exc.filename}: {exc.strerror}",
        hint="check the path, and who may use it",
        code="disk",
    )


@contextmanager
def disk_errors(path: Path, verb: Literal["read", "write"] = "write") -> Iterator[None]:
    """Turn what the disk says about a file into `StorageFailed`."""
    try:
        yield
    except OSError as exc:
        raise StorageFailed(
            f"cannot {verb} {path}: {exc.strerror or exc}", hint=_HINTS[verb], code="disk"
        ) from exc
