"""An unchanged hour is cheap, and a shortcut is taken only where nothing can have changed."""

import csv
import io
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from discosync.commands.steps.committing import make_schema
from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.listing import Listing
from discosync.database.connection.engine import open_database
from discosync.database.connection.session import Session
from discosync.database.recall.fingerprints import load_fingerprint
from discosync.database.rows.apply import apply_changes
from discosync.files.parsed_file import ParsedFile
from tests.support.program import Program
from tests.support.shop import SELLER, make_listing, make_shop, with_changed, write_export

UNUSED = {
    "alembic", "apprise", "asyncpg", "celery", "jinja2", "lxml", "mako", "prometheus_client",
    "redis", "requests", "requests_cache", "rich", "sqlalchemy", "urllib3", "vcr",
    "discosync.discogs.http.transport", "discosync.database.schema.migrating",
    "discosync.sandbox",
    "discosync.core.reporting.comparison", "discosync.core.past.stats",
    "discosync.discogs.inventory.export", "discosync.discogs.inventory.export_job",
    "annotated_types", "platformdirs", "pydantic", "pydantic_core", "tomllib", "dotenv",
    "discosync.core.catalog.entries", "discosync.core.catalog.credits",
    "discosync.core.catalog.enrichment", "discosync.render.enrichment", "discosync.cli.db",
    "discosync.cli.enrich",
}  # fmt: skip

MAKES_THE_SCHEMA = {"sqlalchemy"}

PURGE = (
    "INSERT INTO purged_listings (seller, listing_id, archive, sync_run_id) "
    f"SELECT '{SELLER}', '7', '', id FROM sync_runs LIMIT 1"
)
STRANGER = f"INSERT INTO listings (listing_id, seller, is_active) VALUES ('77', '{SELLER}', true)"


@contextmanager
def counting_parsed() -> Iterator[list[int]]:
    """Count the records that are parsed."""
    parsed = [0]

    def look(frame: FrameType, what: str, _: Any) -> None:
        if what == "call" and frame.f_code is BlockParser._read_columns.__code__:  # noqa: SLF001
            parsed[0] += len(frame.f_locals["bodies"])

    sys.setprofile(look)
    try:
        yield parsed
    finally:
        sys.setprofile(None)


@contextmanager
def counting_calls(code: CodeType) -> Iterator[list[int]]:
    """Count the calls of a function."""
    calls = [0]

    def look(frame: FrameType, what: str, _: Any) -> None:
        calls[0] += what == "call" and frame.f_code is code

    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@contextmanager
def noting_statements() -> Iterator[list[str]]:
    """Note the statements of plain sessions."""
    statements: list[str] = []
    codes = {Session.execute.__code__, Session.execute_all.__code__}

    def look(frame: FrameType, what: str, _: Any) -> None:
        if what == "call" and frame.f_code in codes:
            statements.append(frame.f_locals["statement"])

    sys.setprofile(look)
    try:
        yield statements
    finally:
        sys.setprofile(None)


@pytest.fixture
def path(program: Program, tmp_path: Path) -> Path:
    """A mirrored export of forty listings, five of them sold."""
    shop = [make_listing(n, status="Sold" if n < 5 else "For Sale") for n in range(40)]
    path = write_export(tmp_path / "shop.csv", shop)
    assert program("sync", "--from-file", str(path)).exit_code == 0
    return path


def _sync(program: Program, path: Path, *options: str, **more: str) -> tuple[dict[str, int], int]:
    """Sync; return the counts, and how many records were parsed while planning and writing.

    There is no token to ask Discogs with for what a file lacks.
    """
    more = {"DISCOGS_TOKEN": "", **more}
    with counting_parsed() as parsed:
        result = program("sync", "--from-file", str(path), "--json", *options, stdin=None, **more)
    assert result.exit_code == 0, result.stderr
    return result.counts, parsed[0]


def _shorten(path: Path, less: Path) -> Path:
    """Leave out the last two columns."""
    rows = csv.reader(io.StringIO(path.read_text(), newline=""))
    text = io.StringIO()
    csv.writer(text).writerows(row[:-2] for row in rows)
    less.write_text(text.getvalue(), newline="")
    return less


