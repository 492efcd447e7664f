"""Kill the real program at a numbered point, or have something else happen to it there.

`tests/support/points.py` says what a point is. `interrupt` starts one run of the program and has it
meet a kill, a signal, a full disk or a lost connection at a point; `run_through` lets it run to its
end and tells its points. Runs are processes of their own (`tests/support/runs_apart.py`).
"""

import argparse
import atexit
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.points import Points, watch_all
from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

if TYPE_CHECKING:
    from tests.support.postgres import Postgres
    from tests.support.program import Program

_TOP = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run in a process of its own ended; `status` is negative for a signal that killed it."""

    status: int
    stdout: str
    stderr: str
    points: list[str]
    handles: dict[str, int]
    memory_kilobytes: int
    cpu_seconds: float

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` printed."""
        return dict(json.loads(self.stdout))


class _RunsApart:
    """The process that forks for each run; it ends with this one."""

    def __init__(self) -> None:
        self._told = tempfile.TemporaryDirectory(prefix="runs-apart-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.runs_apart"],
            env={**os.environ, "PYTHONPATH": str(_TOP), "NO_COLOR": "1", "TERM": "dumb"},
            cwd=_TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.close)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._told.cleanup()

    def run(self, asked: dict[str, Any]) -> Ended:
        told = Path(self._told.name)
        for path in told.iterdir():
            path.unlink()
        source, answers = self._process.stdin, self._process.stdout
        assert source is not None
        assert answers is not None
        source.write(json.dumps({**asked, "told": self._told.name}) + "\n")
        source.flush()
        assert select.select([answers], [], [], HUNG_AFTER_SECONDS)[0], f"it hangs: {asked}"
        ended = json.loads(answers.readline())
        texts = {path.name: path.read_text(errors="replace") for path in told.iterdir()}
        return Ended(
            status=ended["status"],
            stdout=texts["stdout"],
            stderr=texts["stderr"],
            points=texts["points"].splitlines(),
            handles=json.loads(texts.get("handles", "{}")),
            memory_kilobytes=ended["memory_kilobytes"],
            cpu_seconds=ended["cpu_seconds"],
        )


_runs_apart: list[_RunsApart] = []


def interrupt(
    program: "Program",
    action: str,
    number: int | None,
    *arguments: str,
    read_timeout_seconds: float | None = None,
    form: str = "",
) -> Ended:
    """Run the program, and have `action` happen at this point; none happens without a number.

    With a `form`, a regular expression, only points whose name begins like that are counted.

    The actions are `kill`, `term`, `hup`, `int`, `budget` (the alarm of the time budget), `disk`
    (it is full for this one call) and `connection` (Postgres ends it). With `read_timeout_seconds`
    each request to Discogs waits no longer than that, and is tried twice only.
    """
    if not _runs_apart:
        _runs_apart.append(_RunsApart())
    ended = _runs_apart[0].run(
        {
            "environment": {**program.environment, "PATH": os.environ["PATH"]},
            "directory": str(program.directory),
            "arguments": arguments,
            "at": number,
            "action": action,
            "form": form,
            "read_timeout_seconds": read_timeout_seconds,
        }
    )
    if ended.status < 0 and not program.database_url.startswith("sqlite"):
        _wait_until_alone(program)
    return ended


def run_through(program: "Program", *arguments: str) -> Ended:
    """Run the program to its end."""
    return interrupt(program, "kill", None, *arguments)


def points_of(program: "Program", *arguments: str) -> list[str]:
    """Run the program to its end; return its points in order. The first has number 1."""
    ended = run_through(program, *arguments)
    assert ended.status == 0, ended.stderr
    return ended.points


def kill_at(program: "Program", number: int, *arguments: str) -> None:
    """Run the program until it is killed at this point, and until the database has noticed."""
    assert interrupt(program, "kill", number, *arguments).status == -signal.SIGKILL


@contextmanager
def started(
    program: "Program", *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], list[str]]]]:
    """Start the program; give its process, and a look at the points that it has passed so far."""
    log = program.directory / "points.txt"
    log.write_text("")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killing", "--log", str(log), "--", *arguments],
        env={**program.environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(_TOP)},
        cwd=program.directory,
        stdout=subprocess.DEVNULL,
    )
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


def _wait_until_alone(program: "Program") -> None:
    """Wait until Postgres has rolled back what the killed program had begun."""
    import psycopg  # noqa: PLC0415 - only tests on Postgres

    others = (
        b"SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        b" AND application_name LIKE 'discosync%'"
    )
    with psycopg.connect(program.database_url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(others).fetchone() is None)


def main() -> None:
    """Run `discosync` with the arguments after `--`; note its points, one a line, in `--log`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    points = Points()
    watch_all(points)
    from discosync.__main__ import main as run  # noqa: PLC0415 - after the drivers are watched

    sys.argv = ["discosync", *options.arguments]
    points.begin(at=None, action="kill", log=options.log, directory=Path.cwd())
    run()


if __name__ == "__main__":
    main()
