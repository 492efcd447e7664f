"""WAL where the file system carries it; elsewhere the rollback journal, which works everywhere."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from discosync.database.connection import journal
from discosync.database.connection.engine import open_database
from discosync.database.connection.failures import storage_failed
from discosync.database.connection.journal import carries_wal
from tests.support.program import Program
from tests.support.shop import make_shop, write_export


@pytest.fixture(autouse=True)
def _forget_what_was_tried() -> Iterator[None]:
    carries_wal.cache_clear()
    yield
    carries_wal.cache_clear()


class _NoSharedMemory(sqlite3.Connection):
    """Fails as SQLite does where a `-shm` file cannot be mapped: after the switch to WAL."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith("CREATE"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *values)


def test_trying_tells_whether_wal_works_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed process left of trying it goes too."""
    (tmp_path / ".discosync-0123abcd").mkdir()
    assert carries_wal(tmp_path)
    carries_wal.cache_clear()
    connect = sqlite3.connect

    def connect_without_memory(path: Path, **more: object) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(path, factory=_NoSharedMemory, isolation_level=None)
        return made

    monkeypatch.setattr(sqlite3, "connect", connect_without_memory)
    assert not carries_wal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_directory_that_takes_no_file_carries_no_wal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that follows says why, and the file is as it was until then."""

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(journal, "hold_directory", refuse)
    assert not carries_wal(tmp_path)


def test_sync_works_with_a_rollback_journal_and_other_programs_read_the_file(
    sqlite_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is never switched, so nobody who could open it is kept out of it."""
    monkeypatch.setattr(journal, "carries_wal", lambda _directory: False)
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    for count in (20, 21):
        write_export(path, make_shop(count))
        assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    header = sqlite_program.database_file.read_bytes()[18:20]
    assert header == b"\x01\x01"
    assert not list(tmp_path.glob("mirror.db-*"))
    assert sqlite_program("db", "backup").exit_code == 0


def test_file_that_is_in_wal_mode_stays_in_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tried then: an ordinary hour makes no file for it."""
    database = open_database(sqlite_url, read_only=False, application="tests")
    with database.session(writes=True) as session:
        session.execute("CREATE TABLE t (x)")
    monkeypatch.setattr(journal, "carries_wal", lambda _directory: pytest.fail("it was tried"))
    with database.session(writes=True) as session:
        session.execute("INSERT INTO t VALUES (1)")
    assert database.path is not None
    with closing(sqlite3.connect(database.path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_wal_without_shared_memory_is_told_as_that() -> None:
    """The words `disk I/O error` alone would send people to look for a broken disk."""
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorname = "SQLITE_IOERR_SHMMAP"
    assert "journal_mode=DELETE" in storage_failed("sqlite:///x.db", cause).hint
