"""Have one write of this process fail, as a full or failing disk lets it fail.

A point is whatever asks the disk to change something: a file opened to write, each write to it and
its fsync, a directory made, a file renamed, cut or removed, and each statement of SQLite that
writes. The same command on the same data passes the same points.
"""

import builtins
import errno
import io
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SQLITE_SAYS = {
    errno.ENOSPC: ("SQLITE_FULL", "database or disk is full"),
    errno.EDQUOT: ("SQLITE_FULL", "database or disk is full"),
    errno.EIO: ("SQLITE_IOERR_WRITE", "disk I/O error"),
    errno.EROFS: ("SQLITE_READONLY", "attempt to write a readonly database"),
    errno.EACCES: ("SQLITE_CANTOPEN", "unable to open database file"),
}
"""The faults that can be made, and SQLite's name and words for each."""

_AUDITED = {
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod"), 0),
    **dict.fromkeys(("os.rename", "os.link"), 1),
}
"""Python's audit events that are points, with the place of the path in their arguments."""

_OPENS_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_READS = re.compile(r"\s*(SELECT|EXPLAIN|ROLLBACK|BEGIN$|PRAGMA\s+\w+\s*$)", re.IGNORECASE)
_READING_PRAGMA = re.compile(
    r"\s*PRAGMA\s+(synchronous|foreign_keys|foreign_key_check|busy_timeout|locking_mode|"
    r"integrity_check|quick_check|table_info|index_|database_list|temp\.|main\.)",
    re.IGNORECASE,
)


class Faults:
    """Numbers the points below `directories` as they are passed; number `at` fails with `code`."""

    def __init__(self, at: int, code: int, directories: tuple[Path, ...]) -> None:
        self.failed: str | None = None
        self._at, self._code = at, code
        self._passed = 0
        self._directories = tuple(f"{directory}/" for directory in directories)

    def reach(self, name: str, path: object) -> None:
        """Pass one point, or raise what the system would."""
        if self._is_here(path, name):
            raise OSError(self._code, os.strerror(self._code), str(path))

    def reach_unnamed(self, name: str, file: int) -> None:
        """Pass a point of an open file: its error names no path."""
        try:
            path = os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115 - Path opens nothing here
        except OSError:
            return
        # A pipe or a socket has a name without a slash.
        if path.startswith("/") and self._is_here(path, name):
            raise OSError(self._code, os.strerror(self._code))

    def reach_in_sqlite(self, statement: str, path: object) -> None:
        """Pass a point in SQLite."""
        if self._is_here(path, statement):
            name, words = SQLITE_SAYS[self._code]
            failed = sqlite3.OperationalError(words)
            failed.sqlite_errorname = name
            raise failed

    def _is_here(self, path: object, name: str) -> bool:
        where = _absolute(path) if isinstance(path, str | bytes | Path) else ""
        if self.failed is not None or not f"{where}/".startswith(self._directories):
            return False
        self._passed += 1
        if self._passed != self._at:
            return False
        self.failed = f"{name} {where}"
        return True

    def install(self) -> None:
        """Watch this process from now on."""
        sys.addaudithook(self._hear)
        for name in ("write", "pwrite", "fsync"):
            setattr(os, name, self._watching(name, getattr(os, name)))
        io.open = builtins.open = self._open
        self._watch_sqlite()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _OPENS_TO_WRITE and not isinstance(path, int):
                self.reach("open", path)
        elif event in _AUDITED:
            path = arguments[_AUDITED[event]]
            if isinstance(path, int):
                self.reach_unnamed(event, path)
            else:
                self.reach(event, path)

    def _watching(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(file: int, *arguments: Any) -> Any:
            self.reach_unnamed(f"os.{name}", file)
            return call(file, *arguments)

        return watched

    def _open(  # noqa: PLR0917 - Python's own function
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002 - as it is called
        opener: Any = None,
    ) -> Any:
        raw_mode = mode.replace("b", "").replace("t", "")
        if not set(raw_mode) & set("wax+"):
            opened = io.FileIO(file, raw_mode, closefd, opener)
        else:
            opened = _watched_file(self)(file, raw_mode, closefd, opener)
        if buffering == 0:
            return opened
        buffer: Any = (
            io.BufferedRandom(opened)
            if "+" in raw_mode
            else io.BufferedReader(opened)
            if raw_mode == "r"
            else io.BufferedWriter(opened)
        )
        if "b" in mode:
            return buffer
        return io.TextIOWrapper(buffer, encoding, errors, newline)

    def _watch_sqlite(self) -> None:
        connect = sqlite3.connect

        def connect_watched(place: Any, *arguments: Any, **more: Any) -> sqlite3.Connection:
            path = re.sub(r"^file://|\?.*$", "", str(place))
            if "mode=ro" not in str(place) and not os.path.exists(path):  # noqa: PTH110
                self.reach_in_sqlite("connect", path)
            factory = _watched_connection(self, path)
            made: sqlite3.Connection = connect(place, *arguments, **{"factory": factory, **more})
            return made

        sqlite3.connect = sqlite3.dbapi2.connect = connect_watched  # type: ignore[assignment]


def _absolute(path: str | bytes | Path) -> str:
    # Not `resolve`: that would follow a link, and look at the disk.
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100


def _watched_file(faults: Faults) -> type[io.FileIO]:
    class File(io.FileIO):
        def write(self, content: Any, /) -> int:
            faults.reach_unnamed("write", self.fileno())
            return super().write(content)

    return File


def _watched_connection(  # noqa: C901 - a class a line
    faults: Faults, path: str
) -> type[sqlite3.Connection]:
    def reach(statement: str) -> None:
        if not _READS.match(statement) and not _READING_PRAGMA.match(statement):
            faults.reach_in_sqlite(" ".join(statement.split())[:60], path)

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> "Cursor":
            reach(sql)
            super().execute(sql, *values)
            return self

        def executemany(self, sql: str, *rows: Any) -> "Cursor":
            reach(sql)
            super().executemany(sql, *rows)
            return self

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, *values: Any) -> Any:
            return self.cursor().execute(sql, *values)

        def executemany(self, sql: str, *rows: Any) -> Any:
            return self.cursor().executemany(sql, *rows)

        def commit(self) -> None:
            if self.in_transaction:
                reach("COMMIT")
            super().commit()

        def backup(self, target: sqlite3.Connection, **more: Any) -> None:
            reach("backup")
            super().backup(target, **more)

    return Connection
