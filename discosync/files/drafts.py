"""Drafts: files that get their names when they are whole. A killed process leaves one behind.

Its writer holds the kernel's lock on a draft. So a draft whose lock is free is nobody's any more,
and whoever writes there next removes it.
"""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that is being written; it may be read back at `path`."""

    path: Path
    file: BinaryIO


@contextmanager
def drafting(path: Path, mode: int) -> Iterator[Draft]:
    """Give a draft beside `path` to write to, and rename it to `path` at the end.

    A new file has this mode at most; in the place of another one it takes that one's mode. Raises
    `OSError`, and then there is no draft, and `path` is as it was.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with _opened(draft, mode) as file:
            yield Draft(path=draft, file=file)
            file.flush()
            _take_mode_of(path, file.fileno())
            draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _opened(draft: Path, mode: int) -> BinaryIO:
    while True:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        hold(descriptor)
        # Somebody who cleans up may have taken it for left behind just before it was locked.
        if os.fstat(descriptor).st_nlink:
            return os.fdopen(descriptor, "wb")
        os.close(descriptor)


def _take_mode_of(path: Path, descriptor: int) -> None:
    """Give the draft the mode and the group of the file that it replaces, if it may have them."""
    with suppress(OSError):
        before = path.stat()
        os.fchown(descriptor, -1, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def hold(descriptor: int) -> bool:
    """Hold the kernel's lock on an open file or directory; say whether it was free.

    A file system without locks has none that are free: what lies there is left alone.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def remove_abandoned(directory: Path, names: str) -> None:
    """Remove the drafts of files with such names whose writers are dead; raises nothing.

    `names` is a regular expression for the whole name.
    """
    wanted = re.compile(names, re.DOTALL)
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match and wanted.fullmatch(match["name"]) and entry.is_file(follow_symlinks=False):
                _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if hold(descriptor):
                os.unlink(path)  # noqa: PTH108 - what `scandir` gives
        finally:
            os.close(descriptor)
