"""A pipe, a device or a directory where a file should be: said at once, and never waited for."""

import os
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.shop import make_shop, write_export


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that nobody writes into or reads."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_database_that_is_a_pipe_is_refused(sqlite_program: Program, pipe: Path) -> None:
    """SQLite would wait for somebody to write into it; a device is no database either."""
    for path in (pipe, Path("/dev/null")):
        for words in (["sync"], ["status"], ["db", "restore", "x"], ["flags", "list"]):
            result = sqlite_program(*words, DATABASE_URL=f"sqlite:///{path}")
            assert result.exit_code == 10, (words, result.stderr)
            assert "is a pipe or a device" in result.stderr


@pytest.mark.parametrize("name", ["--config", ".env", "discosync.toml"])
def test_settings_in_a_pipe_are_refused(sqlite_program: Program, pipe: Path, name: str) -> None:
    """Passing it over would mean running with other settings."""
    named = ["--config", str(pipe)] if name == "--config" else []
    if not named:
        pipe.rename(sqlite_program.directory / name)
    result = sqlite_program("sync", *named)
    assert result.exit_code == 10
    assert "is a pipe or a device" in result.stderr


@pytest.mark.parametrize("name", ["--config", "discosync.toml"])
def test_settings_in_a_directory_are_refused(sqlite_program: Program, name: str) -> None:
    """A directory has no settings; one called `.env` is often Python's, and is fine."""
    for directory in ("settings", ".env"):
        (sqlite_program.directory / directory).mkdir()
    path = sqlite_program.directory / "settings"
    named = ["--config", str(path)] if name == "--config" else []
    if not named:
        path.rename(sqlite_program.directory / name)
    result = sqlite_program("sync", *named)
    assert result.exit_code == 10
    assert "is a directory" in result.stderr


def test_backup_or_archive_that_is_a_pipe_is_none(sqlite_program: Program, pipe: Path) -> None:
    """Neither is read, whatever it is called."""
    sqlite_program("sync")
    backup = Path(sqlite_program("db", "backup", "--json").report["file"])
    assert sqlite_program("restore", "--from-archive", str(pipe)).exit_code == 14
    beside = pipe.with_name(f"{pipe.name}.json")
    os.mkfifo(beside)
    assert sqlite_program("db", "restore", str(pipe)).exit_code == 17
    earlier = backup.with_name(f"{backup.name[:-24]}19991231T235959000000Z.db")
    for path in (earlier, earlier.with_name(f"{earlier.name}.json")):
        os.mkfifo(path)
    listed = sqlite_program("db", "list", "--json").report["backups"]
    assert [Path(entry["file"]).name for entry in listed] == [backup.name]


def test_lock_file_that_is_a_pipe_is_a_fault_of_the_disk(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """It cannot be signed: 16, with its name."""
    path = write_export(tmp_path / "shop.csv", make_shop(3))
    sqlite_program("sync", "--from-file", str(path))
    (lock,) = tmp_path.glob("mirror.db.velvet*.lock")
    lock.unlink()
    os.mkfifo(lock)
    result = sqlite_program("sync", "--from-file", str(path))
    assert result.exit_code == 16
    assert lock.name in result.stderr