def _records(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_same_file_again_is_not_parsed(program: Program, path: Path) -> None:
    """The very same bytes again: all counts, and not one record read."""
    expected = {"seen": 40, "unchanged": 40, "active": 35}
    assert _sync(program, path) == (expected, 0)
    assert _sync(program, path) == (expected, 0)
    assert len(program.query("SELECT * FROM sync_runs")) == 3
    assert _sync(program, path, "--dry-run") == (expected, 0)


def test_only_records_with_other_bytes_are_parsed(program: Program, path: Path) -> None:
    """One price changed: that record is parsed, once, and the others never."""
    path.write_bytes(path.read_bytes().replace(b"For Sale,12.5,", b"For Sale,13,", 1))
    counts, parsed = _sync(program, path)
    assert counts == {"seen": 40, "updated": 1, "unchanged": 39, "active": 35}
    assert parsed == 1
    assert _sync(program, path) == ({"seen": 40, "unchanged": 40, "active": 35}, 0)


def test_another_form_of_the_same_is_no_change(program: Program, path: Path) -> None:
    """A formatting change upstream is parsed once, is no change, and is known from then on."""
    path.write_bytes(path.read_bytes().replace(b",12.5,", b",12.50,"))
    expected = {"seen": 40, "unchanged": 40, "active": 35}
    assert _sync(program, path) == (expected, 40)
    path.write_bytes(path.read_bytes() + b"\r\n")
    assert _sync(program, path) == (expected, 0)
    assert len(program.query("SELECT * FROM listing_changes")) == 40


def test_order_of_records_does_not_matter(program: Program, path: Path) -> None:
    """Records are known wherever in the file they stand."""
    header, *records = _records(path)
    path.write_bytes(header + b"".join(reversed(records)))
    assert _sync(program, path) == ({"seen": 40, "unchanged": 40, "active": 35}, 0)


def test_other_columns_read_everything_anew(program: Program, path: Path) -> None:
    """Bytes mean something under their header only."""
    shown = path.read_bytes().replace(b",quantity\r\n", b",number_of_copies\r\n", 1)
    path.write_bytes(shown)
    program("sync", "--from-file", str(path))
    path.write_bytes(shown.replace(b",number_of_copies\r\n", b",quantity\r\n", 1))
    assert _sync(program, path)[1] == 40


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM listings WHERE listing_id = '4400000020'",
         {"seen": 40, "added": 1, "unchanged": 39, "active": 35}),
        (STRANGER, {"seen": 40, "unchanged": 40, "removed": 1, "active": 35}),
        ("UPDATE listings SET is_active = false WHERE listing_id = '4400000020'",
         {"seen": 40, "unchanged": 39, "reactivated": 1, "active": 35}),
        ("UPDATE listings SET price_value = 1, content_hash = NULL WHERE listing_id = '4400000020'",
         {"seen": 40, "updated": 1, "unchanged": 39, "active": 35}),
        ("UPDATE listings SET is_active = NOT is_active WHERE id IN (1, 20)",
         {"seen": 40, "removed": 1, "unchanged": 38, "reactivated": 1, "active": 35}),
    ],
)  # fmt: skip
def test_what_another_program_did_is_seen(
    program: Program, path: Path, statement: str, expected: dict[str, int]
) -> None:
    """Rows that came, went, were switched or lost their hash: no shortcut is taken past them."""
    program.query(statement)
    assert _sync(program, path)[0] == expected
    assert _sync(program, path)[0] == {"seen": 40, "unchanged": 40, "active": 35}


