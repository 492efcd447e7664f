"""A pipe is read like a file, and one that nobody writes into is not waited for without end."""

import os
import threading
from pathlib import Path

import pytest

from discosync.files.pipes import open_to_read


def test_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """Whoever writes may begin after the reader."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = b"<release>" * 100_000
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    with open_to_read(pipe) as file:
        read = b"".join(iter(lambda: file.read(1 << 16), b""))
    writer.join()
    assert read == content


def test_pipe_without_a_writer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening it would otherwise wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr("discosync.files.pipes._WRITER_SECONDS", 0.0)
    with pytest.raises(TimeoutError, match="nobody writes"):
        open_to_read(pipe)


def test_file_is_opened_as_it_is(tmp_path: Path) -> None:
    """A plain file needs no writer."""
    (tmp_path / "file").write_bytes(b"x")
    with open_to_read(tmp_path / "file") as file:
        assert file.read() == b"x"
