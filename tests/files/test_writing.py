"""A file is replaced as a whole, and a link stays a link."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from discosync.files.writing import write_json, write_text


def test_file_is_replaced_and_leaves_no_draft(tmp_path: Path) -> None:
    """Directories are made on the way."""
    path = tmp_path / "new" / "report.json"
    for number in (1, 2):
        write_json({"number": number, "name": "Größe"}, path)
    assert json.loads(path.read_text()) == {"number": 2, "name": "Größe"}
    assert path.read_text().endswith("}\n")
    assert list(path.parent.iterdir()) == [path]


def test_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it names gets the text, also when that file is not there yet."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    write_text("text", link)
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "text"


def test_pipe_is_written_to(tmp_path: Path) -> None:
    """It is not replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text("text", pipe)
    reader.join()
    assert (read, pipe.is_fifo()) == (["text"], True)


def test_pipe_that_nobody_reads_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one without a reader, nor one whose reader has stopped reading."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    with pytest.raises(TimeoutError, match="nobody reads it"):
        write_text("text", pipe)
    monkeypatch.setattr("discosync.files.writing._READER_SECONDS", 0.0)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(TimeoutError, match="nobody reads it"):
        write_text("x" * 1_000_000, pipe)
    os.close(reader)


def test_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    """A text that no encoding takes leaves the old file and no draft."""
    path = tmp_path / "file"
    write_text("old", path)
    with pytest.raises(UnicodeEncodeError):
        write_text("\ud800", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
