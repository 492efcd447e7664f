"""An old shop's database is taken over: nothing in it is lost, and its programs go on reading."""

import json
import subprocess
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from discosync.core.inventory.listing import HASH_VERSION
from discosync.sandbox.server import SandboxServer
from tests.support.old_shop import (
    KNEW,
    PHASES,
    Phase,
    make_old_shop,
    make_shop_in_phase,
    old_listings,
    old_row,
)
from tests.support.program import Program
from tests.support.shop import FIRST_ID, SELLER, make_listing, make_shop, with_changed
from tests.support.waiting import HUNG_AFTER_SECONDS

OLD = [column.name for column in old_listings.columns]
SELECT_OLD = f"SELECT {', '.join(OLD)} FROM listings ORDER BY id"
TWICE = "The Hollow, The Hollow"


def _rows() -> list[dict[str, Any]]:
    """Twenty listings: prices that binary fractions miss, NULLs, a draft, long and double names."""
    rows = [old_row(listing) for listing in make_shop(20)]
    rows[1] |= {"price_value": 0.1 + 0.2, "shipping_price": 19.99}
    rows[2] |= {"location": None, "weight": None, "external_id": None, "sleeve_condition": None}
    rows[3] |= {"artist_names": TWICE, "primary_artist": TWICE}
    rows[4] |= {"status": "Draft"}
    rows[5] |= {"label_names": "L" * 500, "primary_artist": "A" * 255, "artist_names": "A" * 300}
    rows[6] |= {"status": None}
    return rows


def _shop_on_discogs() -> list[Any]:
    """The same shop as Discogs shows it today."""
    shop = make_shop(20)
    today: dict[int, dict[str, Any]] = {
        1: {"price_value": Decimal("0.30")},
        3: {"artist_names": TWICE},
        4: {"status": "Draft"},
        5: {"label_names": "L" * 500, "artist_names": "A" * 300},
    }
    for number, fields in today.items():
        shop = with_changed(shop, number, **fields)
    return shop


@pytest.fixture
def old_shop(program: Program) -> Program:
    """The program, pointed at an old shop's database."""
    make_old_shop(program.database_url, _rows())
    return program


