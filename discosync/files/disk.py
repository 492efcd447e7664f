"""Errors of the disk, turned into `StorageFailed`: which file, why, and what to do."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from discosync.errors import StorageFailed

_HINTS = {
    "write": "free some space or mend the permissions there; nothing was changed",
    "read": "nothing was changed; run again",
}

_LOOK = "look at the system's log (`dmesg`), and see that there is a backup elsewhere"
_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space there",
    errno.EDQUOT: "this user's quota on that disk is used up: free some space, or raise the quota",
    errno.EFBIG: "the file would be larger than this user may make one: raise that limit "
    "(`ulimit -f`)",
    errno.EIO: f"the disk, or the way to it, fails: {_LOOK}",
    errno.EROFS: f"the disk is mounted for reading only, as Linux does when one fails: {_LOOK}",
    errno.EACCES: "this user may not use it: mend the permissions of the file and its directory",
    errno.EPERM: "this user may not use it: mend the permissions of the file and its directory",
}
"""What to do about what only the owner of the machine can mend."""


def remedy_of(exc: OSError) -> str | None:
    """Say what to do about a fault of the disk; None for an error of another kind."""
    return _REMEDIES.get(exc.errno or 0)


def path_refused(exc: OSError) -> StorageFailed | None:
    """Return the error that names the refused path; None for an error that is no disk's."""
    remedy = remedy_of(exc)
    if exc.filename is not None:
        return StorageFailed(
            f"cannot use {exc.filename}: {exc.strerror}",
            hint=remedy or "check the path, and who may use it",
            code="disk",
        )
    # Without a path and without a full or failing disk nobody can mend it: that is a bug.
    if remedy is None:
        return None
    return StorageFailed(
        f"the disk refused to read or write a file: {exc.strerror}",
        hint=f"{remedy}; it is the disk of the database, of TMPDIR, or of what was named",
        code="disk",
    )


def is_no_file(path: Path) -> bool:
    """Whether there is a pipe, a socket or a device: reading one may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever opens it says why
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def disk_errors(path: Path, verb: Literal["read", "write"] = "write") -> Iterator[None]:
    """Turn an `OSError` into a `StorageFailed` that names `path` and what to do."""
    try:
        yield
    except OSError as exc:
        remedy = remedy_of(exc)
        raise StorageFailed(
            f"cannot {verb} {path}: {exc.strerror or exc}",
            hint=f"{remedy}; nothing was changed" if remedy else _HINTS[verb],
            code="disk",
        ) from exc
