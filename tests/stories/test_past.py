"""`history`, `as-of`, `status` and `runs`: what a soft delete is worth."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from discosync.core.inventory.columns import EXPORT_COLUMNS
from discosync.core.inventory.listing import Listing
from discosync.core.reporting.run_line import RUN_COMMANDS
from discosync.sandbox.server import SandboxServer
from tests.support.program import Program
from tests.support.shop import FIRST_ID, SELLER, make_listing, make_shop, with_changed, write_export

DAYS = ("20260301-1200", "20260302-1200", "20260303-1200", "20260304-1200")
"""Pacific noon: 20:00 UTC."""


def _shops() -> list[list[Listing]]:
    """Four days of a shop: a price, a sale and a disappearance, a return and a newcomer."""
    first = make_shop(30)
    second = with_changed(first, 1, price_value=Decimal("9.00"), comments="a\tb\n«ü»")
    third = with_changed(second[:-1], 2, status="Sold")
    fourth = [*with_changed(third, 2, status="For Sale"), make_listing(40)]
    return [first, second, third, fourth]


@pytest.fixture
def four_days(program: Program) -> Program:
    """The program after four days, each mirrored from a file named after its moment."""
    for day, shop in zip(DAYS, _shops(), strict=True):
        path = write_export(program.directory / f"{SELLER}-inventory-{day}.csv", shop)
        assert program("sync", "--from-file", str(path)).exit_code == 0
    return program


def _for_sale(shop: list[Listing]) -> dict[int, str]:
    return {x.listing_id: f"{x.price_value:.2f}" for x in shop if x.is_for_sale}


@pytest.mark.parametrize("day", range(4))
def test_as_of_is_the_inventory_of_that_day(four_days: Program, day: int) -> None:
    """Between two snapshots the inventory is exactly what the earlier one showed for sale."""
    moment = f"2026-03-0{day + 1}T23:00"
    past = json.loads(four_days("as-of", moment, "--json").stdout)
    assert {x["listing_id"]: x["price_value"] for x in past["listings"]} == _for_sale(_shops()[day])
    comments = {x["listing_id"]: x["comments"] for x in past["listings"]}
    expected = {x.listing_id: x.comments for x in _shops()[day] if x.is_for_sale}
    assert comments == expected


@pytest.mark.parametrize("form", [(), ("--csv",), ("--json",), ("--all",)])
def test_as_of_before_the_first_sync_is_refused(four_days: Program, form: tuple[str, ...]) -> None:
    """Before the first snapshot nothing is known, which is not the same as nothing for sale."""
    told = four_days("as-of", "2026-03-01T19:59:59", *form)
    assert (told.exit_code, "before 2026-03-01T20:00:00 UTC" in told.stderr) == (2, True)
    assert "listing_id" not in told.stdout
    assert four_days("as-of", "2026-03-01T20:00:00", *form).exit_code == 0


def test_runs_of_one_second_are_newest_first(sqlite_program: Program) -> None:
    """Runs that began within one second stand in the order of their records."""
    for number in range(1, 6):
        path = write_export(sqlite_program.directory / "shop.csv", make_shop(number))
        arguments = ("sync", "--seller", SELLER, "--from-file", str(path))
        assert sqlite_program(*arguments).exit_code == 0
    for path in list(sqlite_program.directory.rglob("sync-*Z-*.json")):
        path.rename(path.with_name(f"sync-20260301T120000Z-{path.stem[-8:]}.json"))
    at = "2026-03-01T12:00:00Z"
    sqlite_program.query(
        "UPDATE sync_runs SET report = json_set(report, '$.started_at', :at)", at=at
    )
    recorded = sqlite_program.query("SELECT run_id FROM sync_runs ORDER BY id DESC")
    shown = json.loads(sqlite_program("runs", "--json").stdout)["runs"]
    assert [run["run_id"] for run in shown] == [row["run_id"] for row in recorded]


def test_failed_runs_of_one_second_are_newest_first(sqlite_program: Program) -> None:
    """Runs that left nothing but report files stand in the order of their writing."""
    for _ in range(5):
        assert sqlite_program("sync", "--from-file", "/nonexistent.csv").exit_code != 0
    at = "20260301T120000Z"
    found = sqlite_program.directory.rglob("sync-*Z-*.json")
    files = sorted(found, key=lambda path: path.stat().st_mtime_ns)
    assert len(files) == 5
    ids = []
    for path in files:
        report = json.loads(path.read_text()) | {"started_at": "2026-03-01T12:00:00Z"}
        path.with_name(f"sync-{at}-{report['run_id'][:8]}.json").write_text(json.dumps(report))
        path.unlink()
        ids.append(report["run_id"])
    shown = json.loads(sqlite_program("runs", "--json").stdout)["runs"]
    assert [run["run_id"] for run in shown] == ids[::-1]


def test_runs_of_an_unknown_command_are_refused(four_days: Program) -> None:
    """A mistyped command is named with those there are; one without runs is no fault."""
    told = four_days("runs", "--command", "nonsense")
    assert (told.exit_code, "purge-inactive" in told.stderr) == (2, True)
    for command in RUN_COMMANDS:
        assert four_days("runs", "--command", command).exit_code == 0
    assert "no run of enrich yet" in four_days("runs", "--command", "enrich").stderr


def test_runs_tell_what_was_purged_and_restored(four_days: Program) -> None:
    """A purge and what comes back from its archive have their counts; a dry run has none."""
    archive = four_days.directory / "archive"
    purge = ("purge-inactive", "--older-than", "1d", "--no-backup", "--archive", str(archive))
    assert four_days(*purge).exit_code == 0
    assert four_days(*purge, "--apply").exit_code == 0
    (file,) = archive.iterdir()
    assert four_days("restore", "--from-archive", str(file)).exit_code == 0
    runs = json.loads(four_days("runs", "--json").stdout)["runs"]
    found = {kind: n for run in runs for kind, n in run["changes"].items() if n}
    assert (found["purged"], found["restored"]) == (1, 1)
    assert "1 purged" in four_days("runs").stdout


def test_as_of_takes_ages_zones_and_refuses_nonsense(four_days: Program) -> None:
    """A time is ISO 8601 with or without a zone, or an age; anything else is a usage fault."""
    with_zone = four_days("as-of", "2026-03-02T00:00+04:00", "--csv").stdout
    assert with_zone == four_days("as-of", "2026-03-01T20:00", "--csv").stdout
    newest = csv.reader(io.StringIO(four_days("as-of", "1s", "--csv").stdout))
    assert len(list(newest)) == 1 + 30
    for nonsense in ("yesterday", "0d", "99999999d", "2026-13-01", ""):
        assert four_days("as-of", nonsense).exit_code == 2, nonsense


def test_as_of_csv_can_be_synced_again(four_days: Program, tmp_path: Path) -> None:
    """The CSV is an export: applied to the database of that day it changes nothing."""
    shown = four_days("as-of", "2026-03-02T23:00", "--csv").stdout
    path = tmp_path / "past.csv"
    path.write_text(shown, newline="")
    header = next(csv.reader([shown.splitlines()[0]]))
    assert tuple(header[: len(EXPORT_COLUMNS)]) == EXPORT_COLUMNS
    mirror = f"sqlite:///{tmp_path / 'second.db'}"
    for day in DAYS[:2]:
        source = four_days.directory / f"{SELLER}-inventory-{day}.csv"
        assert four_days("sync", "--from-file", str(source), DATABASE_URL=mirror).exit_code == 0
    again = four_days(
        "sync", "--seller", SELLER, "--from-file", str(path), "--json", DATABASE_URL=mirror
    )
    assert again.counts == {"seen": 30, "unchanged": 30, "active": 30}


def test_as_of_all_shows_what_was_kept(four_days: Program) -> None:
    """With --all what was not for sale is there, too, with its reason."""
    past = json.loads(four_days("as-of", "2026-03-03T23:00", "--all", "--json").stdout)
    reasons = {x["listing_id"]: x["removal_reason"] for x in past["listings"]}
    assert reasons[FIRST_ID + 2] == "sold"
    assert reasons[FIRST_ID + 29] == "missing"
    assert len(reasons) == 30


def test_history_tells_a_life(four_days: Program) -> None:
    """Every change, oldest first, with old and new values, dated by its snapshot."""
    life = json.loads(four_days("history", str(FIRST_ID + 2), "--json").stdout)
    assert [change["kind"] for change in life["changes"]] == ["added", "removed", "reactivated"]
    removed = life["changes"][1]
    assert removed["fields"]["status"] == ["For Sale", "Sold"]
    assert removed["fields"]["is_active"] == [True, False]
    assert removed["at"] == "2026-03-03T20:00:00Z"
    shown = four_days("history", str(FIRST_ID + 1)).stdout
    assert "price_value\t12.50\t9.00" in shown


@pytest.mark.parametrize(
    ("change", "commands"),
    [
        ("UPDATE listings SET price_value = 'abc'", (("stats",), ("as-of", "1s"))),
        ("UPDATE listings SET price_value = 1e400", (("stats",),)),
        ("UPDATE listings SET posted = 'x'", (("stats",), ("as-of", "1s", "--csv"))),
        ("UPDATE listings SET removed_at = 'x'", (("stats",), ("as-of", "1s", "--all"))),
        ("UPDATE listing_changes SET fields = '{bad'", (("history", str(FIRST_ID + 1)),)),
        ("UPDATE sync_runs SET report = '{bad'", (("status",), ("runs",))),
    ],
)
def test_a_row_that_another_program_spoilt_is_named(
    sqlite_program: Program, change: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    """It is a storage fault, not a bug, and says what to correct."""
    name = f"{SELLER}-inventory-20260301-1200.csv"
    path = write_export(sqlite_program.directory / name, make_shop(3))
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    sqlite_program.query(
        "INSERT INTO listing_changes (sync_run_id, seller, listing_id, kind) "
        f"SELECT sync_run_id, seller, '{FIRST_ID + 1}', 'updated' FROM listing_changes LIMIT 1"
    )
    sqlite_program.query(change)
    for words in commands:
        result = sqlite_program(*words)
        assert (result.exit_code, "correct that row" in result.stderr) == (16, True), words


def test_the_future_has_no_inventory(four_days: Program) -> None:
    """A moment to come is a usage fault, not today's inventory under another date."""
    assert four_days("as-of", "2999-01-01").exit_code == 2


