"""Copy a SQLite database while it is in use, count what a copy holds, and put one back."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path

from discosync.database.connection.engine import Database
from discosync.database.connection.soundness import find_damage
from discosync.errors import BackupFailed
from discosync.files.making import GROUP_DIRECTORY, GROUP_FILE, make_directory, make_file

_BUSY_SECONDS = 30.0


def copy_sqlite(database: Database, draft: Path) -> dict[str, int]:
    """Copy the database; return how many rows each table had at that moment."""
    with database.session() as session, _errors(draft), closing(sqlite3.connect(draft)) as copy:
        # Of WAL only this kind works where processes share no memory.
        copy.execute("PRAGMA locking_mode=EXCLUSIVE")
        rows = _count_tables(session.driver)
        # In the transaction that has just counted: the copy holds no row that was not counted.
        session.driver.backup(copy)
        # One plain file: it can be opened in a directory where nothing may be written.
        copy.execute("PRAGMA journal_mode=DELETE")
    _flush(draft)
    return rows


def count_sqlite_copy(path: Path) -> dict[str, int]:
    """Check a copy's structure and count its rows; raise `BackupFailed` if it is damaged."""
    with _errors(path), closing(_open_copy(path)) as copy:
        verdict = str(copy.execute("PRAGMA integrity_check").fetchone()[0])
        if verdict != "ok":
            raise BackupFailed(f"the backup {path} is damaged: {verdict[:200]}", hint="")
        return _count_tables(copy)


def _count_tables(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - the database's own names
        for (name,) in names
    }


def restore_sqlite(database: Database, path: Path) -> None:
    """Write a copy's pages over the database in one transaction.

    A database that can no longer be opened is put aside first.
    """
    target = database.path
    if target is None:
        raise TypeError("not a SQLite database")
    if target.exists() and not is_sound(target):
        _put_aside(target)
    make_directory(target.parent, GROUP_DIRECTORY)
    make_file(target, GROUP_FILE)
    gives_up_at = time.monotonic() + _BUSY_SECONDS

    def give_up(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > gives_up_at:
            raise BackupFailed(
                f"another program holds {target} and does not let go",
                hint="nothing was changed; find it (fuser, lsof), then run again",
            )

    with (
        _errors(path),
        closing(_open_copy(path)) as copy,
        closing(sqlite3.connect(target)) as live,
    ):
        copy.backup(live, progress=give_up, sleep=0.2)
    _flush(target)


def _open_copy(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def is_sound(path: Path) -> bool:
    """Whether a database can be opened and holds together: only then a backup can be made."""
    try:
        return find_damage(path, thoroughly=True) is None
    except sqlite3.DatabaseError:
        return False


def _put_aside(path: Path) -> None:
    """Rename a damaged database and what belongs to it; one put aside earlier stays."""
    suffixes = ("", "-wal", "-shm", "-journal")
    numbered = (f"{path.name}.damaged.{number}" for number in count(2))
    aside = next(
        name
        for name in chain([f"{path.name}.damaged"], numbered)
        if not any(os.path.lexists(path.with_name(name + suffix)) for suffix in suffixes)
    )
    for suffix in suffixes:
        part = path.with_name(f"{path.name}{suffix}")
        if part.exists():
            part.replace(path.with_name(aside + suffix))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise BackupFailed(
            f"the backup {path} failed: {exc}",
            hint="nothing was changed; is there room on the disk, and may this user write there?",
        ) from exc
