"""`restore` and `purge-inactive`: taking things back, and the only hard delete."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from discosync.core.inventory.listing import Listing
from discosync.database.connection.engine import open_database
from discosync.database.connection.lock import Holder, hold_lock
from tests.support.killing import copy_of, kill_at, last_commit, points_of
from tests.support.postgres import Postgres
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, SELLER, make_shop, write_export

OLD, NEW = "20250101-1200", "20250201-1200"


def _mirror(program: Program, day: str, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / f"{SELLER}-inventory-{day}.csv", shop)
    return program("sync", "--from-file", str(path), "--json", *options)


def _rows(program: Program) -> dict[int, dict[str, object]]:
    rows = program.query("SELECT * FROM listings ORDER BY listing_id")
    return {int(row["listing_id"]): row for row in rows}


@pytest.fixture
def shop(program: Program) -> Program:
    """Forty listings; then three sold, two vanished, one cheaper, one new."""
    first = make_shop(40)
    assert _mirror(program, OLD, first).exit_code == 0
    second = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(first)][:-2]
    second[10] = replace(second[10], price_value=Decimal("5.00"))
    second.append(make_shop(60)[55])
    assert _mirror(program, NEW, second).exit_code == 0
    return program


def _last_run(program: Program) -> str:
    return str(program.query("SELECT run_id FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["run_id"])


def test_restore_puts_listings_back_as_they_were(shop: Program) -> None:
    """What was sold or had vanished is for sale again, content, hash and all, with its history."""
    result = shop("restore", str(FIRST_ID), str(FIRST_ID + 39), "--json")
    assert result.exit_code == 0
    assert result.counts["reactivated"] == 2
    rows = _rows(shop)
    for listing_id in (FIRST_ID, FIRST_ID + 39):
        assert rows[listing_id]["status"] == "For Sale"
        assert rows[listing_id]["is_active"]
        assert rows[listing_id]["removed_at"] is rows[listing_id]["sold_at"] is None
        assert rows[listing_id]["content_hash"]
    kinds = json.loads(shop("history", str(FIRST_ID), "--json").stdout)["changes"]
    assert [change["kind"] for change in kinds] == ["added", "removed", "reactivated"]
    assert kinds[-1]["command"] == "restore"


def test_what_a_restore_brought_back_is_known_to_the_next_sync(shop: Program) -> None:
    """Its hash is right: the inventory of before the sale reports no change of it."""
    assert shop("restore", str(FIRST_ID)).exit_code == 0
    path = write_export(shop.directory / "again.csv", make_shop(40)[:1])
    again = shop(
        "sync", "--from-file", str(path), "--json", "--dry-run", "--allow-mass-removal"
    ).report
    assert FIRST_ID not in {c["listing_id"] for c in again["changes"]}


def test_restore_run_undoes_everything_that_it_did(shop: Program) -> None:
    """Sold, vanished, changed: as before. What it added is no longer for sale, and not deleted."""
    count = len(_rows(shop))
    result = shop("restore", "--run", _last_run(shop), "--json")
    assert result.exit_code == 0
    assert {k: result.counts[k] for k in ("updated", "removed", "reactivated")} == {
        "updated": 1,
        "removed": 1,
        "reactivated": 5,
    }
    after = _rows(shop)
    assert len(after) == count
    assert after[FIRST_ID + 55]["removal_reason"] == "missing"
    past = json.loads(shop("as-of", "2025-01-15", "--json").stdout)["listings"]
    shown = {x["listing_id"]: x["price_value"] for x in past}
    active = {i: f"{r['price_value']:.2f}" for i, r in after.items() if r["is_active"]}
    assert active == shown


def test_undoing_the_undoing_leads_back(shop: Program) -> None:
    """A restore is a run like any other, and can be taken back itself."""
    before = {i: (x["status"], x["price_value"], x["is_active"]) for i, x in _rows(shop).items()}
    assert shop("restore", "--run", _last_run(shop)).exit_code == 0
    assert shop("restore", "--run", _last_run(shop)).exit_code == 0
    after = {i: (x["status"], x["price_value"], x["is_active"]) for i, x in _rows(shop).items()}
    assert after == before


def test_what_changed_again_since_is_left_alone_and_named(shop: Program) -> None:
    """A later run's word counts more than the undoing of an earlier one."""
    run_id = _last_run(shop)
    assert shop("restore", str(FIRST_ID)).exit_code == 0
    result = shop("restore", "--run", run_id, "--json")
    assert result.exit_code == 3
    problems = [p for p in result.report["problems"] if p["code"] == "not_restored"]
    assert [p["listing_id"] for p in problems] == [FIRST_ID]
    assert "changed again since" in problems[0]["text"]
    assert result.counts["reactivated"] == 4