def test_runs_of_another_database_are_not_this_ones(sqlite_program: Program) -> None:
    """Two databases in one directory share it for their reports, and nothing else."""
    assert sqlite_program("sync", "-q").exit_code == 0
    other = f"sqlite:///{sqlite_program.directory / 'other.db'}"
    assert json.loads(sqlite_program("runs", "--json", DATABASE_URL=other).stdout)["runs"] == []
    assert len(json.loads(sqlite_program("runs", "--json").stdout)["runs"]) == 1


def test_history_of_an_unknown_listing_is_a_usage_fault(four_days: Program) -> None:
    """A number that was never seen is said to be one."""
    result = four_days("history", "12")
    assert result.exit_code == 2
    assert "no listing 12" in result.stderr


def test_reading_changes_nothing(four_days: Program) -> None:
    """Looking at the past writes nothing."""
    before = four_days.digest()
    for words in (
        ("history", str(FIRST_ID)),
        ("as-of", "2026-03-02"),
        ("status",),
        ("runs",),
        ("purge-inactive",),
        ("restore", str(FIRST_ID + 29), "--dry-run"),
    ):
        assert four_days(*words).exit_code in {0, 3}, words
    assert four_days.digest() == before


def test_status_says_how_fresh_and_ends_with_13_when_late(program: Program) -> None:
    """A monitoring check: the status is the exit status."""
    assert program("status").exit_code == 10
    assert program("sync", "-q").exit_code == 0
    fresh = program("status", "--json")
    assert fresh.exit_code == 0
    shown = json.loads(fresh.stdout)
    assert (shown["listings"]["active"], shown["late"]) == (20, False)
    assert shown["inventory"]["too_old_to_show"] is False
    program.query("UPDATE sync_runs SET finished_at = :at", at="2026-01-01 00:00:00")
    late = program("status")
    assert late.exit_code == 13
    assert "the limit is 3 h" in late.stderr
    assert program("status", "--max-age", "5000w").exit_code == 0
    assert program("status", "--max-age", "soon").exit_code == 2


