"""The lock file: who holds it is named, and a file system without locks is told as such."""

import errno
import fcntl
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.file_lock import describe_signature, is_signed
from discosync.database.connection.lock import Holder, hold_lock, lock_path
from discosync.errors import Locked, StorageFailed
from tests.support.shop import NOON

HOLDER = Holder(command="discosync sync", run_id="r1", started_at=NOON)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A database that is not there yet: its lock is beside it."""
    return open_database(f"sqlite:///{tmp_path}/shop/x.db", read_only=True, application="tests")


def _locked_file(database: Database) -> int:
    """Hold the lock of a seller, as a process does that is about to sign."""
    assert database.path is not None
    path = lock_path(database.path, "velvet")
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def _signed_by(pid: int, host: str = "") -> bytes:
    said = {"pid": pid, "host": host or socket.gethostname(), "command": "discosync sync"}
    return json.dumps(said).encode()


@pytest.mark.parametrize("before", [b"", b'{"pid": 1, "ho', b"[]", b"dead"])
def test_holder_that_has_not_signed_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """The refusal names who holds the lock, however late it signs, and not who held it before."""
    descriptor = _locked_file(database)
    os.pwrite(descriptor, _signed_by(_dead_pid()) if before == b"dead" else before, 0)
    looks: list[float] = []

    def sign_at_third_look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _signed_by(os.getpid()), 0)

    monkeypatch.setattr(time, "sleep", sign_at_third_look)
    with (
        pytest.raises(Locked, match=f"process {os.getpid()} on"),
        hold_lock(database, "velvet", HOLDER),
    ):
        pass
    os.close(descriptor)
    assert len(looks) == 3


def test_lock_that_becomes_free_while_its_signature_is_awaited_is_taken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that dies before it signs keeps nobody out."""
    descriptor = _locked_file(database)
    monkeypatch.setattr(time, "sleep", lambda _seconds: os.close(descriptor))
    with hold_lock(database, "velvet", HOLDER):
        pass


def test_holder_that_never_signs_is_not_waited_for_without_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few seconds the refusal says that nobody has signed."""
    descriptor = _locked_file(database)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    with (
        pytest.raises(Locked, match="not signed yet"),
        hold_lock(database, "velvet", HOLDER),
    ):
        pass
    os.close(descriptor)
    assert 1 < clock[0] < 60


def test_signature_of_another_machine_is_believed(tmp_path: Path) -> None:
    """Whether a process of another machine is alive, this one cannot know."""
    path = tmp_path / "lock"
    path.write_bytes(_signed_by(_dead_pid(), host="elsewhere"))
    assert is_signed(path)
    assert "on elsewhere" in describe_signature(path)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_locks_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Without a lock two runs could write at once: the run ends, and says what to do."""

    def refuse(_file: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(StorageFailed, match=r"x\.db.*knows no locks") as caught,
        hold_lock(database, "velvet", HOLDER),
    ):
        pass
    assert "local disk, or use Postgres" in caught.value.hint


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_lock_that_cannot_be_signed_is_a_fault_of_the_disk(
    database: Database, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """A full disk is told as one, with the file's name."""

    def refuse(*_arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, refuse)
    with (
        pytest.raises(StorageFailed, match=r"x\.db\.velvet"),
        hold_lock(database, "velvet", HOLDER),
    ):
        pass


def test_lock_that_cannot_be_signed_anew_fails_no_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restoring the words of an earlier holder comes after the run, which has committed."""

    def refuse(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with hold_lock(database, "velvet", HOLDER, is_shared=True):
        monkeypatch.setattr(os, "pwrite", refuse)


@pytest.mark.parametrize(("umask", "modes"), [(0, (0o640, 0o750)), (0o077, (0o600, 0o700))])
def test_lock_file_is_never_open_to_everybody(
    database: Database, umask: int, modes: tuple[int, int]
) -> None:
    """Its mode, and that of the directory made for it, follow the umask within that."""
    assert database.path is not None
    before = os.umask(umask)
    try:
        with hold_lock(database, "velvet", HOLDER):
            pass
    finally:
        os.umask(before)
    paths = (lock_path(database.path, "velvet"), database.path.parent)
    assert tuple(stat.S_IMODE(path.stat().st_mode) for path in paths) == modes
