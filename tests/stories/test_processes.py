"""Real processes: locks, signals, kills, time budgets, and cron's bare environment."""

import json
import os
import signal
import subprocess

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.killing import copy_of, kill_at, last_commit, points_of
from tests.support.postgres import Postgres
from tests.support.program import EXECUTABLE, TOKEN, Program
from tests.support.shop import make_shop, write_export
from tests.support.waiting import (
    ENDLESS_SECONDS,
    HUNG_AFTER_SECONDS,
    wait_for_line,
    wait_until,
)


def _start_slow(program: Program, sandbox: SandboxServer, *options: str) -> "subprocess.Popen[str]":
    """Start a run that waits for its export, and wait until it does."""
    sandbox.state.export_seconds = ENDLESS_SECONDS
    process = program.start("sync", "--source", "export", *options)
    wait_until(lambda: "POST /inventory/export" in sandbox.state.requests)
    return process


def test_second_run_names_the_holder_at_once(program: Program, sandbox: SandboxServer) -> None:
    """A run that finds another at work exits 11 without waiting, and says who it is."""
    first = _start_slow(program, sandbox)
    try:
        second = program.run("sync", "-v")
    finally:
        first.kill()
        first.communicate()

    assert second.exit_code == 11
    assert f"{first.pid}" in second.stderr
    assert os.uname().nodename in second.stderr
    assert "since 20" in second.stderr
    assert "waiting" not in second.stderr


def test_other_seller_is_not_locked_out(program: Program, sandbox: SandboxServer) -> None:
    """The lock is the seller's: another shop goes on."""
    first = _start_slow(program, sandbox)
    try:
        path = write_export(program.directory / "other.csv", make_shop(2))
        other = program.run("sync", "--from-file", str(path), "--seller", "other-shop")
    finally:
        first.kill()
        first.communicate()

    assert other.exit_code == 0


def test_killed_run_leaves_nothing_to_clean_up(program: Program, sandbox: SandboxServer) -> None:
    """After kill -9 the next run starts at once and succeeds."""
    first = _start_slow(program, sandbox)
    first.kill()
    first.communicate()
    sandbox.state.export_seconds = 0
    sandbox.state.exports.clear()

    result = program.run("sync", "--source", "export", "--json")

    assert result.exit_code == 0
    assert result.counts["added"] == 20
    snapshots = program.directory / "mirror.db.snapshots"
    assert not snapshots.exists() or list(snapshots.iterdir()) == []


def test_lock_wait_waits(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """With --lock-wait the second run takes its turn."""
    first = _start_slow(sqlite_program, sandbox)
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(20))
    second = sqlite_program.start("sync", "--from-file", str(path), "--lock-wait", "3600", "-v")
    wait_for_line(second.stderr, "waiting 3600 s at most for process")
    assert second.poll() is None
    first.kill()
    first.communicate()

    second.communicate(timeout=HUNG_AFTER_SECONDS)
    assert second.returncode == 0


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGINT, 130)],
    ids=["TERM", "HUP", "INT"],
)
def test_signal_ends_a_run_that_would_wait_for_ever(
    sqlite_program: Program, sandbox: SandboxServer, number: signal.Signals, exit_code: int
) -> None:
    """A signal while waiting ends it: report written, database as before."""
    sqlite_program("sync", "--source", "export")
    before = sqlite_program.digest()
    sandbox.state.requests.clear()
    report = sqlite_program.directory / "report.json"
    process = _start_slow(sqlite_program, sandbox, "--report", str(report))

    process.send_signal(number)
    process.communicate(timeout=HUNG_AFTER_SECONDS)

    assert process.returncode == exit_code
    assert json.loads(report.read_text())["status"] == "interrupted"
    assert json.loads(report.read_text())["exit_code"] == exit_code
    assert sqlite_program.digest() == before