def test_write_between_plan_and_commit_leaves_no_mark(
    program: Program, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that the plan did not see as they are now are looked at by the next run."""

    def meanwhile(*arguments: Any) -> None:
        program.query("UPDATE listings SET is_active = false WHERE listing_id = '4400000030'")
        make_schema(*arguments)

    monkeypatch.setattr("discosync.commands.sync.make_schema", meanwhile)
    path.write_bytes(path.read_bytes().replace(b"For Sale,12.5,", b"For Sale,13,", 1))
    assert _sync(program, path)[0]["updated"] == 1
    monkeypatch.undo()
    assert _sync(program, path)[0]["reactivated"] == 1


@pytest.mark.parametrize(
    ("is_first", "statement", "expected"),
    [
        (False, "DELETE FROM listings WHERE listing_id = '4400000030'",
         {"added": 1, "unchanged": 39}),
        (False, "UPDATE listings SET is_active = false WHERE listing_id = '4400000030'",
         {"reactivated": 1, "unchanged": 39}),
        (False, STRANGER, {"removed": 1, "unchanged": 40}),
        (True, STRANGER, {"removed": 1, "unchanged": 40}),
    ],
)  # fmt: skip
def test_commit_during_the_write_is_no_part_of_the_mark(
    postgres_program: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    expected: dict[str, int],
    *,
    is_first: bool,
) -> None:
    """What another program commits while a run writes is seen by the next run, not certified."""
    program, shop = postgres_program, make_shop(40)
    path = write_export(tmp_path / "shop.csv", shop)
    if not is_first:
        assert _sync(program, path)[0]["added"] == 40
        path = write_export(path, with_changed(shop, 3, comments="changed"))

    def meanwhile(*arguments: Any, **more: Any) -> None:
        apply_changes(*arguments, **more)
        program.query(statement)

    monkeypatch.setattr("discosync.commands.syncing.applying.apply_changes", meanwhile)
    _sync(program, path)
    monkeypatch.undo()
    assert _sync(program, path)[0] == {"seen": 40, **expected, "active": 40}
    assert _sync(program, path) == ({"seen": 40, "unchanged": 40, "active": 40}, 0)


def test_mark_of_a_write_holds(program: Program, tmp_path: Path) -> None:
    """Added, changed, gone, come back: what a run wrote itself is no news to the next one."""
    shop = make_shop(40)
    path = write_export(tmp_path / "shop.csv", shop)
    for hour in (shop, with_changed(shop, 3, status="Sold"), shop[:38], shop, make_shop(42)):
        write_export(path, hour)
        assert _sync(program, path)[1] > 0
        assert _sync(program, path)[1] == 0


@pytest.mark.parametrize("is_changed", [True, False])
def test_mark_that_knows_a_row_which_is_not_there(
    program: Program, path: Path, *, is_changed: bool
) -> None:
    """Wherever such a mark came from, all rows are read, and the run ends as without it."""
    database = open_database(program.database_url, read_only=True, application="test")
    if database.is_sqlite:
        program.query("DROP TRIGGER watch_listings_delete")
    program.query("DELETE FROM listings WHERE listing_id = '4400000030'")
    with database.session() as session:
        fingerprint = load_fingerprint(session, SELLER)
    program.query("UPDATE snapshot_marks SET fingerprint = :f", f=fingerprint)
    header, *records = _records(path)
    at = next(n for n, record in enumerate(records) if record.startswith(b"4400000030,"))
    changed = [records[at].replace(b",12.5,", b",13,")] if is_changed else []
    path.write_bytes(b"".join([header, *records[:at], *changed, *records[at + 1 :]]))
    counts, _ = _sync(program, path)
    if is_changed:
        assert counts == {"seen": 40, "added": 1, "unchanged": 39, "active": 35}
    else:
        assert counts == {"seen": 39, "unchanged": 39, "active": 34}
        known = program.query("SELECT ids FROM record_digests")
        assert [len(row["ids"]) for row in known] == [39 * 8]
    assert _sync(program, path)[1] == 0


def test_restored_listing_is_looked_at_again(program: Program, path: Path) -> None:
    """After a restore the same file is news."""
    header, *records = _records(path)
    path.write_bytes(header + b"".join(records[:-1]))
    assert _sync(program, path)[0]["removed"] == 1
    assert program("restore", "4400000040").exit_code == 0
    assert _sync(program, path)[0]["removed"] == 1


def test_purged_listings_stay_away_unparsed(program: Program, path: Path) -> None:
    """What was purged is not read every hour again, and comes back once it is for sale."""
    program.query("UPDATE listings SET removed_at = '2020-01-01 00:00:00' WHERE NOT is_active")
    assert program("purge-inactive", "--apply", "--no-backup").exit_code == 0
    expected = {"seen": 40, "unchanged": 40, "active": 35}
    assert _sync(program, path) == (expected, 40)
    assert _sync(program, path) == (expected, 0)
    path.write_bytes(path.read_bytes().replace(b"No. 7,", b"No. 8,", 1))
    assert _sync(program, path)[1] == 1
    path.write_bytes(path.read_bytes().replace(b",Sold,", b",For Sale,", 1))
    assert _sync(program, path)[0]["added"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM snapshot_marks",
        "DELETE FROM record_digests",
        "DELETE FROM record_digests WHERE chunk = 1",
        "UPDATE record_digests SET chunk = 9 WHERE chunk = 1",
        "UPDATE record_digests SET ids = substr(ids, 1, length(ids) - 3) WHERE chunk = 1",
        "UPDATE record_digests SET ids = substr(ids, 1, length(ids) - 8) WHERE chunk = 3",
        "UPDATE record_digests SET digests = substr(digests, 1, 150) WHERE chunk = 1",
        "UPDATE record_digests SET digests = substr(digests, 1, 144) WHERE chunk = 3",
        "UPDATE record_digests SET flags = substr(flags, 1, 9) WHERE chunk = 3",
        "UPDATE record_digests SET flags = substr(digests, 1, 10) WHERE chunk = 1",
    ],
)
def test_marks_may_be_lost_or_harmed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Whatever is missing or wrong of what was remembered costs time, and nothing else."""
    monkeypatch.setattr("discosync.database.recall.marks.LISTINGS_PER_CHUNK", 10)
    path = write_export(tmp_path / "shop.csv", make_shop(40))
    program("sync", "--from-file", str(path))
    assert len(program.query("SELECT * FROM record_digests")) == 4
    program.query(statement)
    path.write_bytes(path.read_bytes().replace(b"For Sale,12.5,", b"For Sale,13,", 1))
    counts, parsed = _sync(program, path)
    assert counts == {"seen": 40, "updated": 1, "unchanged": 39, "active": 40}
    assert parsed == 40
    path.write_bytes(path.read_bytes() + b"\r\n")
    assert _sync(program, path)[1] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM snapshot_passages",
        "UPDATE snapshot_passages SET packed = substr(packed, 1, 20)",
        "UPDATE snapshot_passages SET checksum = '0'",
    ],
)
def test_passages_may_be_lost_or_harmed(program: Program, path: Path, statement: str) -> None:
    """Without them each record is looked up by its bytes, and still not parsed."""
    program.query(statement)
    path.write_bytes(path.read_bytes().replace(b"For Sale,12.5,", b"For Sale,13,", 1))
    counts, parsed = _sync(program, path)
    assert counts == {"seen": 40, "updated": 1, "unchanged": 39, "active": 35}
    assert parsed == 1


