"""Kill the real program at numbered points: `python -m tests.support.killing --at 7 -- sync …`.

A point lies before and after each statement and commit that goes to the driver of SQLite or
Postgres, before each row of a bulk write, and before each file that is renamed or linked. The same
command on the same data passes the same points, however fast the machine is. `--log FILE` notes
one point a line; without `--at` the program runs to its end.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

if TYPE_CHECKING:
    from tests.support.postgres import Postgres
    from tests.support.program import Program

_TOP = Path(__file__).parents[2]


def points_of(program: "Program", *arguments: str) -> list[str]:
    """Run the program to its end; return its points in order. The first has number 1."""
    log = program.directory / "points.txt"
    log.unlink(missing_ok=True)
    assert _run(program, ["--log", str(log)], arguments) == 0
    return log.read_text().splitlines()


def kill_at(program: "Program", number: int, *arguments: str) -> None:
    """Run the program until it is killed at this point, and until the database has noticed."""
    assert _run(program, ["--at", str(number)], arguments) == -signal.SIGKILL
    if not program.database_url.startswith("sqlite"):
        _wait_until_alone(program)


@contextmanager
def started(
    program: "Program", *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], list[str]]]]:
    """Start the program; give its process, and a look at the points that it has passed so far."""
    log = program.directory / "points.txt"
    log.write_text("")
    process = subprocess.Popen(**_launch(program, ["--log", str(log)], arguments))
    try:
        yield process, lambda: log.read_text().splitlines()
    finally:
        process.kill()
        process.wait()


def last_commit(points: list[str]) -> int:
    """Return the number of the point just before the last commit."""
    return max(number for number, point in enumerate(points, 1) if point == "before COMMIT")


def copy_of(program: "Program", postgres: "Postgres") -> "Program":
    """Return the program pointed at a copy of its database, in the same directory.

    Copies have the same points. In SQLite the original may have others: what a run knows of the
    database's last change does not hold in a copy.
    """
    url = program.database_url
    if url.startswith("sqlite"):
        number = len(list(program.directory.glob("copy-*.db")))
        path = program.directory / f"copy-{number}.db"
        with (
            closing(sqlite3.connect(program.database_file)) as source,
            closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy)
        url = f"sqlite:///{path}"
    else:
        url = postgres.copy_database(url)
    return replace(program, environment={**program.environment, "DATABASE_URL": url})


def _run(program: "Program", options: list[str], arguments: Iterable[str]) -> int:
    launch = _launch(program, options, arguments)
    return subprocess.run(**launch, timeout=HUNG_AFTER_SECONDS, check=False).returncode


def _launch(program: "Program", options: list[str], arguments: Iterable[str]) -> dict[str, Any]:
    return {
        "args": [sys.executable, "-m", "tests.support.killing", *options, "--", *arguments],
        "env": {**program.environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(_TOP)},
        "cwd": program.directory,
        "stdout": subprocess.DEVNULL,
    }


def _wait_until_alone(program: "Program") -> None:
    """Wait until Postgres has rolled back what the killed program had begun."""
    others = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'discosync%'"
    )
    wait_until(lambda: not program.query(others))


# From here on: what the launched process does.


class _Points:
    """Numbers the points as they are passed."""

    def __init__(self, kill_at: int | None, log: Path | None) -> None:
        self._passed = 0
        self._kill_at = kill_at
        self._log = log.open("w", buffering=1) if log else None

    def reach(self, name: str) -> None:
        """Pass one point, or end there."""
        self._passed += 1
        if self._log:
            self._log.write(f"{name}\n")
        if self._passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

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


def _watch_sqlite(points: _Points) -> None:
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

    connect = sqlite3.connect

    def connect_watched(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*arguments, **{"factory": Connection, **more})
        return made

    sqlite3.connect = sqlite3.dbapi2.connect = connect_watched  # type: ignore[assignment]


def _watch_postgres(points: _Points) -> None:
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


def _watch_files(points: _Points) -> None:
    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        # Python's own compiled files are written by the first run only.
        if event in {"os.rename", "os.link"} and "__pycache__" not in os.fsdecode(arguments[1]):
            points.reach(f"before {event} to {Path(os.fsdecode(arguments[1])).name}")

    sys.addaudithook(hear)


def main() -> None:
    """Run `discosync` with the arguments after `--`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", type=int)
    parser.add_argument("--log", type=Path)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    points = _Points(options.at, options.log)
    _watch_sqlite(points)
    with suppress(ImportError):
        _watch_postgres(points)
    _watch_files(points)
    from discosync.__main__ import main as run  # noqa: PLC0415 - after the drivers are watched

    sys.argv = ["discosync", *options.arguments]
    run()


if __name__ == "__main__":
    main()