def test_signal_during_a_hanging_answer(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A server that never answers does not hold up a shutdown."""
    sandbox.state.faults = [Fault(path="/oauth", delay_seconds=ENDLESS_SECONDS)]
    process = sqlite_program.start("sync")
    wait_until(lambda: bool(sandbox.state.requests))

    process.terminate()
    process.communicate(timeout=HUNG_AFTER_SECONDS)

    assert process.returncode == 143


@pytest.mark.parametrize("how", ["pending export", "hanging answer", "dripping download"])
def test_time_budget_bounds_everything(
    sqlite_program: Program, sandbox: SandboxServer, how: str
) -> None:
    """Waiting, hanging and dripping all end with 18 when the budget is used up."""
    sandbox.state.export_seconds = ENDLESS_SECONDS if how == "pending export" else 0
    if how == "hanging answer":
        sandbox.state.faults = [Fault(path="/oauth", delay_seconds=ENDLESS_SECONDS)]
    if how == "dripping download":
        sandbox.state.faults = [Fault(path="/inventory/export/18867000/d", drip_seconds=0.5)]

    result = sqlite_program.run("sync", "--source", "export", "--time-budget", "4")

    assert result.exit_code == 18
    assert "--time-budget" in result.stderr
    assert not sqlite_program.database_file.exists()


def test_kill_at_any_point_leaves_before_or_after(program: Program, postgres: Postgres) -> None:
    """Kill -9 while a large plan is applied leaves all of it or nothing, and no lock."""
    small = write_export(program.directory / "small.csv", make_shop(20))
    large = write_export(program.directory / "large.csv", make_shop(1500))
    assert program("sync", "--from-file", str(small)).exit_code == 0
    command = ("sync", "--from-file", str(large))
    points = points_of(copy_of(program, postgres), *command)
    commit, count = last_commit(points), len(points)
    assert commit > 1500

    copy = copy_of(program, postgres)
    for number in sorted({1, *range(count // 4, commit, count // 4), commit - 1, commit}):
        kill_at(copy, number, *command)
        assert _rows_of(copy) == (20, 20, 1), points[number - 1]
    for number in (commit + 1, count):
        kill_at(copy, number, *command)
        assert _rows_of(copy) == (1500, 1500, 2), points[number - 1]
        assert copy(*command).exit_code == 0
        copy = copy_of(program, postgres)


def _rows_of(program: Program) -> tuple[int, ...]:
    tables = ("listings", "listing_changes", "sync_runs")
    return tuple(program.query(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in tables)


def test_quiet_run_from_cron_says_nothing(sqlite_program: Program) -> None:
    """Under cron's bare environment a run with -q prints nothing when all is well."""
    result = sqlite_program.run("sync", "-q")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_quiet_run_that_fails_says_it_in_a_few_lines(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """With -q a failure is a few lines on stderr: what, what to do, which status."""
    sandbox.state.identity = "somebody-else"
    result = sqlite_program.run("sync", "-q")

    assert (result.exit_code, result.stdout) == (12, "")
    assert 2 <= len(result.stderr.splitlines()) <= 4


def test_token_is_nowhere(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """Whatever happens, at whatever verbosity: the token is in no output and in no file."""
    runs = [sqlite_program.run("sync", "-vv", "--json")]
    sandbox.state.faults = [Fault(path="/users", status=500, times=1, after=1)]
    runs.append(sqlite_program.run("sync", "-vv", LOG_FORMAT="json"))
    runs.append(sqlite_program.run("sync", "-vv", DISCOGS_API_URL="http://127.0.0.1:9"))
    sandbox.state.identity = "somebody-else"
    runs.append(sqlite_program.run("sync", "-vv", "--report", "r.json"))

    assert [run.exit_code for run in runs] == [0, 0, 15, 12]
    for run in runs:
        assert TOKEN not in run.stdout + run.stderr
    for path in sqlite_program.directory.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_output_that_cannot_be_written_is_a_warning(sqlite_program: Program) -> None:
    """A full log partition after the commit does not turn success into failure, nor into 0."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*EXECUTABLE, "sync"],
            env={**sqlite_program.environment, "PATH": os.environ["PATH"]},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 3
    assert done.stderr == "discosync: warning: output failed: No space left on device\n"
    assert len(sqlite_program.query("SELECT * FROM listings")) == 20


def test_narrow_locale_is_no_failure(sqlite_program: Program) -> None:
    """A terminal that knows ASCII only still gets its summary."""
    result = sqlite_program.run("sync", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert result.exit_code == 0
    assert "discosync sync ? velvet-crates" in result.stdout


def test_verbose_run_logs_phases_with_time_and_calls(sqlite_program: Program) -> None:
    """-v tells each phase, how long it took, and how many API calls it cost."""
    said = sqlite_program.run("sync", "-v").stderr

    assert "fetch: " in said
    assert " s, 2 API calls" in said
    for phase in ("parse", "plan", "apply"):
        assert f"{phase}: " in said
