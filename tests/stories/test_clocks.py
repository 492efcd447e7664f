"""A clock of this machine that is wrong, beside Discogs' own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.shop import SELLER, make_shop, write_export

PACIFIC = ZoneInfo("America/Los_Angeles")
MANY = 301
"""So many listings that an export takes fewer requests than the pages."""


def _events(program: Program) -> int:
    return len(program.query("SELECT id FROM flag_events"))


def test_clock_that_is_hours_behind_is_blamed_and_nothing_else(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """No flag is rolled back, no export is asked for, and the right clock sets everything right."""
    sandbox.state.inventory = make_shop(MANY)
    assert sqlite_program("sync").exit_code == 0
    sandbox.state.requests.clear()
    sandbox.state.clock_ahead = timedelta(hours=3)

    refused = sqlite_program("sync", "--json")

    assert refused.exit_code == 10
    assert refused.report["error"]["code"] == "clock"
    assert "this machine's clock is 3 hours behind Discogs'" in refused.stderr
    assert "timedatectl" in refused.stderr
    assert "next run" not in refused.stderr
    assert not any("export" in request for request in sandbox.state.requests)
    assert _events(sqlite_program) == 0
    sandbox.state.clock_ahead = timedelta()
    assert sqlite_program("sync").exit_code == 0


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(hours=-9), "9 hours ahead of Discogs'"),
        (timedelta(minutes=-30), "30 minutes ahead of Discogs'"),
        (timedelta(minutes=30), "30 minutes behind Discogs'"),
    ],
)
def test_clock_that_is_ahead_or_a_little_behind_is_a_warning(
    sqlite_program: Program, sandbox: SandboxServer, ahead: timedelta, words: str
) -> None:
    """The inventory is dated by Discogs' clock, so it is right, and not old."""
    sandbox.state.clock_ahead = ahead
    told = sqlite_program("sync", "--json")
    assert told.exit_code == 3
    assert [problem["code"] for problem in told.report["problems"]] == ["clock"]
    assert words in told.stderr


def test_clocks_that_differ_by_minutes_are_right(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Nobody is told of a drift that does no harm."""
    sandbox.state.clock_ahead = timedelta(minutes=4)
    assert sqlite_program("sync").exit_code == 0


def test_clock_is_blamed_also_where_the_pages_take_over(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """The warning belongs to the run, and not to the export that is thrown away."""
    sandbox.state.inventory = make_shop(MANY)
    sandbox.state.exported = make_shop(9)
    sandbox.state.clock_ahead = timedelta(hours=-1)
    told = sqlite_program("sync", "--json")
    assert {problem["code"] for problem in told.report["problems"]} >= {"clock", "flag_rolled_back"}


def test_moment_of_an_export_is_no_reason_to_roll_its_flag_back(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """A file said that it is of a moment to come: the pages would be just as old."""
    sandbox.state.inventory = make_shop(MANY)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    name = f"{SELLER}-inventory-{ahead.astimezone(PACIFIC):%Y%m%d-%H%M}.csv"
    path = write_export(sqlite_program.directory / name, make_shop(MANY))
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0

    refused = sqlite_program("sync", "--json")

    assert refused.exit_code == 13
    assert refused.report["error"]["code"] == "older_snapshot"
    assert _events(sqlite_program) == 0


def test_currency_is_no_reason_to_roll_the_export_back(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """An export has none: it is the seller's, whatever way the inventory comes."""
    sandbox.state.inventory = make_shop(MANY)
    assert sqlite_program("sync").exit_code == 0
    sandbox.state.inventory = [replace(x, price_currency="GBP") for x in make_shop(MANY)]

    refused = sqlite_program("sync", "--json")

    assert refused.report["error"]["code"] == "currency_changed"
    assert _events(sqlite_program) == 0


def test_witness_that_cannot_be_read_is_no_reason_to_roll_the_export_back(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """A page of maintenance in place of the second count says nothing about the export."""
    sandbox.state.inventory = make_shop(MANY)
    assert sqlite_program("sync").exit_code == 0
    sandbox.state.exported = make_shop(MANY - 9)
    path = f"/users/{SELLER}/inventory"
    sandbox.state.faults = [Fault(path=path, after=1, times=99, status=200, body="<html>")]

    refused = sqlite_program("sync", "--json")

    assert refused.exit_code == 15
    assert _events(sqlite_program) == 0
