"""A file gets its name when it is whole, and what a killed process left is removed."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from discosync.files import drafts
from discosync.files.drafts import drafting, remove_abandoned
from tests.support.waiting import wait_for_line

_WRITER = """
import sys, time
from pathlib import Path
from discosync.files.drafts import drafting
with drafting(Path(sys.argv[1]), 0o600) as draft:
    draft.file.write(b"half")
    draft.file.flush()
    print("writing", flush=True)
    time.sleep(1_000_000)
"""


@contextmanager
def _writer(path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            wait_for_line(writer.stdout, "writing")
            yield writer
        finally:
            writer.kill()


def test_draft_of_a_killed_process_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    """Only what has our form of name, and no writer any more, is ours to remove."""
    path = tmp_path / "report.json"
    others = [
        tmp_path / name for name in ("report.json", ".report.json.tmp", ".other.aaaaaaaa.tmp")
    ]
    for other in others:
        other.touch()
    with _writer(path) as dead, _writer(path):
        dead.kill()
        dead.wait()
        assert len(list(tmp_path.iterdir())) == 5
        remove_abandoned(tmp_path, re.escape(path.name))
        (draft,) = set(tmp_path.iterdir()) - set(others)
        assert draft.read_text() == "half"
    assert path.read_text() == ""


def test_file_keeps_its_mode(tmp_path: Path) -> None:
    """Whoever opened a report to others, or closed it, chose so."""
    path = tmp_path / "report.json"
    for mode in (0o600, 0o664):
        path.touch()
        path.chmod(mode)
        with drafting(path, 0o640) as draft:
            draft.file.write(b"new")
        assert path.stat().st_mode & 0o777 == mode


def test_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    """Neither half a file nor a draft is left."""
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), drafting(path, 0o640):
        raise OSError(errno.ENOSPC, "full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_draft_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making a draft and locking it, it looks like one that was left behind."""
    taken: list[Path] = []

    def hold_after_a_sweep(_descriptor: int) -> bool:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        return True

    monkeypatch.setattr(drafts, "hold", hold_after_a_sweep)
    with drafting(tmp_path / "report.json", 0o640) as draft:
        draft.file.write(b"whole")
    assert (tmp_path / "report.json").read_text() == "whole"


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system knows no locks, nobody can tell whose a draft is."""
    (tmp_path / ".report.json.00000000.tmp").touch()

    def refuse(_file: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    remove_abandoned(tmp_path, "report.json")
    with drafting(tmp_path / "new", 0o640) as draft:
        draft.file.write(b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".report.json.00000000.tmp", "new"]