def test_a_dry_restore_shows_and_writes_nothing(shop: Program) -> None:
    """The plan is the same, and the database is not touched."""
    before = shop.digest()
    result = shop("restore", "--run", _last_run(shop), "--dry-run", "--json")
    kinds = [change["kind"] for change in result.report["changes"]]
    assert sorted(kinds) == ["reactivated"] * 5 + ["removed", "updated"]
    assert shop.digest() == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("restore",), 2),
        (("restore", "1", "--run", "x"), 2),
        (("restore", "77"), 2),
        (("restore", "--run", "nothing"), 2),
        (("restore", "--from-archive", "nothing.ndjson.gz"), 14),
        (("purge-inactive", "--older-than", "0d"), 2),
        (("purge-inactive", "--older-than", "long"), 2),
        (("purge-inactive", "--max-purge", "-1"), 2),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    shop: Program, words: tuple[str, ...], code: int
) -> None:
    """A wrong word ends with its status and leaves everything as it is."""
    before = shop.digest()
    assert shop(*words).exit_code == code
    assert shop.digest() == before


def test_a_large_restore_is_refused_and_named_its_way_out(program: Program) -> None:
    """Putting more back up for sale than max(10, 5%) wants --allow-mass-restore."""
    assert _mirror(program, OLD, make_shop(40)).exit_code == 0
    sold = [replace(x, status="Sold") if i < 15 else x for i, x in enumerate(make_shop(40))]
    assert _mirror(program, NEW, sold).exit_code == 0
    run_id, before = _last_run(program), program.digest()
    refused = program("restore", "--run", run_id)
    assert refused.exit_code == 13
    assert "--allow-mass-restore" in refused.stderr
    assert program.digest() == before
    assert program("restore", "--run", run_id, "--allow-mass-restore").exit_code == 0
    assert all(row["is_active"] for row in _rows(program).values())


def test_purge_shows_its_plan_and_takes_nothing_without_apply(shop: Program) -> None:
    """What would go is listed; nothing goes, and no file is made."""
    before = shop.digest()
    result = shop("purge-inactive", "--json")
    assert result.exit_code == 0
    assert result.report["archive"]["by_reason"] == {"missing": 2, "sold": 3}
    assert {c["kind"] for c in result.report["changes"]} == {"purged"}
    assert shop.digest() == before
    assert not list(shop.directory.rglob("*.ndjson.gz"))


def _purge(shop: Program, *options: str) -> Result:
    directory = str(shop.directory / "archives")
    return shop("purge-inactive", "--apply", "--archive", directory, "--json", *options)


def test_purge_archives_then_deletes_and_the_archive_brings_all_back(shop: Program) -> None:
    """Rows and whole history go into one file and come back from it, value by value."""
    rows, history = _rows(shop), shop.query("SELECT * FROM listing_changes ORDER BY id")
    result = _purge(shop)
    assert result.exit_code == 0
    archive = result.report["archive"]
    path = Path(archive["file"])
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["type"] for line in lines].count("listing") == archive["listings"] == 5
    assert lines[-1] == {"type": "end", "runs": 2, "listings": 5, "changes": archive["changes"]}
    assert path.stat().st_mode & 0o077 == 0
    recorded = shop.query("SELECT report FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["report"]
    recorded = json.loads(recorded) if isinstance(recorded, str) else recorded
    assert recorded["archive"]["sha256"] == archive["sha256"]
    left = _rows(shop)
    gone = {str(i) for i in set(rows) - set(left)}
    assert gone == {str(FIRST_ID + i) for i in (0, 1, 2, 38, 39)}
    assert not [c for c in shop.query("SELECT * FROM listing_changes") if c["listing_id"] in gone]
    life = shop("history", str(FIRST_ID)).stdout
    assert path.name in life

    dry = shop("restore", "--from-archive", str(path), "--dry-run", "--json")
    assert [c["kind"] for c in dry.report["changes"]] == ["restored"] * 5
    assert _rows(shop) == left
    assert shop("restore", "--from-archive", str(path), "--json").exit_code == 0
    assert _rows(shop) == rows

    def told(changes: list[dict[str, object]]) -> list[tuple[object, ...]]:
        keys = ("sync_run_id", "listing_id", "kind", "fields")
        return sorted(tuple(str(c[k]) for k in keys) for c in changes if c["kind"] != "restored")

    assert told(shop.query("SELECT * FROM listing_changes")) == told(history)
    again = shop("restore", "--from-archive", str(path), "--json")
    assert again.exit_code == 0
    assert again.report["archive"]["listings"] == 0


def test_what_was_purged_does_not_come_back_with_the_next_export(shop: Program) -> None:
    """An export shows sold records for years; one that is for sale again is a listing again."""
    assert _purge(shop).exit_code == 0
    sold = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(make_shop(38))]
    result = _mirror(shop, "20250301-1200", sold)
    assert result.counts.get("added", 0) == 0
    listings = result.report["listings"]
    assert listings["seen"] == listings["unchanged"] + listings["updated"]
    back = [replace(x, status="For Sale") if i == 1 else x for i, x in enumerate(sold)]
    assert _mirror(shop, "20250302-1200", back).counts["added"] == 1
    assert _rows(shop)[FIRST_ID + 1]["is_active"]


