"""New files and directories are never open to everybody, and old ones stay as they are."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from discosync.files.making import (
    GROUP_DIRECTORY,
    GROUP_FILE,
    group_opener,
    make_directory,
    make_file,
    own_opener,
)


@pytest.fixture(params=[0, 0o022, 0o077], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Several umasks: of a careless daemon, of most users, of a careful one."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_directory_on_the_way_follows_the_umask_within_the_mode(
    tmp_path: Path, umask: int
) -> None:
    """The ones above are made with the same mode, which `Path.mkdir` does not do."""
    make_directory(tmp_path / "a" / "b", GROUP_DIRECTORY)
    assert {_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")} == {GROUP_DIRECTORY & ~umask}


def test_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """Somebody chose it; a file in its place is no directory."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o777)
    make_directory(tmp_path / "a", GROUP_DIRECTORY)
    assert _mode(tmp_path / "a") == 0o777
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_directory(tmp_path / "file", GROUP_DIRECTORY)
    with pytest.raises(NotADirectoryError):
        make_directory(tmp_path / "file" / "below", GROUP_DIRECTORY)


def test_file_is_made_once(tmp_path: Path, umask: int) -> None:
    """One that is there keeps its mode and what is in it."""
    path = tmp_path / "file"
    make_file(path, GROUP_FILE)
    assert _mode(path) == GROUP_FILE & ~umask
    path.write_text("text")
    path.chmod(0o666)
    make_file(path, GROUP_FILE)
    assert (_mode(path), path.read_text()) == (0o666, "text")


def test_openers_make_files_of_their_mode(tmp_path: Path, umask: int) -> None:
    """Neither is open to everybody."""
    for name, opener, mode in (("a", own_opener, 0o600), ("b", group_opener, 0o640)):
        with open(tmp_path / name, "w", opener=opener) as file:
            file.write("text")
        assert _mode(tmp_path / name) == mode & ~umask
