"""Numbered points of one run of the program, and what can be done to it there.

A point lies before and after each statement and commit that goes to the driver of SQLite or
Postgres, before each row of a bulk write and each block of pages of a copied database, before each
request, and before each file is opened, made, renamed, linked or removed. The same command on the
same data passes the same points, however fast the machine is.
"""

import errno
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

PAGES_PER_BLOCK = 8
"""How much of a SQLite database is copied between two points."""

_NAMED_FILE_EVENTS = {
    "os.rename": "rename to",
    "os.link": "link to",
    "os.remove": "removal of",
    "os.mkdir": "making",
    "os.rmdir": "removal of",
}
_FILE_POINTS = tuple(f"before {what}" for what in ("writing", *_NAMED_FILE_EVENTS.values()))
_REQUEST = re.compile(rb"([A-Z]+ /\S*) HTTP/1\.")
_SIGNALS = {
    "kill": signal.SIGKILL,
    "term": signal.SIGTERM,
    "hup": signal.SIGHUP,
    "int": signal.SIGINT,
    "budget": signal.SIGALRM,
}


class Points:
    """Numbers the points as they are passed, and does something at one of them."""

    def __init__(self) -> None:
        self.peak_handles = 0
        self._passed = 0
        self._at: int | None = None
        self._action = "kill"
        self._log: Any = None
        self._is_acting = False
        self._directory = ""
        self._form = re.compile("")

    def begin(
        self,
        *,
        at: int | None,
        action: str,
        log: Path | None,
        directory: Path,
        form: str = "",
    ) -> None:
        """Count from here on; `directory` is where the files lie that count.

        With a `form` the action happens at that many points whose name begins like that.
        """
        self._form = re.compile(form)
        self._directory = f"{directory.resolve()}{os.sep}"
        self._log = log.open("w", buffering=1) if log else None
        self._at, self._action, self._passed = at, action, 0
        self.peak_handles = open_handles()

    def reach(self, name: str) -> None:
        """Pass one point, or have it happen there."""
        if not self._directory or self._is_acting:
            return
        self._passed += self._form.match(name) is not None
        if self._log:
            self._log.write(f"{name}\n")
        self.peak_handles = max(self.peak_handles, open_handles())
        if self._passed == self._at:
            self._at = None
            self._is_acting = True
            try:
                self._act(name)
            finally:
                self._is_acting = False

    def _act(self, name: str) -> None:
        if self._action == "disk":
            raise _full_disk(name)
        if self._action == "connection":
            _cut_connections()
        else:
            os.kill(os.getpid(), _SIGNALS[self._action])

    def around(self, call: Any, statement: object, *arguments: Any, **more: Any) -> Any:
        """Make one call of the driver between two points."""
        name = " ".join(str(statement).split())[:60]
        self.reach(f"before {name}")
        result = call(*arguments, **more)
        self.reach(f"after {name}")
        return result

    def rows(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Hand on the rows of a bulk write, with a point before each."""
        for row in rows:
            self.reach("before a row")
            yield row

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take what Python says about its files and requests."""
        if not self._directory or self._is_acting:
            return
        if event == "http.client.send" and isinstance(arguments[1], bytes):
            if request := _REQUEST.match(arguments[1]):
                self.reach(f"before {request[1].decode()}")
        elif event in _NAMED_FILE_EVENTS:
            is_moved = event in {"os.rename", "os.link"}
            self._hear_file(_NAMED_FILE_EVENTS[event], arguments[1 if is_moved else 0])
        elif event == "open" and isinstance(arguments[0], str | bytes):
            flags = arguments[2] or 0
            self._hear_file(
                "writing" if flags & (os.O_WRONLY | os.O_RDWR) else "reading", arguments[0]
            )

    def _hear_file(self, what: str, path: Any) -> None:
        if isinstance(path, int):
            return
        name = os.fsdecode(path)
        is_ours = name.startswith(self._directory) or not name.startswith("/")
        # Python's own compiled files are written by the first run only.
        if is_ours and "__pycache__" not in name and not name.endswith((".py", ".pyc")):
            self.reach(f"before {what} {Path(name).name}")


def open_handles() -> int:
    """Count the open files and connections of this process."""
    return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - the listing's own handle


def _full_disk(point: str) -> Exception:
    if any(
        f"before {what}" in point for what in ("writing", "making", *_NAMED_FILE_EVENTS.values())
    ):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), point.rsplit(maxsplit=1)[-1])
    if os.environ.get("DATABASE_URL", "").startswith("postgresql"):
        import psycopg  # noqa: PLC0415 - an extra

        return psycopg.errors.DiskFull("could not extend file: No space left on device")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode, full.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
    return full


def _cut_connections() -> None:
    """Have Postgres end the connections of this run, and wait until it has."""
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'discosync%' AND datname = current_database()"
        )


def watch_all(points: Points) -> None:
    """Have the drivers, files and requests of this process pass points."""
    _watch_sqlite(points)
    with suppress(ImportError):
        _watch_postgres(points)
    sys.addaudithook(points.hear)


def _watch_sqlite(points: Points) -> None:  # noqa: C901 - one method after the other
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> "Cursor":
            points.around(super().execute, sql, sql, *values)
            return self

        def executemany(self, sql: str, rows: Iterable[Any]) -> "Cursor":
            points.around(super().executemany, sql, sql, points.rows(rows))
            return self

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            made: sqlite3.Cursor = super().cursor(factory)
            return made

        def execute(self, sql: str, *values: Any) -> Any:
            # In C it would not pass through our cursor's method.
            return self.cursor().execute(sql, *values)

        def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
            return self.cursor().executemany(sql, rows)

        def commit(self) -> None:
            points.around(super().commit, "COMMIT")

        def backup(
            self,
            target: sqlite3.Connection,
            *,
            progress: Callable[[int, int, int], object] | None = None,
            **more: Any,
        ) -> None:
            def between(status: int, remaining: int, total: int) -> None:
                points.reach("before a block of pages")
                if progress is not None:
                    progress(status, remaining, total)

            more["pages"] = PAGES_PER_BLOCK
            points.around(super().backup, "a copy", target, progress=between, **more)

    connect = sqlite3.connect

    def connect_watched(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*arguments, **{"factory": Connection, **more})
        return made

    sqlite3.connect = sqlite3.dbapi2.connect = connect_watched  # type: ignore[assignment]


def _watch_postgres(points: Points) -> None:
    import psycopg  # noqa: PLC0415 - an extra

    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany
    commit, write_row = psycopg.Connection.commit, psycopg.Copy.write_row
    write = psycopg.Copy.write

    def execute_watched(self: Any, query: Any, *values: Any, **more: Any) -> Any:
        return points.around(execute, query, self, query, *values, **more)

    def executemany_watched(self: Any, query: Any, rows: Iterable[Any], **more: Any) -> Any:
        return points.around(executemany, query, self, query, points.rows(rows), **more)

    def commit_watched(self: Any) -> None:
        points.around(commit, "COMMIT", self)

    def write_row_watched(self: Any, row: Any) -> None:
        points.reach("before a row")
        write_row(self, row)

    def write_watched(self: Any, buffer: Any) -> None:
        points.around(write, "COPY data", self, buffer)

    psycopg.Cursor.execute = execute_watched  # type: ignore[method-assign]
    psycopg.Cursor.executemany = executemany_watched  # type: ignore[method-assign, assignment]
    psycopg.Connection.commit = commit_watched  # type: ignore[method-assign]
    psycopg.Copy.write_row = write_row_watched  # type: ignore[method-assign]
    psycopg.Copy.write = write_watched  # type: ignore[method-assign]