def test_passages_of_another_hour_are_not_believed(program: Program, tmp_path: Path) -> None:
    """Passages go by the places of what was known with them: an older backup's would mislead."""
    shop = make_shop(41)
    path = write_export(tmp_path / "shop.csv", shop[1:])
    _sync(program, path)
    older = program.query("SELECT checksum, packed FROM snapshot_passages")[0]
    _sync(program, write_export(path, shop))
    program.query("UPDATE snapshot_passages SET checksum = :checksum, packed = :packed", **older)
    counts, _ = _sync(program, write_export(path, [*shop[1:], make_listing(41)]))
    assert counts == {"seen": 41, "added": 1, "removed": 1, "unchanged": 40, "active": 41}
    (gone,) = program.query("SELECT listing_id FROM listings WHERE NOT is_active")
    assert gone["listing_id"] == str(shop[0].listing_id)


def test_status_and_release_of_what_stays_inactive_are_written(
    program: Program, tmp_path: Path
) -> None:
    """What an update may leave alone is only what is letter by letter as before."""
    shop = [make_listing(n, status="Draft") for n in range(4)]
    path = write_export(tmp_path / "shop.csv", shop)
    _sync(program, path)
    later = [
        replace(shop[0], status="Sold"),
        replace(shop[1], release_id=99),
        replace(shop[2], comments="other"),
        shop[3],
    ]
    _sync(program, write_export(path, later))
    rows = program.query("SELECT status, release_id, comments FROM listings ORDER BY listing_id")
    assert [(r["status"], r["release_id"], r["comments"]) for r in rows] == [
        (x.status, str(x.release_id), x.comments) for x in later
    ]


@pytest.mark.parametrize(
    ("statement", "forgets"),
    [
        ("UPDATE listings SET content_hash = NULL WHERE id = 7", True),
        ("UPDATE listings SET is_active = NOT is_active WHERE id = 7", True),
        ("UPDATE listings SET seller = 'nobody' WHERE id = 7", True),
        ("UPDATE listings SET image_uri = 'x' WHERE id = 7", True),
        ("DELETE FROM listings WHERE id = 7", True),
        (STRANGER, True),
        (f"REPLACE INTO listings (id, listing_id, seller, is_active) VALUES (7, 7, '{SELLER}', 1)",
         True),
        (PURGE, True),
        ("UPDATE listings SET artist_id = NULL, genres = 'x'", False),
        ("INSERT INTO listings (listing_id, seller, is_active) VALUES ('77', 'other', 1)", False),
        ("UPDATE listings SET content_hash = NULL WHERE seller = 'other'", False),
    ],
)  # fmt: skip
def test_sqlite_takes_a_mark_away_when_somebody_writes(
    sqlite_program: Program, tmp_path: Path, statement: str, *, forgets: bool
) -> None:
    """What a plan would see makes the mark go at once; anything else, and others' rows, do not."""
    path = write_export(tmp_path / "shop.csv", make_shop(40))
    sqlite_program("sync", "--from-file", str(path))
    marks = "SELECT fingerprint LIKE 'watched:%' AS is_watched FROM snapshot_marks"
    assert sqlite_program.query(marks) == [{"is_watched": 1}]
    sqlite_program.query(statement)
    assert sqlite_program.query(marks) == ([] if forgets else [{"is_watched": 1}])


