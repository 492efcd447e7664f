"""A signal at any moment: its own status means that nothing changed, 0 that everything did."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.killing import copy_of, interrupt, last_commit, points_of
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_shop, write_export
from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until


@pytest.mark.parametrize("action", ["term", "int", "hup"])
def test_status_tells_what_became_of_the_database(
    program: Program, postgres: Postgres, action: str
) -> None:
    """Before the COMMIT a run is interrupted, with its report; from then on it ends as ever."""
    path = write_export(program.directory / "shop.csv", make_shop(20))
    assert program("sync", "--from-file", str(path)).exit_code == 0
    write_export(path, make_shop(30))
    report = program.directory / "report.json"
    command = ("sync", "--from-file", str(path), "--report", str(report))
    points = points_of(copy_of(program, postgres), *command)
    commit, count = last_commit(points), len(points)

    before = program.digest()
    for number in (1, commit // 2, _last_work(points)):
        report.unlink()
        copy = copy_of(program, postgres)
        ended = interrupt(copy, action, number, *command)
        assert ended.status == (130 if action == "int" else 143), points[number - 1]
        assert json.loads(report.read_text())["status"] == "interrupted"
        assert copy.digest() == before, points[number - 1]
        assert not list(program.directory.glob("*.snapshots/*")), points[number - 1]
    for number in (commit, commit + 1, count):
        report.unlink()
        copy = copy_of(program, postgres)
        assert interrupt(copy, action, number, *command).status == 0, points[number - 1]
        assert json.loads(report.read_text())["exit_code"] == 0
        assert len(copy.query("SELECT * FROM listings")) == 30, points[number - 1]


def _last_work(points: list[str]) -> int:
    """Return the number of the last point before the commit begins, on Postgres with a question."""
    number = last_commit(points) - 1
    while "txid_current" in points[number - 1]:
        number -= 1
    return number


def test_command_without_a_report_keeps_its_status_too(
    program: Program, postgres: Postgres
) -> None:
    """Who switches a flag is told 143 while nothing is switched, and 0 once it is."""
    program("sync", "-q")
    command = ("flags", "set", "use-cache", "off")
    points = points_of(copy_of(program, postgres), *command)
    commit, count = last_commit(points), len(points)

    copy = copy_of(program, postgres)
    assert interrupt(copy, "term", _last_work(points), *command).status == 143
    assert copy.query("SELECT * FROM flag_events") == []
    for number in (commit, commit + 1, count):
        copy = copy_of(program, postgres)
        assert interrupt(copy, "term", number, *command).status == 0, points[number - 1]
        assert len(copy.query("SELECT * FROM flag_events")) == 1


LAST_MOMENT = """
import os, signal, sys
from types import ModuleType

class Last:
    def __del__(self):
        os.write(2, b"the last moment\\n")
        os.kill(os.getpid(), signal.SIGTERM)

sys.modules["last"] = ModuleType("last")
sys.modules["last"].moment = Last()
from discosync.__main__ import main
main()
"""


def test_signal_while_python_shuts_down_is_too_late(sqlite_program: Program) -> None:
    """Python puts back what a signal does by default, and then takes its modules apart."""
    done = subprocess.run(
        [sys.executable, "-c", LAST_MOMENT, "sync", "-q"],
        env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
        cwd=sqlite_program.directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "the last moment\n")
    assert len(sqlite_program.query("SELECT * FROM listings")) == 20


def test_reader_that_stops_reading_holds_nobody(sqlite_program: Program) -> None:
    """After the commit one signal ends a run whose output nobody takes, with the run's status."""
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(2000))
    report = sqlite_program.directory / "report.json"
    process = subprocess.Popen(
        sqlite_program.command(
            *("sync", "--from-file", str(path), "--json", "--changes", "--report", str(report))
        ),
        env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
        cwd=sqlite_program.directory,
        stdout=subprocess.PIPE,
    )
    wait_until(report.exists)

    process.terminate()

    assert process.wait(timeout=HUNG_AFTER_SECONDS) == 0
    assert process.stdout is not None
    process.stdout.close()
    assert len(sqlite_program.query("SELECT * FROM listings")) == 2000


@pytest.mark.parametrize("command", [("flags", "set", "use-cache", "off"), ("flags", "list")])
def test_reader_that_is_gone_is_no_failure(
    sqlite_program: Program, command: tuple[str, ...]
) -> None:
    """`| head` has read enough: what was done is done, and there is no traceback."""
    sqlite_program("sync", "-q")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            sqlite_program.command(*command),
            env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (0, "")


def test_full_log_partition_is_a_warning_of_every_command(sqlite_program: Program) -> None:
    """A flag that was switched is switched, although nobody could be told: 3, and not 16."""
    sqlite_program("sync", "-q")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            sqlite_program.command("flags", "set", "use-cache", "off"),
            env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 3
    assert "output failed: No space left on device" in done.stderr
    assert len(sqlite_program.query("SELECT * FROM flag_events")) == 1