def test_purge_takes_only_what_is_old_enough_and_inactive(shop: Program) -> None:
    """One second on either side of the retention decides; what is for sale never goes."""
    shop.query(
        "UPDATE listings SET removed_at = :at WHERE listing_id = :i",
        at="2099-01-01 00:00:00",
        i=str(FIRST_ID),
    )
    shop.query("UPDATE listings SET removed_at = NULL WHERE listing_id = :i", i=str(FIRST_ID + 1))
    result = _purge(shop)
    assert result.report["archive"]["listings"] == 3
    assert {FIRST_ID, FIRST_ID + 1} <= set(_rows(shop))
    assert sum(1 for row in _rows(shop).values() if row["is_active"]) == 36


def test_the_retention_is_a_setting_and_an_option(shop: Program) -> None:
    """RETENTION_DAYS decides unless --older-than does."""
    none = shop("purge-inactive", "--json", RETENTION_DAYS="36000").report["archive"]
    assert none["listings"] == 0
    option = shop("purge-inactive", "--older-than", "1d", "--json", RETENTION_DAYS="36000")
    assert option.report["archive"]["listings"] == 5
    assert shop("purge-inactive", RETENTION_DAYS="0").exit_code == 10


def test_a_large_purge_is_refused(program: Program) -> None:
    """More than max(10, 5%) wants --max-purge, and the refusal says which."""
    assert _mirror(program, OLD, make_shop(40)).exit_code == 0
    sold = [replace(x, status="Sold") if i < 15 else x for i, x in enumerate(make_shop(40))]
    assert _mirror(program, NEW, sold).exit_code == 0
    before = program.digest()
    refused = _purge(program)
    assert refused.exit_code == 13
    assert "--max-purge 15" in refused.stderr
    assert program.digest() == before
    assert _purge(program, "--max-purge", "14").exit_code == 13
    assert _purge(program, "--max-purge", "15").exit_code == 0


def test_an_archive_that_cannot_be_written_stops_the_purge(shop: Program) -> None:
    """No archive, no delete."""
    (shop.directory / "archives").write_text("in the way")
    before = shop.digest()
    result = _purge(shop)
    assert result.exit_code == 17
    assert shop.digest() == before


@pytest.mark.parametrize("harm", ["cut", "flip", "other"])
def test_a_damaged_archive_restores_nothing(shop: Program, harm: str) -> None:
    """Every byte is read before the first row is written."""
    path = Path(_purge(shop).report["archive"]["file"])
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:half],
            "flip": content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :],
            "other": gzip.compress(b'{"type": "header", "format": "tar"}\n'),
        }[harm]
    )
    before = shop.digest()
    assert shop("restore", "--from-archive", str(path)).exit_code == 14
    assert shop.digest() == before


def _edited(path: Path, old: str, new: str) -> Path:
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new).encode()))
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"price_value": 12.5', '"price_value": -1e400'),
        ('"price_value": 12.5', '"price_value": "abc"'),
        ('"is_active": false', '"is_active": true'),
        ('"kind": "removed"', '"kind": "exploded"'),
        (f'"listing_id": "{FIRST_ID}"', '"listing_id": null'),
        ('"posted": "2026', '"posted": "x'),
    ],
)
def test_an_edited_archive_restores_nothing(sqlite_program: Program, old: str, new: str) -> None:
    """What no purge has written is refused before the first row, and it is no bug."""
    assert _mirror(sqlite_program, OLD, make_shop(40)).exit_code == 0
    sold = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(make_shop(40))]
    assert _mirror(sqlite_program, NEW, sold).exit_code == 0
    path = Path(_purge(sqlite_program).report["archive"]["file"])
    before = sqlite_program.digest()
    result = sqlite_program("restore", "--from-archive", str(_edited(path, old, new)))
    assert (result.exit_code, "cannot be read" in result.stderr) == (14, True)
    assert sqlite_program.digest() == before


