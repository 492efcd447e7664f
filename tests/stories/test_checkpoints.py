"""Checkpoints of the history, and thinning it: `as-of` says the same with and without them."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from discosync.core.inventory.listing import Listing
from discosync.core.past.undone import Undone
from discosync.database.connection.engine import open_database
from discosync.database.past.checkpoints import load_undone
from discosync.database.past.history import load_first_run_after
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, SELLER, make_shop, write_export

BEGIN = datetime(2025, 1, 3, 20, 0, tzinfo=UTC)
DAYS = [BEGIN + timedelta(days=4 * step) for step in range(30)]
"""Four months, a snapshot every fourth day at noon in California: 20:00 UTC, or 19:00 in summer."""
MOMENTS = [BEGIN + timedelta(days=3 * step, hours=step) for step in range(-1, 42)]


def _mirror(program: Program, day: datetime, shop: list[Listing], *options: str) -> str:
    path = write_export(program.directory / f"{SELLER}-inventory-{day:%Y%m%d}-1200.csv", shop)
    # Without a token nobody is asked: Discogs knows nothing of these months.
    result = program("sync", "--from-file", str(path), "--json", *options, DISCOGS_TOKEN="")
    assert result.exit_code == 0, result.stderr
    return str(result.report["run_id"])


def _next_day(shop: list[Listing], number: int, chance: random.Random) -> list[Listing]:
    """Change some prices, often to and fro; sell one, bring one back, lose one, add one."""
    today = list(shop)
    for at in chance.sample(range(len(today)), 6):
        today[at] = replace(
            today[at], price_value=Decimal(chance.choice(["9.00", "12.50", "14.00"]))
        )
    sold = chance.randrange(len(today))
    today[sold] = replace(
        today[sold],
        status="For Sale" if today[sold].status == "Sold" else "Sold",
        comments=f"{number}",
    )
    if number % 5 == 1:
        today.pop(chance.randrange(len(today)))
    if number % 5 == 3:
        today.append(make_shop(41 + number)[-1])
    return today


@pytest.fixture
def four_months(program: Program) -> Program:
    """The program after four months of a lively shop."""
    chance, shop = random.Random(7), make_shop(20)  # noqa: S311 - no secret
    for number, day in enumerate(DAYS):
        shop = _next_day(shop, number, chance) if number else shop
        _mirror(program, day, shop)
    return program


def _as_of(program: Program, moment: datetime, *options: str) -> list[dict[str, Any]]:
    shown = program("as-of", moment.isoformat(), "--all", "--json", *options)
    if "nothing is known of" in shown.stderr:  # before the first of the days
        assert shown.exit_code == 2
        return []
    assert shown.exit_code == 0, shown.stderr
    return list(json.loads(shown.stdout)["listings"])


def _past(program: Program) -> list[list[dict[str, Any]]]:
    return [_as_of(program, moment) for moment in MOMENTS]


def _checkpoints(program: Program) -> list[dict[str, Any]]:
    return program.query(
        "SELECT * FROM history_checkpoints ORDER BY seller, first_run_id, last_run_id"
    )


def _changes(program: Program) -> list[dict[str, Any]]:
    return program.query("SELECT * FROM listing_changes ORDER BY id")


def test_as_of_is_the_same_with_and_without_checkpoints(four_months: Program) -> None:
    """A checkpoint decides nothing: without any, every moment looks as with them."""
    assert len(_checkpoints(four_months)) == 12  # eleven thirds of a month, and a quarter
    packed = _past(four_months)
    four_months.query("DELETE FROM history_checkpoints WHERE id IN (2, 3, 7)")
    assert _past(four_months) == packed
    four_months.query("DELETE FROM history_checkpoints")
    assert _past(four_months) == packed
    assert len({json.dumps(past) for past in packed}) > 25


def test_the_first_run_of_a_third_of_a_month_packs_the_one_before(program: Program) -> None:
    """Nothing for the first load, nothing within a third, one row when a third is over."""
    shop = make_shop(20)
    _mirror(program, DAYS[0], shop)
    _mirror(program, DAYS[1], shop[:-1])
    assert _checkpoints(program) == []
    _mirror(program, DAYS[2], shop)  # 11 January
    runs = [row["id"] for row in program.query("SELECT id FROM sync_runs ORDER BY id")]
    found = [(row["first_run_id"], row["last_run_id"]) for row in _checkpoints(program)]
    assert found == [(runs[0], runs[1])]


def test_as_of_reads_few_changes(four_months: Program) -> None:
    """However long ago: only the changes of two thirds of a month are read one by one."""
    database = open_database(four_months.database_url, read_only=True, application="tests")
    with database.session() as session:
        first = load_first_run_after(session, SELLER, DAYS[5] + timedelta(days=1))
        read = load_undone(session, SELLER, first).changes_read
        whole = len([c for c in _changes(four_months) if c["sync_run_id"] >= first])
    assert 0 < read < whole / 4
    database.engine.dispose()


def _packed_listings(program: Program) -> set[int]:
    undone = Undone()
    for row in _checkpoints(program):
        undone.precede_packed(bytes(row["replaced"]))
    return undone.unknown.union(*undone.before.values())


def _purge(program: Program) -> Result:
    options = ("--apply", "--older-than", "1d", "--max-purge", "20", "--no-backup", "--json")
    purged = program("purge-inactive", *options)
    assert purged.exit_code == 0, purged.stderr
    return purged


def test_a_purge_takes_its_listings_out_of_checkpoints_and_an_archive_puts_them_back(
    four_months: Program,
) -> None:
    """What was purged is missing at every moment; restored, every moment is as it was."""
    before = _past(four_months)
    purged = _purge(four_months)
    held = {int(x["listing_id"]) for x in four_months.query("SELECT listing_id FROM listings")}
    gone = {x["listing_id"] for past in before for x in past} - held
    assert gone
    assert not gone & _packed_listings(four_months), "a hard delete leaves nothing of them"
    without = _past(four_months)
    assert without == [[x for x in past if x["listing_id"] not in gone] for past in before]
    four_months.query("DELETE FROM history_checkpoints WHERE id = 5")
    assert _past(four_months) == without

    archive = purged.report["archive"]["file"]
    assert four_months("restore", "--from-archive", archive).exit_code == 0
    assert _past(four_months) == before
    four_months.query("DELETE FROM history_checkpoints")
    assert _past(four_months) == before


def test_a_purged_listing_that_returns_is_new(four_months: Program) -> None:
    """Its earlier life was purged: checkpoints do not remember it either."""
    _purge(four_months)
    gone = four_months.query("SELECT listing_id FROM purged_listings ORDER BY listing_id")
    back = next(x for x in make_shop(80) if str(x.listing_id) == gone[0]["listing_id"])
    shop = [
        replace(x, price_value=Decimal("1.00"))
        for x in make_shop(80)
        if {"listing_id": str(x.listing_id)} not in gone
    ]
    _mirror(
        four_months,
        DAYS[-1] + timedelta(days=40),
        [back, *shop],
        "--allow-mass-removal",
        "--allow-mass-change",
    )
    packed = _past(four_months)
    assert all(back.listing_id != x["listing_id"] for past in packed for x in past)
    four_months.query("DELETE FROM history_checkpoints")
    assert _past(four_months) == packed


def test_each_seller_has_checkpoints_of_its_own(four_months: Program) -> None:
    """Runs of two sellers take turns; neither's past holds a change of the other's."""
    before = _past(four_months)
    for at, day in enumerate(DAYS[-8:]):
        path = write_export(
            four_months.directory / f"other-inventory-{day:%Y%m%d}-1200.csv", make_shop(9 - at % 2)
        )
        # The same ids: what one seller's past says must not come from the other's.
        typed = ("sync", "--seller", "other", "--from-file", str(path))
        done = four_months(*typed, "--allow-shared-listings")
        assert done.exit_code == 0, done.stderr
    assert {row["seller"] for row in _checkpoints(four_months)} == {SELLER, "other"}
    assert _past(four_months) == before
    packed = [_as_of(four_months, day, "--seller", "other") for day in DAYS[-8:]]
    four_months.query("DELETE FROM history_checkpoints")
    assert [_as_of(four_months, day, "--seller", "other") for day in DAYS[-8:]] == packed


def test_going_back_and_forth_loses_nothing(four_months: Program) -> None:
    """What can be made again is no loss, and `db upgrade` makes it again."""
    before, held = _past(four_months), [row["replaced"] for row in _checkpoints(four_months)]
    assert four_months("db", "downgrade", "0013", "--no-backup").exit_code == 0
    assert four_months("db", "upgrade", "--no-backup").exit_code == 0
    assert [row["replaced"] for row in _checkpoints(four_months)] == held
    assert _past(four_months) == before


def test_a_plan_to_compact_writes_nothing(four_months: Program) -> None:
    """Without --apply it only says what would become of how many changes."""
    before, held = four_months.digest(), _checkpoints(four_months)
    report = four_months("db", "compact", "--json").report
    assert [m["month"] for m in report["months"]] == ["2025-01", "2025-02", "2025-03", "2025-04"]
    assert report["rows_after"] < report["rows_before"] == len(_changes(four_months))
    assert (report["applied"], report["bytes_after"]) == (False, None)
    assert (four_months.digest(), _checkpoints(four_months)) == (before, held)
    assert four_months("db", "compact", "--older-than", "soon").exit_code == 2


def test_compact_keeps_turns_ends_and_recent_months(four_months: Program) -> None:
    """At month ends, within the age, and in what was added, removed or came back, nothing moves."""
    ends = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    recent = [moment for moment in MOMENTS if moment >= ends[2]]
    age = f"{(datetime.now(UTC) - ends[2]).days}d"  # January and February are that old
    kept = [_as_of(four_months, moment) for moment in (*ends, *recent)]
    turns = [c for c in _changes(four_months) if c["kind"] != "updated"]
    planned = four_months("db", "compact", "--json", "--older-than", age).report

    done = four_months("db", "compact", "--apply", "--json", "--older-than", age)
    assert done.exit_code == 0, done.stderr
    assert [m["month"] for m in done.report["months"]] == ["2025-01", "2025-02"]
    assert done.report["months"] == planned["months"]
    assert done.report["rows_after"] == planned["rows_after"] == len(_changes(four_months))
    assert done.report["rows_after"] < done.report["rows_before"]
    assert done.report["backup"]
    assert [_as_of(four_months, moment) for moment in (*ends, *recent)] == kept
    after = [c for c in _changes(four_months) if c["kind"] not in {"updated", "merged"}]
    assert after == turns
    four_months.query("DELETE FROM history_checkpoints")
    assert [_as_of(four_months, moment) for moment in (*ends, *recent)] == kept


def test_a_second_compact_does_nothing(four_months: Program) -> None:
    """A month is thinned once."""
    assert four_months("db", "compact", "--apply", "--no-backup").exit_code == 0
    before, held = four_months.digest(), _checkpoints(four_months)
    again = four_months("db", "compact", "--apply", "--json").report
    assert (again["months"], again["backup"]) == ([], None)
    assert (four_months.digest(), _checkpoints(four_months)) == (before, held)
    # Not only because it is marked: there is nothing left to merge.
    four_months.query("DELETE FROM history_checkpoints")
    planned = four_months("db", "compact", "--json").report
    assert planned["rows_after"] == planned["rows_before"]


def test_restoring_a_thinned_run_says_what_it_cannot(four_months: Program) -> None:
    """A change that stands for several runs is not taken for one run's, nor are missing ones."""
    assert four_months("db", "compact", "--apply", "--no-backup").exit_code == 0
    merged = four_months.query("SELECT * FROM listing_changes WHERE kind = 'merged' ORDER BY id")
    runs = {row["id"]: row["run_id"] for row in four_months.query("SELECT * FROM sync_runs")}
    last = four_months("restore", "--run", runs[merged[0]["sync_run_id"]], "--dry-run", "--json")
    assert last.exit_code == 3
    told = [p["text"] for p in last.report["problems"]]
    assert any("merged its changes" in text for text in told)
    touched = {c["listing_id"] for c in last.report["changes"]}
    assert int(merged[0]["listing_id"]) not in touched

    first = runs[sorted(runs)[1]]
    earlier = four_months("restore", "--run", first, "--dry-run", "--json")
    assert earlier.exit_code == 3
    assert any("no longer in the history" in p["text"] for p in earlier.report["problems"])