def test_lost_trigger_is_noticed(sqlite_program: Program, tmp_path: Path) -> None:
    """A program that rebuilds the table takes the triggers with it: then rows are read again."""
    path = write_export(tmp_path / "shop.csv", make_shop(40))
    _sync(sqlite_program, path)
    sqlite_program.query("DROP TRIGGER watch_listings_update")
    sqlite_program.query("UPDATE listings SET is_active = 0 WHERE listing_id = '4400000020'")
    assert _sync(sqlite_program, path)[0]["reactivated"] == 1
    assert _sync(sqlite_program, path) == ({"seen": 40, "unchanged": 40, "active": 40}, 0)
    sqlite_program.query("UPDATE listings SET is_active = 0 WHERE listing_id = '4400000020'")
    assert _sync(sqlite_program, path)[0]["reactivated"] == 1


def test_other_rules_read_everything_anew(
    program: Program, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes mean something under the rules by which they were read only."""
    monkeypatch.setattr("discosync.core.recall.mark.RULES", "other")
    assert _sync(program, path) == ({"seen": 40, "unchanged": 40, "active": 35}, 40)
    assert _sync(program, path)[1] == 0


def test_file_that_shows_less_than_the_row_is_read_every_hour(
    program: Program, path: Path, tmp_path: Path
) -> None:
    """A record that does not settle its listing is compared with the row, the same file or not."""
    less = _shorten(path, tmp_path / "less.csv")
    assert _sync(program, less)[0]["unchanged"] == 40
    program.query("UPDATE listings SET price_value = 1 WHERE listing_id = '4400000020'")
    assert _sync(program, less)[0]["updated"] == 1


def test_what_is_put_aside_is_read_only_to_be_written(
    program: Program, path: Path, tmp_path: Path
) -> None:
    """A run that finds nothing to write does not read what it put aside in case."""
    less = _shorten(path, tmp_path / "less.csv")
    for price, expected in ((b"12.5", False), (b"13", True)):
        less.write_bytes(less.read_bytes().replace(b"For Sale,12.5,", b"For Sale,%s," % price, 1))
        with counting_calls(ParsedFile.read.__code__) as reads:
            counts = program("sync", "--from-file", str(less), "--json", stdin=None).counts
        assert ("updated" in counts, reads[0] > 0) == (expected, expected)


@pytest.mark.parametrize("spoilt", ["price_value = 'abc'", "removed_at = 'x'"])
def test_spoilt_row_is_named_among_good_ones(
    sqlite_program: Program, tmp_path: Path, spoilt: str
) -> None:
    """Of many rows that are read together it is the one that cannot be read."""
    shop = make_shop(40)
    path = write_export(tmp_path / "shop.csv", shop)
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    sqlite_program.query(f"UPDATE listings SET {spoilt} WHERE listing_id = '4400000020'")
    write_export(path, [replace(x, comments="changed") for x in shop])
    result = sqlite_program("sync", "--from-file", str(path))
    assert (result.exit_code, "listing_id '4400000020'" in result.stderr) == (16, True)


def test_untrusted_hash_trusts_no_mark(program: Program, path: Path) -> None:
    """With USE_CONTENT_HASH off every record is read and every row rewritten."""
    assert _sync(program, path)[0]["unchanged"] == 40
    program.query("UPDATE listings SET price_value = 1 WHERE listing_id = '4400000020'")
    counts, parsed = _sync(program, path, USE_CONTENT_HASH="off")
    assert counts["updated"] == 1
    assert parsed == 40


def test_bad_record_is_told_every_hour(program: Program, tmp_path: Path) -> None:
    """A quarantined record is never taken for known: it is reported as long as it is there."""
    path = write_export(tmp_path / "bad.csv", make_shop(120))
    path.write_bytes(path.read_bytes().replace(b"For Sale,12.5,", b"For Sale,free,", 1))
    for _ in range(3):
        result = program("sync", "--from-file", str(path), "--json")
        assert (result.exit_code, result.counts["quarantined"]) == (3, 1)


def test_repeated_record_is_told_every_hour(program: Program, path: Path) -> None:
    """Equal duplicates stay a notice, contradictions a refusal, known bytes or not."""
    records = _records(path)
    path.write_bytes(b"".join([*records, records[-1]]))
    for _ in range(2):
        result = program("sync", "--from-file", str(path), "--json")
        assert "duplicate_records" in [p["code"] for p in result.report["problems"]]
    path.write_bytes(path.read_bytes() + records[-1].replace(b",12.5,", b",1,"))
    assert program("sync", "--from-file", str(path)).exit_code == 14


def test_any_life_is_the_same_without_marks(program: Program, tmp_path: Path) -> None:
    """Hour by hour, a mirror that forgets its marks holds the same rows and tells the same."""
    other = Program(program.directory, dict(program.environment))
    rng = random.Random(7)  # noqa: S311 - made-up hours
    shop = make_shop(30)
    for hour in range(12):
        shop = _an_hour_later(rng, shop, hour)
        path = write_export(tmp_path / "shop.csv", shop)
        options = ("--from-file", str(path), "--json", "--allow-mass-removal")
        ours = program("sync", *options, "--seller", "one")
        other.query("DELETE FROM snapshot_marks WHERE seller = 'two'") if hour else None
        theirs = other("sync", *options, "--allow-shared-listings", "--seller", "two")
        assert ours.counts == theirs.counts
    names = "listing_id, status, price_value, comments, is_active, removal_reason, content_hash"
    rows = [
        program.query(f"SELECT {names} FROM listings WHERE seller = :s ORDER BY listing_id", s=s)
        for s in ("one", "two")
    ]
    assert rows[0] == rows[1]
    kinds = [
        program.query(
            "SELECT listing_id, kind, fields FROM listing_changes WHERE seller = :s ORDER BY id",
            s=s,
        )
        for s in ("one", "two")
    ]
    assert [{**k, "fields": None} for k in kinds[0]] == [{**k, "fields": None} for k in kinds[1]]


def _an_hour_later(rng: random.Random, shop: list[Listing], hour: int) -> list[Listing]:
    if rng.random() < 0.3:
        return shop
    at = rng.randrange(len(shop))
    shop = with_changed(shop, at, comments=f"hour {hour}\nagain")
    shop = with_changed(shop, rng.randrange(len(shop)), status=rng.choice(["Sold", "For Sale"]))
    del shop[rng.randrange(len(shop))]
    return [*shop, replace(make_listing(100 + hour), comments='a "quoted" one')]


def test_statements_of_an_unchanged_hour_do_not_grow(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """Ten times the listings, not one statement more; and one row written beside the mark."""
    counts = []
    for size in (20, 200):
        path = write_export(tmp_path / "shop.csv", make_shop(size))
        sqlite_program("sync", "--from-file", str(path))
        with noting_statements() as statements:
            sqlite_program("sync", "--from-file", str(path))
        counts.append(len(statements))
        writes = [
            s.split()[:3] for s in statements if s.split()[0] in {"INSERT", "UPDATE", "DELETE"}
        ]
        assert [" ".join(words) for words in writes] == [
            "INSERT INTO sync_runs",
            "DELETE FROM snapshot_marks",
            "INSERT INTO snapshot_marks",
            "UPDATE sync_runs SET",
        ]
        assert not any("group_concat" in statement for statement in statements)
    assert counts[0] == counts[1] <= 25


@pytest.mark.parametrize("is_first", [True, False])
def test_ordinary_run_imports_nothing_that_it_does_not_use(
    sqlite_program: Program, tmp_path: Path, *, is_first: bool
) -> None:
    """Neither migrations nor network nor colours are loaded for an hour from a file.

    The first one makes the schema, by SQLAlchemy, and loads nothing else besides.
    """
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    if not is_first:
        sqlite_program("sync", "--from-file", str(path))
    code = (
        "import sys; from discosync.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "sync", "-q", "--from-file", str(path)],
        env={**sqlite_program.environment, "PATH": ""},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    status, *modules = done.stdout.split()
    assert status == "0"
    assert "discosync.commands.syncing.snapshot_comparison" in modules
    assert UNUSED.intersection(modules) <= (MAKES_THE_SCHEMA if is_first else set())
