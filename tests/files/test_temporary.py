"""A run's temporary directory is gone with the run, and that of a killed run with the next one."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from discosync.errors import StorageFailed
from discosync.files.temporary import remove_dead_ones, temporary_directory
from tests.support.waiting import wait_for_line

_HOLDER = """
import time
from discosync.files.temporary import temporary_directory
with temporary_directory() as directory:
    (directory / "file.csv").write_text("half")
    print("holding", flush=True)
    time.sleep(1_000_000)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's directory for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def _holder(place: Path) -> Iterator["subprocess.Popen[str]"]:
    command, environment = [sys.executable, "-c", _HOLDER], {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as holder:
        try:
            wait_for_line(holder.stdout, "holding")
            yield holder
        finally:
            holder.kill()


def test_directory_is_its_owners_and_is_gone_afterwards(place: Path) -> None:
    """Whatever is in it goes with it."""
    with temporary_directory() as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "deep").mkdir()
        (directory / "deep" / "file").touch()
    assert list(place.iterdir()) == []


def test_directory_of_a_killed_process_is_removed_and_others_stay(place: Path) -> None:
    """A living one's stays, and so does what only has a name like ours."""
    others = {place / name for name in ("discosync-source", "discosync-12345678", "discosync-file")}
    for other in others - {place / "discosync-file"}:
        other.mkdir()
        (other / "work").touch()
    (place / "discosync-file").touch()
    (place / "discosync-12345678" / "held").write_text("by somebody else")
    with _holder(place):
        kept = set(place.iterdir())
        with _holder(place) as dead:
            dead.kill()
            dead.wait()
        assert len(set(place.iterdir()) - kept) == 1
        remove_dead_ones()
        assert set(place.iterdir()) == kept
    with temporary_directory():
        pass
    assert set(place.iterdir()) == others
    assert (place / "discosync-source" / "work").exists()


@pytest.mark.parametrize("call", ["mkdtemp", "write"])
def test_full_disk_has_no_place_for_temporary_files(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """That is told with the variable that names another place, and nothing is left."""

    def refuse(*_arguments: object, **_more: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkdtemp" if call == "mkdtemp" else "os.write", refuse)
    with pytest.raises(StorageFailed, match="No space") as caught, temporary_directory():
        pass
    assert "TMPDIR" in caught.value.hint
    assert list(place.iterdir()) == []


def test_no_usable_place_is_told(place: Path) -> None:
    """A directory that is not there is a setting to mend."""
    (place / "file").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(place / "file"))
        with pytest.raises(StorageFailed, match="no place"), temporary_directory():
            pass
