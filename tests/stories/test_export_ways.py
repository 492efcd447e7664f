"""The export: asked for, adopted, waited for, and what if it cannot be had."""

from datetime import timedelta

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.shop import make_shop
from tests.support.waiting import ENDLESS_SECONDS


def _refuse_posts(sandbox: SandboxServer) -> None:
    """Answer 409 to every request for an export, without making one."""
    fault = Fault(path="/inventory/export", method="POST", times=9, status=409, has_effect=False)
    sandbox.state.faults = [fault]


def test_unchanged_hour_costs_five_requests(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Identity, witness, POST, one look, download: whatever the size, and however slow it is."""
    sandbox.state.inventory = make_shop(2000)
    sandbox.state.export_seconds = 3.2
    sqlite_program("sync", "--source", "export")
    sandbox.state.requests.clear()

    report = sqlite_program("sync", "--source", "export", "--json").report

    assert report["api"]["requests"] == len(sandbox.state.requests) == 5
    assert report["api"]["bytes"] > 100_000
    assert report["listings"]["unchanged"] == 2000


@pytest.mark.parametrize(("listings", "source"), [(20, "pages"), (300, "pages"), (301, "export")])
def test_auto_takes_what_costs_fewer_requests(
    sqlite_program: Program, sandbox: SandboxServer, listings: int, source: str
) -> None:
    """Up to three pages are cheaper than an export; the report says why."""
    sandbox.state.inventory = make_shop(listings)

    report = sqlite_program("sync", "--json").report

    assert report["source"] == source
    assert f"{listings} listings: pages cost" in report["source_reason"]


def test_flag_off_takes_pages(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """USE_CSV_EXPORT off means pages, whatever they cost, and the report says so."""
    sandbox.state.inventory = make_shop(301)

    report = sqlite_program("sync", "--json", USE_CSV_EXPORT="off").report

    assert report["source"] == "pages"
    assert report["flags"]["USE_CSV_EXPORT"] == {"value": False, "why": "environment"}


def test_zipped_export_is_unpacked(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A large export comes as a ZIP under the same address."""
    sandbox.state.zips_exports = True
    assert sqlite_program("sync", "--source", "export", "--json").counts["added"] == 20


def test_running_export_is_adopted(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A 409 means that one is running: the newest in the list, which is oldest first."""
    for _ in range(120):
        sandbox.state.make_export()
    sandbox.state.export_seconds = ENDLESS_SECONDS
    running = sandbox.state.make_export()
    # It is ready once somebody has looked at it.
    sandbox.state.after[f"/{running.export_id}"] = lambda: setattr(running, "ready_at", 0.0)

    report = sqlite_program("sync", "--source", "export", "--json").report

    assert report["listings"]["added"] == 20
    assert f"GET /inventory/export/{running.export_id}/download" in sandbox.state.requests
    assert len(sandbox.state.exports) == 121


@pytest.mark.usefixtures("waits")
def test_old_export_is_not_adopted(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """An export from before the last applied snapshot would bring sold records back."""
    sandbox.state.make_export().created_at -= timedelta(hours=1)
    sandbox.state.inventory = make_shop(301)
    sqlite_program("sync", "--source", "pages")
    _refuse_posts(sandbox)

    report = sqlite_program("sync", "--json").report

    assert report["source"] == "pages"
    assert report["fallback_from"] == "export"
    assert report["listings"]["unchanged"] == 301


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("fault", ["stays 409", "fails", "not found"])
def test_auto_falls_back_to_pages_in_the_same_run(
    sqlite_program: Program, sandbox: SandboxServer, fault: str
) -> None:
    """An export that cannot be had costs the hour nothing: pages, exit 3, and it is said."""
    sandbox.state.inventory = make_shop(301)
    gone = '{"id": 1, "status": "failed", "created_ts": "2026-03-02T01:00:00"}'
    if fault == "stays 409":
        _refuse_posts(sandbox)
    else:
        fails, missing = fault == "fails", fault == "not found"
        sandbox.state.faults = [
            Fault(
                path="/inventory/export/",
                times=9,
                body=gone if fails else None,
                status=404 if missing else None,
            )
        ]

    result = sqlite_program("sync", "--json")

    assert result.exit_code == 3
    assert result.report["source"] == "pages"
    assert result.report["fallback_from"] == "export"
    assert result.counts["added"] == 301
    assert "fell back to pages" in result.stderr


def test_deadline_falls_back_too(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """An export that is never ready leaves half of the time budget for the pages."""
    sandbox.state.inventory = make_shop(301)
    sandbox.state.export_seconds = ENDLESS_SECONDS
    result = sqlite_program("sync", "--time-budget", "1000", "--json")

    assert result.exit_code == 3
    assert 0 < sum(waits) <= 500
    assert "still not ready" in result.report["source_reason"]


@pytest.mark.usefixtures("waits")
def test_explicit_export_is_taken_literally(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """--source export does not fall back."""
    _refuse_posts(sandbox)

    result = sqlite_program("sync", "--source", "export")

    assert result.exit_code == 15
    assert "--source pages" in result.stderr


def test_token_refused_in_mid_export_does_not_fall_back(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A token that is revoked meanwhile ends the run, though pages might still answer."""
    sandbox.state.inventory = make_shop(301)
    sandbox.state.faults = [Fault(path="/inventory/export/", times=9, status=401)]

    result = sqlite_program("sync")

    assert result.exit_code == 12
    assert sqlite_program.database_file.exists() is False


def test_lost_answer_to_the_post_asks_no_second_export(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A POST whose answer was an error may have worked: look into the list before asking again."""
    sandbox.state.faults = [Fault(path="/inventory/export", method="POST", status=502)]

    result = sqlite_program("sync", "--source", "export", "--json")

    assert result.counts["added"] == 20
    assert len(sandbox.state.exports) == 1


def test_429_waits_as_told_and_goes_on(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """Retry-After is honoured, and the report counts the wait."""
    throttle = Fault(path="/users/", status=429, headers={"Retry-After": "1"}, times=2)
    sandbox.state.faults = [throttle]

    report = sqlite_program("sync", "--json").report

    assert report["listings"]["added"] == 20
    assert report["api"]["retries"] == 2
    assert report["api"]["throttled_seconds"] >= 2


def test_firm_429_ends_the_run(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """Asking on and on makes an address hot: a 429 that stays is exit 15, without fallback."""
    sandbox.state.faults = [
        Fault(path="/", status=429, headers={"Retry-After": "0"}, times=99, body="<html>")
    ]

    result = sqlite_program("sync")

    assert result.exit_code == 15
    assert "429" in result.stderr
    assert len(sandbox.state.requests) <= 5


@pytest.mark.usefixtures("waits")
def test_unreachable_service_is_exit_15(sqlite_program: Program) -> None:
    """Nobody listening is a passing state: cron tries again."""
    result = sqlite_program("sync", DISCOGS_API_URL="http://127.0.0.1:9")

    assert result.exit_code == 15
    assert "did not answer" in result.stderr
