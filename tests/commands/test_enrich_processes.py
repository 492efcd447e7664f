"""`enrich` as a real process: kills, signals and time budgets between and within batches."""

import json
import signal
import subprocess

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.releases import FIRST_RELEASE, asked
from tests.support.shop import make_shop
from tests.support.waiting import ENDLESS_SECONDS, HUNG_AFTER_SECONDS, wait_until

BATCH = 4


def _hold_up(sandbox: SandboxServer, number: int) -> None:
    """Have Discogs never answer for the release of one listing."""
    sandbox.state.faults = [
        Fault(path=f"/releases/{FIRST_RELEASE + number}", delay_seconds=ENDLESS_SECONDS, times=1)
    ]


def _start(program: Program, *options: str) -> "subprocess.Popen[str]":
    return program.start("enrich", "--all", *options, ENRICHMENT_BATCH_SIZE=str(BATCH))


def _linked(program: Program) -> int:
    rows = program.query("SELECT count(*) AS n FROM listings WHERE artist_id IS NOT NULL")
    return int(rows[0]["n"])


@pytest.fixture
def shop(program: Program, sandbox: SandboxServer) -> Program:
    """Twenty listings, mirrored."""
    assert program("sync", "-q").exit_code == 0
    sandbox.state.requests.clear()
    sandbox.state.inventory = make_shop(20)
    return program


def test_a_kill_between_batches_loses_no_batch(shop: Program, sandbox: SandboxServer) -> None:
    """What was committed is whole, with its run's record; the next run asks for the rest only."""
    _hold_up(sandbox, 9)
    process = _start(shop)
    wait_until(lambda: len(asked(sandbox.state)) == 11)
    process.kill()
    process.communicate(timeout=HUNG_AFTER_SECONDS)
    assert _linked(shop) == 2 * BATCH
    rows = shop.query("SELECT report FROM sync_runs WHERE command = 'enrich'")
    report = rows[0]["report"]
    report = json.loads(report) if isinstance(report, str) else report
    assert report["enrichment"]["listings"] == 2 * BATCH
    sandbox.state.requests.clear()
    assert shop("enrich", "--all", USE_CACHE="false").exit_code == 0
    assert _linked(shop) == 20
    assert asked(sandbox.state) == [FIRST_RELEASE + n for n in range(11, -1, -1)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_keeps_what_was_found(
    shop: Program, sandbox: SandboxServer, number: signal.Signals
) -> None:
    """Also what was found since the last batch; the run ends at once, with a warning."""
    _hold_up(sandbox, 9)
    process = _start(shop, "--json")
    wait_until(lambda: len(asked(sandbox.state)) == 11)
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=HUNG_AFTER_SECONDS)
    report = json.loads(stdout)
    assert process.returncode == report["exit_code"] == 3
    assert [p["code"] for p in report["problems"]] == [
        "terminated" if number is signal.SIGTERM else "interrupted"
    ]
    assert _linked(shop) == report["enrichment"]["coverage"]["linked"] == 10
    runs = shop.query("SELECT exit_code FROM sync_runs WHERE command = 'enrich'")
    assert runs == [{"exit_code": 3}]


def test_a_signal_before_anything_was_found_changes_nothing(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Then it ends as any interrupted run does."""
    _hold_up(sandbox, 19)
    process = _start(shop)
    wait_until(lambda: len(asked(sandbox.state)) == 1)
    process.terminate()
    process.communicate(timeout=HUNG_AFTER_SECONDS)
    assert process.returncode == 143
    assert shop.query("SELECT 1 FROM sync_runs WHERE command = 'enrich'") == []


def test_the_time_budget_is_a_plan_not_a_fault(shop: Program, sandbox: SandboxServer) -> None:
    """With something done it is ok and says what remains; with nothing done it is 18.

    The alarm that the budget has set comes from here, when eleven releases were asked for.
    """
    _hold_up(sandbox, 9)
    process = _start(shop, "--json")
    wait_until(lambda: len(asked(sandbox.state)) == 11)
    process.send_signal(signal.SIGALRM)
    stdout, _ = process.communicate(timeout=HUNG_AFTER_SECONDS)
    report = json.loads(stdout)
    assert process.returncode == 0
    assert [(p["code"], p["severity"]) for p in report["problems"]] == [("time_budget", "notice")]
    assert report["enrichment"]["coverage"]["linked"] == _linked(shop) == 10
    assert report["enrichment"]["remaining_requests"] == 10
    _hold_up(sandbox, 9)
    assert shop.run("enrich", "--all", "--time-budget", "1").exit_code == 18