def test_restore_of_an_unthinned_run_says_nothing_of_it(four_months: Program) -> None:
    """What is all there is taken back as ever."""
    newest = four_months.query("SELECT run_id FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["run_id"]
    result = four_months("restore", "--run", newest, "--dry-run", "--json")
    assert [p for p in result.report["problems"] if p["code"] == "not_in_history"] == []


def test_compact_that_would_lose_something_changes_nothing(sqlite_program: Program) -> None:
    """What must not move is compared before the commit: 17, and everything is as it was."""
    shop, chance = make_shop(20), random.Random(3)  # noqa: S311 - no secret
    for number, day in enumerate(DAYS[:12]):
        shop = _next_day(shop, number, chance) if number else shop
        _mirror(sqlite_program, day, shop)
    harms = {
        "turns": "DELETE FROM listing_changes WHERE id = (SELECT max(id) FROM listing_changes "
        "WHERE kind = 'removed' AND sync_run_id < 5)",
        "ends": 'UPDATE listing_changes SET fields = \'{"comments": ["x", "y"]}\' WHERE id = '
        "(SELECT max(id) FROM listing_changes WHERE kind = 'updated' AND sync_run_id < 5)",
    }
    for name, harm in harms.items():
        sqlite_program.query(
            f"CREATE TRIGGER {name} AFTER UPDATE OF kind ON listing_changes BEGIN {harm}; END"
        )
        before, held = sqlite_program.digest(), _checkpoints(sqlite_program)
        failed = sqlite_program("db", "compact", "--apply", "--no-backup")
        assert failed.exit_code == 17, name
        assert "could not be thinned" in failed.stderr
        assert (sqlite_program.digest(), _checkpoints(sqlite_program)) == (before, held)
        sqlite_program.query(f"DROP TRIGGER {name}")
    assert sqlite_program("db", "compact", "--apply", "--no-backup").exit_code == 0


KILLED = """
import os, signal
from discosync.cli import app, load_commands
from discosync.database.connection import engine

def end(driver):
    os.kill(os.getpid(), signal.SIGKILL)

engine._commit = end

load_commands()
app(["db", "compact", "--apply", "--no-backup"])
"""


def test_killed_compact_leaves_everything(four_months: Program) -> None:
    """A process that is killed before its commit has thinned nothing; the next one does it all."""
    before, held = four_months.digest(), _checkpoints(four_months)
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        env={**four_months.environment, "PATH": os.environ["PATH"]},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (four_months.digest(), _checkpoints(four_months)) == (before, held)
    report = four_months("db", "compact", "--apply", "--no-backup", "--json").report
    assert report["rows_after"] < report["rows_before"]


def test_compact_takes_one_seller_when_asked(four_months: Program) -> None:
    """--seller leaves the others' history alone."""
    path = write_export(four_months.directory / "other-inventory-20250501-1200.csv", make_shop(3))
    typed = ("sync", "--seller", "other", "--from-file", str(path), "--allow-shared-listings")
    assert four_months(*typed).exit_code == 0
    report = four_months("db", "compact", "--seller", "OTHER", "--json").report
    assert {m["seller"] for m in report["months"]} == {"other"}
    assert {m["seller"] for m in four_months("db", "compact", "--json").report["months"]} == {
        SELLER,
        "other",
    }


def test_checkpoints_are_in_backups(four_months: Program) -> None:
    """A backup holds them, and puts them back."""
    before, held = _past(four_months)[::6], _checkpoints(four_months)
    backup = four_months("db", "backup", "--json").report
    assert backup["rows"]["history_checkpoints"] == len(held)
    four_months.query("DELETE FROM history_checkpoints")
    assert four_months("db", "restore", backup["file"]).exit_code == 0
    assert _checkpoints(four_months) == held
    assert _past(four_months)[::6] == before
    assert FIRST_ID in {x["listing_id"] for x in before[-1]}