def _old_program_reads(program: Program) -> list[dict[str, Any]]:
    """Read as the old program does: through its own model."""
    engine = create_engine(program.database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = connection.execute(select(old_listings).order_by(old_listings.c.id)).mappings()
        rows = [dict(row) for row in found]
    engine.dispose()
    return rows


def _as_seen(row: dict[str, Any]) -> dict[str, Any]:
    """A price as a person sees it."""
    prices = ("price_value", "shipping_price")
    return {k: f"{v:.2f}" if k in prices and v is not None else v for k, v in row.items()}


def test_adoption_keeps_every_value_and_fills_in_what_is_new(old_shop: Program) -> None:
    """Rows, values and what the old program reads are as they were; seller, hash, activity come."""
    before = _old_program_reads(old_shop)

    result = old_shop("db", "upgrade", "--json")

    assert result.exit_code == 0
    assert result.report["state"] == "current"
    assert f"20 listings are now {SELLER}'s, 19 of them for sale" in result.report["notes"][0]
    assert [_as_seen(r) for r in _old_program_reads(old_shop)] == [_as_seen(r) for r in before]
    rows = old_shop.query("SELECT * FROM listings ORDER BY id")
    assert {row["seller"] for row in rows} == {SELLER}
    assert all(row["content_hash"].startswith(f"{HASH_VERSION}:") for row in rows)
    assert [n for n, row in enumerate(rows) if not row["is_active"]] == [4]
    assert (rows[4]["removal_reason"], rows[4]["sold_at"]) == ("draft", None)
    assert rows[4]["removed_at"] is not None


def test_next_sync_reports_only_true_differences(old_shop: Program, sandbox: SandboxServer) -> None:
    """After adoption, the sync of the same shop finds nothing new but what is new."""
    old_shop("db", "upgrade")
    sandbox.state.inventory = with_changed(_shop_on_discogs(), 9, comments="newer")[:-1]

    by_export = old_shop("sync", "--source", "export", "--json", "--changes")
    again = old_shop("sync", "--source", "pages", "--json")

    assert by_export.exit_code == 0
    assert [(c["kind"], c["listing_id"] - FIRST_ID) for c in by_export.report["changes"]] == [
        ("updated", 9),
        ("removed", 19),
    ]
    assert by_export.report["changes"][0]["fields"] == {
        "comments": ["No. 9, it&#39;s fine", "newer"]
    }
    assert again.counts == {"seen": 18, "unchanged": 18, "active": 18}


def test_new_listings_fit_into_an_adopted_table(old_shop: Program, sandbox: SandboxServer) -> None:
    """What an export does not show may be empty, although the old table said NOT NULL."""
    old_shop("db", "upgrade")
    sandbox.state.inventory = [*_shop_on_discogs(), make_listing(70)]
    assert old_shop("sync", "--source", "export", "--json").counts["added"] == 1
    (row,) = old_shop.query(
        "SELECT resource_url, uri FROM listings WHERE listing_id = :id", id=str(FIRST_ID + 70)
    )
    assert row == {"resource_url": None, "uri": None}


def test_prices_become_exact(old_shop: Program) -> None:
    """0.30000000000000004 is thirty cents; on Postgres the column says so."""
    old_shop("db", "upgrade")
    (row,) = old_shop.query("SELECT price_value, shipping_price FROM listings WHERE id = 2")
    assert (f"{row['price_value']:.2f}", f"{row['shipping_price']:.2f}") == ("0.30", "19.99")
    if not old_shop.database_url.startswith("sqlite"):
        assert str(row["price_value"]) == "0.30"


def test_adoption_can_be_taken_back(old_shop: Program) -> None:
    """Down to `base` the table is the old shop's again, with every row, and can be adopted anew."""
    before = _old_program_reads(old_shop)
    old_shop("db", "upgrade")

    refused = old_shop("db", "downgrade", "base")
    taken_back = old_shop("db", "downgrade", "base", "--allow-loss")

    assert refused.exit_code == 13
    assert "listings that are not for sale would look as if they were" in refused.stderr
    assert taken_back.exit_code == 0
    assert [_as_seen(r) for r in _old_program_reads(old_shop)] == [_as_seen(r) for r in before]
    assert set(old_shop.query("SELECT * FROM listings LIMIT 1")[0]) == set(OLD)
    assert old_shop("db", "upgrade").exit_code == 0
    assert old_shop("sync").exit_code in {0, 3}


def test_backup_holds_the_old_shop(old_shop: Program) -> None:
    """The backup that adoption made brings the old shop's database back as it was."""
    before = old_shop.query(SELECT_OLD)
    backup = old_shop("db", "upgrade", "--json").report["backup"]

    restored = old_shop("db", "restore", backup)

    assert restored.exit_code == 0
    assert old_shop.query(SELECT_OLD) == before
    assert old_shop("db", "current", "--json").report["state"] == "old shop"
    assert old_shop("sync").exit_code == 10


def test_backup_of_a_phase_is_restored_with_what_depends_on_it(program: Program) -> None:
    """The shop's own artists come back too; its views and keys that point to the table hold."""
    phase = PHASES["artists"]
    make_shop_in_phase(program.database_url, PHASE_ROWS, phase)
    program.query("CREATE TABLE orders (id INTEGER, row_id INTEGER REFERENCES listings (id))")
    program.query("INSERT INTO orders VALUES (1, 3)")
    program.query("CREATE VIEW cheap AS SELECT listing_id FROM listings WHERE price_value < 12")
    tables = [*phase.tables, "orders", "cheap"]
    before = {table: program.query(f"SELECT * FROM {table} ORDER BY 1") for table in tables}
    backup = program("db", "upgrade", "--json").report["backup"]

    restored = program("db", "restore", backup)

    assert restored.exit_code == 0, restored.stderr
    assert {t: program.query(f"SELECT * FROM {t} ORDER BY 1") for t in tables} == before
    assert program("db", "current", "--json").report["state"] == "old shop"
    assert program("db", "upgrade").exit_code == 0


def test_restored_copy_counts_on(program: Program, sandbox: SandboxServer) -> None:
    """A backup of rows that were copied with their ids gives the next listing a free one."""
    make_old_shop(
        program.database_url,
        [{**old_row(listing), "id": n} for n, listing in enumerate(make_shop(3), 1)],
    )
    program("db", "upgrade")
    if not program.database_url.startswith("sqlite"):
        program.query("SELECT setval(pg_get_serial_sequence('listings', 'id'), 1)")
    backup = program("db", "backup", "--json").report["file"]
    assert program("db", "restore", backup).exit_code == 0
    sandbox.state.inventory = make_shop(5)
    assert program("sync", "--json").counts["added"] == 2


@pytest.mark.parametrize("name", ["VELVET-crates", SELLER])
def test_seller_is_one_in_every_spelling(
    old_shop: Program, sandbox: SandboxServer, name: str
) -> None:
    """Adopted under one spelling and synced under another, it is the same seller."""
    old_shop("db", "upgrade", "--seller", name)
    sandbox.state.inventory = _shop_on_discogs()
    assert old_shop("sync", "--json").counts == {"seen": 19, "unchanged": 20, "active": 19} or (
        old_shop("sync", "--json").report["listings"]["added"] == 0
    )
    assert len(old_shop.query("SELECT DISTINCT seller FROM listings")) == 1


def test_nobody_says_whose_listings_they_are(old_shop: Program) -> None:
    """Without a seller nothing is adopted, and the message says how to name one."""
    result = old_shop("db", "upgrade", DISCOGS_USERNAME="")
    assert result.exit_code == 10
    assert "--seller" in result.stderr
    assert old_shop("db", "current", "--json").report["state"] == "old shop"


def test_sandbox_seller_does_not_get_into_an_adopted_database(
    old_shop: Program, sandbox: SandboxServer
) -> None:
    """A database that was adopted holds a real seller, although no run says so."""
    old_shop("db", "upgrade")
    sandbox.state.is_marked = True
    result = old_shop("sync")
    assert result.exit_code == 10
    assert "must not mix" in result.stderr


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE listings DROP COLUMN barcode", "lacks the columns barcode"),
        ("CREATE TABLE sync_runs (id INTEGER)", "a table sync_runs already"),
        ("UPDATE listings SET listing_id = 'none' WHERE id = 2", "'none' is no Discogs id"),
    ],
)
def test_what_cannot_be_adopted_is_left_alone(old_shop: Program, statement: str, said: str) -> None:
    """A table that is not the old shop's, or would lose something: 10, the reason, no change."""
    old_shop.query(statement)
    before = old_shop.query("SELECT * FROM listings ORDER BY id")

    result = old_shop("db", "upgrade")

    assert result.exit_code == 10
    assert said in result.stderr
    assert old_shop.query("SELECT * FROM listings ORDER BY id") == before
    assert old_shop("db", "current", "--json").report["state"] == "old shop"