def test_status_warns_past_six_hours(four_days: Program) -> None:
    """A sync a moment ago of an inventory of last year is no fresh inventory."""
    result = four_days("status")
    assert result.exit_code == 0
    assert "more than six hours old" in result.stderr


def test_runs_lists_refused_ones_too(sqlite_program: Program) -> None:
    """A run that wrote nothing still happened."""
    assert sqlite_program("sync", "-q").exit_code == 0
    empty = sqlite_program.directory / f"{SELLER}-inventory-20990101-0000.csv"
    empty.write_text((",".join(EXPORT_COLUMNS)) + "\r\n")
    assert sqlite_program("sync", "--from-file", str(empty)).exit_code == 13
    runs = json.loads(sqlite_program("runs", "--json").stdout)["runs"]
    # Both may have begun in the same second.
    by_status = {run["exit_code"]: run for run in runs}
    assert set(by_status) == {13, 0}
    assert by_status[13]["error"]
    whole = json.loads(sqlite_program("runs", by_status[13]["run_id"][:8]).stdout)
    assert whole["error"]["code"]
    assert sqlite_program("runs", "nothing").exit_code == 2
    only = json.loads(sqlite_program("runs", "--command", "restore", "--json").stdout)
    assert only["runs"] == []


def test_a_second_seller_is_asked_for(four_days: Program) -> None:
    """With two sellers in the database nobody guesses which is meant."""
    path = write_export(four_days.directory / "other-inventory-20260301-1200.csv", make_shop(3))
    assert four_days("sync", "--seller", "other", "--from-file", str(path)).exit_code == 0
    assert four_days("status", DISCOGS_USERNAME="").exit_code == 10
    other = json.loads(four_days("as-of", "1h", "--seller", "OTHER", "--json").stdout)
    assert (other["seller"], len(other["listings"])) == ("other", 3)