def test_an_archive_goes_back_into_a_database_made_anew(shop: Program) -> None:
    """The runs that its history names are put back, too: that is when somebody needs it."""
    rows = _rows(shop)
    path = _purge(shop).report["archive"]["file"]
    assert shop("db", "downgrade", "base", "--allow-loss").exit_code == 0
    shop.query("DELETE FROM listings")
    assert shop("db", "upgrade").exit_code == 0
    assert shop("restore", "--from-archive", str(path)).exit_code == 0
    back = _rows(shop)
    assert len(back) == 5
    for listing_id, row in back.items():
        assert {**row, "id": 0} == {**rows[listing_id], "id": 0}
    life = json.loads(shop("history", str(FIRST_ID), "--json").stdout)["changes"]
    assert [change["kind"] for change in life] == ["added", "removed", "restored"]


def test_a_purge_backs_up_first(sqlite_program: Program) -> None:
    """The backup is there before the first row is gone."""
    assert _mirror(sqlite_program, OLD, make_shop(40)).exit_code == 0
    assert _mirror(sqlite_program, NEW, make_shop(38)).exit_code == 0
    assert _purge(sqlite_program).exit_code == 0
    backups = json.loads(sqlite_program("db", "list", "--json").stdout)["backups"]
    assert [b["why"] for b in backups] == ["before purge-inactive"]
    assert backups[0]["rows"]["listings"] == 40


def test_a_shops_own_column_is_archived_too(sqlite_program: Program) -> None:
    """What another program keeps in the row comes back with it."""
    assert _mirror(sqlite_program, OLD, make_shop(40)).exit_code == 0
    assert _mirror(sqlite_program, NEW, make_shop(38)).exit_code == 0
    sqlite_program.query("ALTER TABLE listings ADD COLUMN shelf VARCHAR(20)")
    sqlite_program.query("UPDATE listings SET shelf = 'B' || listing_id")
    path = _purge(sqlite_program).report["archive"]["file"]
    assert sqlite_program("restore", "--from-archive", path).exit_code == 0
    assert _rows(sqlite_program)[FIRST_ID + 39]["shelf"] == f"B{FIRST_ID + 39}"


def test_a_run_at_work_keeps_both_out(shop: Program) -> None:
    """A purge or a restore beside another run of the seller is refused, and told whose it is."""
    database = open_database(shop.database_url, read_only=False, application="tests")
    holder = Holder(command="discosync sync", run_id="", started_at=datetime.now(UTC))
    before = shop.digest()
    with hold_lock(database, SELLER, holder):
        for result in (_purge(shop), shop("restore", str(FIRST_ID))):
            assert result.exit_code == 11
            assert "another run is at work" in result.stderr
    assert shop.digest() == before


def test_a_purge_that_is_killed_has_taken_all_or_nothing(shop: Program, postgres: Postgres) -> None:
    """Wherever the process dies, what is not in the database any more is in an archive."""
    before = set(_rows(shop))
    command = ("purge-inactive", "--apply", "--no-backup", "--archive", "archives")
    points = points_of(copy_of(shop, postgres), *command)
    (archive,) = (shop.directory / "archives").iterdir()
    archive.unlink()
    commit, count = last_commit(points), len(points)
    (named,) = (n for n, point in enumerate(points, 1) if point.endswith(archive.name))
    copy = copy_of(shop, postgres)
    for number in sorted({1, commit // 2, named, named + 1, commit - 1, commit}):
        kill_at(copy, number, *command)
        assert set(_rows(copy)) == before, points[number - 1]
    for number in (commit + 1, count):
        _empty(shop.directory / "archives")
        kill_at(copy, number, *command)
        assert len(before - set(_rows(copy))) == 5, points[number - 1]
        (archive,) = (shop.directory / "archives").glob("purged-*.ndjson.gz")
        assert copy("restore", "--from-archive", str(archive)).exit_code == 0
        assert set(_rows(copy)) == before
        copy = copy_of(shop, postgres)


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_a_refused_run_cannot_be_taken_back(sqlite_program: Program) -> None:
    """It stands in `runs`, and changed nothing: that is what `restore --run` says."""
    program = sqlite_program
    assert _sync(program, make_shop(60)).exit_code == 0
    assert _sync(program, make_shop(20)).exit_code == 13
    run_id = program("runs", "--json").report["runs"][0]["run_id"]
    refused = program("restore", "--run", run_id)
    assert refused.exit_code == 2
    assert "refused or failed changed nothing" in refused.stderr