def test_two_operators_upgrade_at_once(old_shop: Program) -> None:
    """One of them adopts, the other finds it done: both end well, with one backup."""
    processes = [old_shop.start("db", "upgrade", "--json") for _ in range(3)]
    ended = [
        (process.communicate(timeout=HUNG_AFTER_SECONDS)[0], process.returncode)
        for process in processes
    ]

    assert [code for _, code in ended] == [0, 0, 0]
    backups = [json.loads(said)["backup"] for said, _ in ended]
    assert len([backup for backup in backups if backup]) == 1
    assert len(old_shop.query("SELECT * FROM listings")) == 20


def test_read_only_old_database_is_left_as_it_is(sqlite_program: Program) -> None:
    """An old database that may not be written to stays as it is, to the byte."""
    make_old_shop(sqlite_program.database_url, _rows())
    file = sqlite_program.database_file
    before = file.read_bytes()
    file.chmod(0o444)
    done = subprocess.run(
        [
            "/usr/bin/setpriv",
            "--bounding-set=-dac_override",
            *sqlite_program.command("db", "upgrade"),
        ],
        env={**sqlite_program.environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 17
    assert "nothing was changed" in done.stderr
    assert file.read_bytes() == before


def test_shops_own_tables_may_point_to_listings(old_shop: Program) -> None:
    """Orders that refer to listings by either key stay valid through adoption and back."""
    old_shop.query(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, row_id INTEGER REFERENCES listings (id), "
        "listing_id VARCHAR(50) REFERENCES listings (listing_id))"
    )
    old_shop.query(f"INSERT INTO orders VALUES (1, 3, '{FIRST_ID + 2}')")

    adopted = old_shop("db", "upgrade")
    back = old_shop("db", "downgrade", "base", "--allow-loss")

    assert (adopted.exit_code, back.exit_code) == (0, 0)
    assert old_shop("db", "upgrade").exit_code == 0
    assert old_shop.query("SELECT * FROM orders") == [
        {"id": 1, "row_id": 3, "listing_id": str(FIRST_ID + 2)}
    ]


def test_shops_own_view_is_kept(program: Program) -> None:
    """A view of the shop's own, and one on top of it, show after adoption what they showed."""
    make_old_shop(program.database_url, _rows())
    program.query("CREATE VIEW cheap AS SELECT listing_id FROM listings WHERE price_value < 12")
    program.query("CREATE VIEW cheapest AS SELECT min(listing_id) AS first FROM cheap")
    before = program.query("SELECT * FROM cheap ORDER BY listing_id")
    assert before

    assert program("db", "upgrade").exit_code == 0

    assert program.query("SELECT * FROM cheap ORDER BY listing_id") == before
    assert program.query("SELECT first FROM cheapest") == [{"first": before[0]["listing_id"]}]
    assert program("db", "downgrade", "base", "--allow-loss").exit_code == 0
    assert program.query("SELECT * FROM cheap ORDER BY listing_id") == before


PHASE_ROWS = [old_row(listing) for listing in make_shop(10)]


def _gone(phase: Phase) -> dict[int, str]:
    """What the shop had marked as gone; without a column for it, it marked nothing."""
    return KNEW if phase.column("is_active") else {}


@pytest.fixture(params=PHASES)
def phase(request: pytest.FixtureRequest, program: Program) -> Phase:
    """A phase of a shop's own plan, and its database."""
    phase = PHASES[request.param]
    make_shop_in_phase(program.database_url, PHASE_ROWS, phase)
    return phase


def test_what_a_shop_had_marked_stays_true(
    program: Program, sandbox: SandboxServer, phase: Phase
) -> None:
    """What was gone is gone, since when and why; a sync then reports only true differences."""
    shown = ", ".join(phase.own_names)
    before = program.query(f"SELECT {shown} FROM listings ORDER BY id")

    adopted = program("db", "upgrade")

    assert adopted.exit_code == 0, adopted.stderr
    rows = program.query("SELECT * FROM listings ORDER BY id")
    for n, row in enumerate(rows):
        knew = _gone(phase).get(n)
        is_sold = knew == "sold" and phase.column("sold_at") is not None
        assert bool(row["is_active"]) is (knew is None)
        assert row["removal_reason"] == (knew and ("sold" if is_sold else "missing"))
        if is_sold or (knew == "gone" and phase.column("removed_at")):
            assert str(row["removed_at"]).startswith("2026-01-05 18:30:00")
        assert str(row["sold_at"]).startswith("2026-01-05 18:30:00") is is_sold
    kept = [{name: row.get(f"old_{name}", row[name]) for name in before[0]} for row in rows]
    assert kept == before, "whatever the shop wrote is there"

    on_discogs = [listing for n, listing in enumerate(make_shop(10)) if n not in _gone(phase)]
    sandbox.state.inventory = [*with_changed(on_discogs, 0, comments="newer"), make_listing(70)]
    changes = program("sync", "--source", "export", "--json", "--changes").report["changes"]
    assert [(c["kind"], c["listing_id"] - FIRST_ID) for c in changes] == [
        ("added", 70),
        ("updated", 0),
    ]
    assert list(changes[1]["fields"]) == ["comments"]


@pytest.mark.parametrize("name", ["today", "artists"])
def test_a_phase_can_be_taken_back(program: Program, name: str) -> None:
    """Down to `base` the shop has its columns, tables and indexes back, with their values."""
    make_shop_in_phase(program.database_url, PHASE_ROWS, PHASES[name])
    tables = PHASES[name].tables
    before = {table: program.query(f"SELECT * FROM {table} ORDER BY 1") for table in tables}
    program("db", "upgrade")

    back = program("db", "downgrade", "base", "--allow-loss")

    assert back.exit_code == 0, back.stderr
    assert {t: program.query(f"SELECT * FROM {t} ORDER BY 1") for t in tables} == before
    assert program("db", "upgrade").exit_code == 0


def test_artists_of_a_shops_own_are_linked(program: Program) -> None:
    """They are ours, too, as it described them; what has another name now is told."""
    make_shop_in_phase(program.database_url, PHASE_ROWS, PHASES["by hand"])
    program.query("CREATE VIEW offered AS SELECT id FROM listings WHERE is_active = 't'")
    adopted = program("db", "upgrade", "--json")
    notes = " ".join(adopted.report["notes"])
    assert "the shop's own table artists is now old_artists" in notes
    assert "the shop's own column is_active is now old_is_active" in notes
    assert "the view offered reads a column that has another name now" in notes
    assert len(program.query("SELECT * FROM offered")) == 10 - len(KNEW)
    assert program.query(
        "SELECT l.id, a.name AS artist, b.name AS label, a.description FROM listings l "
        "JOIN artists a ON a.uuid = l.artist_id JOIN labels b ON b.uuid = l.label_id ORDER BY l.id"
    ) == [
        {
            "id": n,
            "artist": f"artists {n}",
            "label": f"record_labels {n}",
            "description": "written by hand",
        }
        for n in (1, 2)
    ]


def test_what_a_row_says_against_itself_is_decided_and_told(program: Program) -> None:
    """A contradiction is decided by a rule, counted, and its old values are kept."""
    make_shop_in_phase(program.database_url, PHASE_ROWS, PHASES["today"])
    program.query("UPDATE listings SET removed_at = '2026-01-01 00:00:00' WHERE id = 1")
    program.query("UPDATE listings SET status = 'Sold' WHERE id = 2")

    notes = program("db", "upgrade", "--json").report["notes"]

    assert any("1 listings say active" in note and "stay active" in note for note in notes)
    assert any("1 listings say active" in note and "as Discogs said" in note for note in notes)
    first, second = program.query("SELECT * FROM listings WHERE id < 3 ORDER BY id")
    assert (bool(first["is_active"]), first["removed_at"]) == (True, None)
    assert str(first["old_removed_at"]).startswith("2026-01-01")
    assert (bool(second["is_active"]), second["removal_reason"]) == (False, "sold")
    assert bool(second["old_is_active"]) is True


def test_shops_own_triggers_stay_and_hear_nothing_of_the_adoption(sqlite_program: Program) -> None:
    """Its note of every change gets none for a migration, and goes on afterwards."""
    make_shop_in_phase(sqlite_program.database_url, PHASE_ROWS, PHASES["today"])
    sqlite_program.query("CREATE TABLE audit (id INTEGER PRIMARY KEY, listing INTEGER)")
    sqlite_program.query(
        "CREATE TRIGGER audited AFTER UPDATE ON listings BEGIN "
        "INSERT INTO audit (listing) VALUES (NEW.id); END"
    )
    assert sqlite_program("db", "upgrade").exit_code == 0
    assert sqlite_program.query("SELECT * FROM audit") == []
    sqlite_program.query("UPDATE listings SET location = 'A 1' WHERE id = 3")
    assert sqlite_program.query("SELECT listing FROM audit") == [{"listing": 3}]


def test_primary_names_of_another_rule_stay_until_their_names_change(
    program: Program, sandbox: SandboxServer
) -> None:
    """They are named at adoption, and neither a change of every listing nor rewritten silently."""
    shop = [make_listing(n, label_names="Orchard, Sparrow") for n in range(3)]
    rows = [old_row(listing) for listing in shop]
    rows[2]["primary_label"] = None
    make_old_shop(program.database_url, rows)

    notes = program("db", "upgrade", "--json").report["notes"]
    assert any(
        "primary_label differs from discosync's rule (the first of the labels) in 2 listings"
        in note
        and "'Orchard, Sparrow' and not 'Orchard'" in note
        for note in notes
    )
    sandbox.state.inventory = [
        make_listing(0, label_names="Orchard, Sparrow", comments="newer"),
        make_listing(1, label_names="Sparrow, Orchard"),
        make_listing(2, label_names="Orchard, Sparrow", comments="newer"),
    ]
    counts = program("sync", "--source", "export", "--json").counts

    assert counts == {"seen": 3, "updated": 3, "active": 3}
    found = program.query("SELECT primary_label FROM listings ORDER BY id")
    assert [row["primary_label"] for row in found] == ["Orchard, Sparrow", "Sparrow", "Orchard"]