def test_a_live_sync_counts_from_its_own_moment(program: Program, sandbox: object) -> None:
    """What a sync changed was not yet so a moment before it began."""
    assert program("sync", "-q").exit_code == 0
    between = datetime.now(UTC).isoformat()
    state = sandbox.state  # type: ignore[attr-defined]
    state.inventory[3] = replace(state.inventory[3], price_value=Decimal("1.00"))
    assert program("sync", "-q").exit_code == 0
    past = json.loads(program("as-of", between, "--json").stdout)["listings"]
    assert {x["price_value"] for x in past} == {"12.50"}
    now = json.loads(program("as-of", datetime.now(UTC).isoformat(), "--json").stdout)["listings"]
    assert len(now) == 20


def test_csv_of_the_past_runs_no_formula_and_reads_back_exactly(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A comment may be anything; the CSV is opened in a spreadsheet, and synced again."""
    texts = ("=1+1", "+1", "-1", "@x", "'=1", "''-1", "'til", "plain")
    sandbox.state.inventory = [
        make_listing(n, comments=text, location=text) for n, text in enumerate(texts)
    ]
    assert sqlite_program("sync", "--source", "pages").exit_code == 0
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    told = sqlite_program("as-of", now, "--csv")
    assert told.exit_code == 0
    cells = [cell for row in csv.reader(io.StringIO(told.stdout)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    (sqlite_program.directory / "past.csv").write_text(told.stdout, newline="")

    again = sqlite_program("sync", "--from-file", "past.csv", "--json")

    assert again.counts == {"seen": 8, "unchanged": 8, "active": 8}
