"""Which journal a SQLite file has: the write-ahead log (WAL), or the rollback journal.

With WAL a reader stops no run, and a run no reader. But it needs memory that processes share by way
of a file, and some file systems have none: those of containers on a Mac or on Windows, mergerfs,
network shares. A file that was switched to WAL there could be read by nobody any more.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from discosync.files.held_directory import hold_directory, remove_abandoned_directories

_BUSY_MILLISECONDS = 30_000
_TRIED = r"\.discosync-[0-9a-f]{8}"


def use_best_journal(execute: Callable[[str], Any]) -> None:
    """Switch the connection's file to WAL, unless its file system does not carry that.

    Called before a transaction that writes: a run that is refused leaves the file as it is.
    """
    if execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    path = Path(execute("PRAGMA database_list").fetchone()[2])
    if carries_wal(path.parent):
        execute("PRAGMA journal_mode=WAL")
        return
    # With a rollback journal the commit waits for readers, and only FULL outlives a power cut.
    execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    execute("PRAGMA synchronous=FULL")


@cache
def carries_wal(directory: Path) -> bool:
    """Whether WAL works in a directory; found out with a database of our own, which is removed.

    The database itself must not be tried: SQLite switches it for good, and fails only then.
    """
    remove_abandoned_directories(directory, _TRIED)
    own = directory / f".discosync-{os.urandom(4).hex()}"
    try:
        held = hold_directory(own)
    except OSError:
        return False
    try:
        with closing(sqlite3.connect(own / "tried.db", isolation_level=None)) as tried:
            tried.execute("PRAGMA journal_mode=WAL")
            tried.execute("CREATE TABLE tried (number)")
            return bool(tried.execute("PRAGMA journal_mode").fetchone()[0] == "wal")
    except sqlite3.Error:
        # Also for a full disk: then the write that follows says so.
        return False
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(held)
