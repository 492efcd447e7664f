"""The lock file beside a SQLite file: locked by `flock`, and signed by whoever holds it."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from discosync.errors import StorageFailed
from discosync.files.disk import disk_errors, remedy_of
from discosync.files.making import GROUP_DIRECTORY, GROUP_FILE, make_directory

_MAX_SIGNATURE_BYTES = 4096
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})
"""What `flock` says on a network's or a container's file system that knows no locks."""


@contextmanager
def opened_lock_file(path: Path) -> Iterator[int]:
    """Give a descriptor of the lock file, and make it if it is missing.

    Raises `StorageFailed` when that fails.
    """
    try:
        make_directory(path.parent, GROUP_DIRECTORY)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, GROUP_FILE)
    except OSError as exc:
        remedy = remedy_of(exc) or "may this user write to the database's directory?"
        raise StorageFailed(
            f"cannot make the lock file {path}: {exc.strerror}",
            hint=f"{remedy}; nothing was changed",
            code="lock_file",
        ) from exc
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_flock(descriptor: int, path: Path, *, is_shared: bool) -> bool:
    """Take the lock if it is free; raise `StorageFailed` where there are no locks."""
    operation = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            with disk_errors(path):
                raise
        raise StorageFailed(
            f"the file system of {path} knows no locks: {exc.strerror}",
            hint="without them two runs could write at once: put the database on a local disk, or "
            "use Postgres; nothing was changed",
            code="no_locks",
        ) from exc
    return True


@contextmanager
def signed(descriptor: int, path: Path, signature: bytes, *, is_shared: bool) -> Iterator[None]:
    """Write who holds the lock into its file; a holder who shared it restores the earlier words.

    Raises `StorageFailed` when the disk does not take the signature.
    """
    with disk_errors(path):
        before = os.pread(descriptor, _MAX_SIGNATURE_BYTES, 0)
        _sign(descriptor, signature)
    try:
        yield
    finally:
        # The run is over, and has written what it had to write: its signature harms nobody.
        with suppress(OSError):
            if is_shared and os.pread(descriptor, _MAX_SIGNATURE_BYTES, 0) == signature:
                _sign(descriptor, before)


def _sign(descriptor: int, signature: bytes) -> None:
    # Over the old words, and only then cut: a full disk still takes what needs no new block.
    os.pwrite(descriptor, signature, 0)
    os.ftruncate(descriptor, len(signature))


def make_signature(*, command: str, run_id: str, started_at: datetime) -> bytes:
    """Write down who holds a lock: this process."""
    return json.dumps(
        {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started_at": started_at.isoformat(timespec="seconds"),
            "command": command,
            "run_id": run_id,
        }
    ).encode()


def is_signed(path: Path) -> bool:
    """Whether the file names a process that can be the holder.

    It does not while the holder is about to sign: the file is empty, or half written, or still
    names a process of this machine that has ended.
    """
    said = _read(path)
    if not isinstance(said.get("pid"), int):
        return False
    return said.get("host") != socket.gethostname() or _is_alive(said["pid"])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        return True
    return True


def describe_signature(path: Path) -> str:
    """Name the holder of a lock, as its file does."""
    said = _read(path)
    if not said:
        return "its holder has not signed yet"
    return (
        f"process {said.get('pid')} on {said.get('host')}, {said.get('command')}, "
        f"since {said.get('started_at')}"
    )


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        said = json.loads(path.read_bytes())
        if isinstance(said, dict):
            return said
    return {}
