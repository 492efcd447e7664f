"""What a killed process left of a backup, and how to tell it from one that is being made.

Whoever makes a backup shares the lock of a small file in the directory. So when nobody has that
lock, every draft there was left behind. A lock on the draft itself would be in SQLite's way.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from discosync.files.drafts import hold
from discosync.files.making import OWN_FILE


@contextmanager
def making_backup(directory: Path, slug: str) -> Iterator[None]:
    """Share the lock of those who make backups; before that, remove what was left behind.

    `slug` is how the names of this database's backups begin. A file system without locks keeps what
    lies there.
    """
    descriptor = os.open(directory / f".{slug}.lock", os.O_RDWR | os.O_CREAT, OWN_FILE)
    try:
        if hold(descriptor):
            _remove_leftovers(directory, slug)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(directory: Path, slug: str) -> None:
    with suppress(OSError):
        # The draft, and SQLite's own files beside it.
        for draft in directory.glob(f".{slug}-*.part*"):
            draft.unlink(missing_ok=True)
        # The description is written first, and the backup gets its name after that.
        for beside in directory.glob(f"{slug}-*.json"):
            if not beside.with_suffix("").exists():
                beside.unlink(missing_ok=True)
