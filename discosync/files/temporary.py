"""Directories for the length of one run, in the system's directory for temporary files.

A killed process leaves its directory behind. Each holds a file that its process keeps locked, so
the next run tells a directory that is left behind from one in use, and from anybody else's.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from discosync.errors import StorageFailed
from discosync.files.disk import remedy_of
from discosync.files.drafts import hold
from discosync.files.making import OWN_DIRECTORY, OWN_FILE

_PREFIX = "discosync-"
_MARK = "held"
_WORDS = b"discosync made this directory, and removes it once no process holds this file\n"


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Give an empty directory of this user alone, and remove it in the end.

    Raises `StorageFailed` when there is no place for one.
    """
    remove_dead_ones()
    with _errors():
        outer = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with _errors():
            descriptor = _mark(outer)
            files = outer / "files"
            files.mkdir(mode=OWN_DIRECTORY)
        try:
            yield files
        finally:
            # The mark goes last: a process that is killed meanwhile leaves what can be recognised.
            shutil.rmtree(files, ignore_errors=True)
            os.close(descriptor)
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _mark(directory: Path) -> int:
    descriptor = os.open(directory / _MARK, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWN_FILE)
    # The words come after the lock: a file without them is nobody's to remove.
    hold(descriptor)
    os.write(descriptor, _WORDS)
    return descriptor


def remove_dead_ones() -> None:
    """Remove our directories whose processes are dead; raises nothing."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(directory: Path) -> None:
    with suppress(OSError):
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(directory / _MARK, flags)
        try:
            is_ours = os.fstat(descriptor).st_uid == os.geteuid()
            if is_ours and os.read(descriptor, len(_WORDS)) == _WORDS and hold(descriptor):
                shutil.rmtree(directory / "files", ignore_errors=True)
                shutil.rmtree(directory, ignore_errors=True)
        finally:
            os.close(descriptor)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        remedy = remedy_of(exc) or "it must be a directory that this user may write to"
        raise StorageFailed(
            f"there is no place for temporary files: {exc.strerror or exc}",
            hint=f"{remedy}; TMPDIR names another place; nothing was changed",
            code="disk",
        ) from exc
