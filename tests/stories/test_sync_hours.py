"""Hour after hour over real HTTP: both sources, both databases."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from discosync.core.inventory.listing import HASH_VERSION, Listing
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program, Result
from tests.support.shop import (
    SELLER,
    make_listing,
    make_shop,
    with_changed,
    write_export,
)

SOURCES = pytest.mark.parametrize("source", ["export", "pages"])


@SOURCES
def test_first_load_brings_every_listing(program: Program, source: str) -> None:
    """What the shop offers is in the database after the first run, to the cent."""
    result = program("sync", "--source", source, "--json")

    assert result.exit_code == 0
    assert result.counts == {"seen": 20, "added": 20, "active": 20}
    rows = program.query("SELECT * FROM listings ORDER BY listing_id")
    assert len(rows) == 20
    assert rows[3]["listing_id"] == "4400000004"
    assert float(rows[3]["price_value"]) == 12.5
    assert rows[3]["price_currency"] == "EUR"
    assert rows[3]["location"] == "003"
    assert rows[3]["seller"] == "velvet-crates"


@SOURCES
def test_unchanged_hour_writes_no_listing(program: Program, source: str) -> None:
    """Nothing but the run's own record is written when nothing changed."""
    program("sync", "--source", source)
    before = program.query("SELECT * FROM listings ORDER BY id")

    result = program("sync", "--source", source, "--json")

    assert result.counts == {"seen": 20, "unchanged": 20, "active": 20}
    assert program.query("SELECT * FROM listings ORDER BY id") == before
    assert len(program.query("SELECT * FROM listing_changes")) == 20
    assert len(program.query("SELECT * FROM sync_runs")) == 2


@pytest.mark.parametrize(("first", "second"), [("export", "pages"), ("pages", "export")])
def test_switching_the_source_is_no_change(program: Program, first: str, second: str) -> None:
    """The same inventory by the other way reports no change, though forms differ."""
    program("sync", "--source", first)

    result = program("sync", "--source", second, "--json")

    assert result.counts == {"seen": 20, "unchanged": 20, "active": 20}
    again = program("sync", "--source", first, "--json")
    assert again.counts == {"seen": 20, "unchanged": 20, "active": 20}
    assert len(program.query("SELECT * FROM listing_changes")) == 20


@pytest.mark.parametrize(("first", "second"), [("export", "pages"), ("pages", "export")])
def test_zero_of_one_source_is_nothing_of_the_other(
    program: Program, sandbox: SandboxServer, first: str, second: str
) -> None:
    """The pages say a weight of 0.0 where the export says none: no change, and no mismatch."""
    nothing = {"weight": None, "format_quantity": None, "catalog_number": "none", "comments": ""}
    sandbox.state.inventory = [make_listing(number, **nothing) for number in range(20)]
    assert program("sync", "--source", first).exit_code == 0

    told = program("sync", "--source", second, "--json")

    assert told.counts == {"seen": 20, "unchanged": 20, "active": 20}
    assert program.query("SELECT DISTINCT weight FROM listings") == [{"weight": None}]
    assert program("compare").exit_code == 0


def test_new_hash_version_changes_nothing(program: Program, sandbox: SandboxServer) -> None:
    """Rows that an older version wrote, with its zeros, are hashed anew without a word."""
    nothing = {"weight": None, "format_quantity": None}
    sandbox.state.inventory = [make_listing(number, **nothing) for number in range(20)]
    assert program("sync").exit_code == 0
    program.query(
        "UPDATE listings SET weight = 0, format_quantity = 0, content_hash = '1:' || "
        "substr(content_hash, 3)"
    )

    told = program("sync", "--json")

    assert told.exit_code == 0
    assert told.report["problems"] == []
    assert told.counts == {"seen": 20, "unchanged": 20, "active": 20}
    assert len(program.query("SELECT id FROM listing_changes")) == 20
    hashes = program.query("SELECT content_hash, weight FROM listings")
    assert {row["content_hash"][:2] for row in hashes} == {f"{HASH_VERSION}:"}
    assert {row["weight"] for row in hashes} == {None}


def test_pages_fill_in_what_the_export_lacks(program: Program) -> None:
    """Year and image arrive with the pages, once, and the export does not blank them."""
    program("sync", "--source", "export")
    assert program.query("SELECT DISTINCT release_year FROM listings") == [{"release_year": None}]

    program("sync", "--source", "pages")
    program("sync", "--source", "export")

    rows = program.query("SELECT DISTINCT release_year, image_uri IS NULL AS bare FROM listings")
    assert [(row["release_year"], bool(row["bare"])) for row in rows] == [(1984, False)]


@SOURCES
def test_changes_removals_and_returns(
    program: Program, sandbox: SandboxServer, source: str
) -> None:
    """A new price, a new listing, one that vanishes, and the same one back again."""
    shop = make_shop(20)
    program("sync", "--source", source)

    changed = with_changed(shop, 4, price_value=make_listing().price_value + 1)
    sandbox.state.inventory = [*changed[:7], *changed[8:], make_listing(20)]
    hour = program("sync", "--source", source, "--json", "--changes")
    sandbox.state.inventory = [*changed, make_listing(20)]
    back = program("sync", "--source", source, "--json")

    assert hour.counts == {
        "seen": 20, "added": 1, "updated": 1, "unchanged": 18, "removed": 1, "active": 20
    }  # fmt: skip
    updated = next(c for c in hour.report["changes"] if c["kind"] == "updated")
    assert updated["fields"] == {"price_value": ["12.50", "13.50"]}
    assert back.counts == {"seen": 21, "unchanged": 20, "reactivated": 1, "active": 21}
    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000008'")[0]
    assert bool(row["is_active"])
    assert row["removed_at"] is row["removal_reason"] is None
    kinds = program.query(
        "SELECT kind FROM listing_changes WHERE listing_id = '4400000008' ORDER BY id"
    )
    assert [k["kind"] for k in kinds] == ["added", "removed", "reactivated"]


def test_missing_row_says_so(program: Program, sandbox: SandboxServer) -> None:
    """A listing that vanished stays, inactive, with the moment and the reason `missing`."""
    program("sync", "--source", "export")
    sandbox.state.inventory = make_shop(20)[1:]

    program("sync", "--source", "export")

    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000001'")[0]
    assert not row["is_active"]
    assert row["removal_reason"] == "missing"
    assert row["removed_at"] is not None
    assert row["sold_at"] is None
    assert len(program.query("SELECT * FROM listings")) == 20
    assert len(program.query("SELECT * FROM active_listings")) == 19


def test_sold_row_in_the_export_is_evidence(program: Program, sandbox: SandboxServer) -> None:
    """A listing that the export shows as sold is inactive, sold, and dated."""
    program("sync", "--source", "export")
    sandbox.state.inventory = with_changed(make_shop(20), 2, status="Sold")

    result = program("sync", "--source", "export", "--json")

    assert result.counts == {"seen": 20, "unchanged": 19, "removed": 1, "active": 19}
    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000003'")[0]
    assert (row["status"], row["removal_reason"]) == ("Sold", "sold")
    assert not row["is_active"]
    assert row["sold_at"] is not None
    again = program("sync", "--source", "export", "--json")
    assert again.counts == {"seen": 20, "unchanged": 20, "active": 19}


def test_export_explains_what_the_pages_only_missed(
    program: Program, sandbox: SandboxServer
) -> None:
    """Missing by pages and look-up becomes sold by the export, at the moment it was missed."""
    program("sync", "--source", "pages")
    sandbox.state.inventory = with_changed(make_shop(20), 2, status="Sold")
    gone = Fault(path="/marketplace/listings/", status=404, body='{"message": "Item not found."}')
    sandbox.state.faults = [gone]
    program("sync", "--source", "pages")
    missed = program.query("SELECT * FROM listings WHERE listing_id = '4400000003'")[0]

    result = program("sync", "--source", "export", "--json")

    assert missed["removal_reason"] == "missing"
    assert result.counts == {"seen": 20, "updated": 1, "unchanged": 19, "active": 19}
    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000003'")[0]
    assert row["removal_reason"] == "sold"
    assert row["sold_at"] == row["removed_at"] == missed["removed_at"]


def test_sold_before_we_looked_has_no_date(program: Program, sandbox: SandboxServer) -> None:
    """A row that is sold when first seen is kept, inactive, and no sale is invented for today."""
    sandbox.state.inventory = with_changed(make_shop(20), 0, status="Sold")

    program("sync", "--source", "export")

    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000001'")[0]
    assert not row["is_active"]
    assert (row["removal_reason"], row["sold_at"]) == ("sold", None)


def test_every_update_has_its_history(program: Program, sandbox: SandboxServer) -> None:
    """The history holds before and after of each field, and points to its run."""
    program("sync", "--source", "export")
    sandbox.state.inventory = with_changed(
        make_shop(20), 5, comments="Now cleaned", location="B 12", quantity=2
    )

    report = program("sync", "--source", "export", "--json").report

    rows = program.query(
        "SELECT c.fields, r.run_id FROM listing_changes c "
        "JOIN sync_runs r ON r.id = c.sync_run_id WHERE c.kind = 'updated'"
    )
    assert len(rows) == 1
    assert rows[0]["run_id"] == report["run_id"]
    fields = rows[0]["fields"]
    if isinstance(fields, str):
        import json  # noqa: PLC0415

        fields = json.loads(fields)
    assert fields == {
        "comments": ["No. 5, it's fine", "Now cleaned"],
        "location": ["005", "B 12"],
        "quantity": [1, 2],
    }


def test_no_content_hash_flag_rewrites_every_listing(
    program: Program, sandbox: SandboxServer
) -> None:
    """With USE_CONTENT_HASH off every listing is compared field by field and written."""
    program("sync", "--source", "export")
    edit = "UPDATE listings SET price_value = 1 WHERE listing_id = '4400000002'"
    program.query(edit)

    trusting = program("sync", "--source", "export", "--json")
    program.query(edit)  # the slow check has taken it back
    comparing = program("sync", "--source", "export", "--json", USE_CONTENT_HASH="off")

    assert trusting.counts == {"seen": 20, "corrected": 1, "unchanged": 20, "active": 20}
    assert comparing.counts == {"seen": 20, "updated": 1, "unchanged": 19, "active": 20}


def test_primary_columns_hold_the_first_name(program: Program, tmp_path: Path) -> None:
    """Label and format up to the first comma, the artist whole, each as wide as its column."""
    names = {"artist_names": "Hollow, The & Tides", "label_names": "Orchard, Sparrow"}
    shop = [
        make_listing(0, **names, format_names="LP, Album"),
        make_listing(1, artist_names="A" * 300, label_names="L" * 300, format_names="CD"),
    ]
    path = write_export(tmp_path / "shop.csv", shop)
    for _ in range(2):
        assert program("sync", "--from-file", str(path), stdin=None).exit_code == 0
        rows = program.query("SELECT * FROM listings ORDER BY listing_id")
        shown = [[row[f"primary_{name}"] for name in ("artist", "label", "format")] for row in rows]
        assert shown == [["Hollow, The & Tides", "Orchard", "LP"], ["A" * 255, "L" * 255, "CD"]]
        shop = [replace(listing, comments="changed") for listing in shop]
        write_export(path, shop)


def test_what_is_filled_in_is_told(program: Program, tmp_path: Path) -> None:
    """Learning the currency is no change, and yet no secret: it is said once."""
    path = write_export(tmp_path / "shop.csv", make_shop(3))
    told = []
    for currency in ("", "EUR", "EUR"):
        words = ("sync", "--from-file", str(path), "--json")
        report = program(*words, stdin=None, DISCOGS_CURRENCY=currency).report
        told.append([problem["code"] for problem in report["problems"]])
    assert told == [["no_currency"], ["completed"], []]


def test_a_file_with_another_name_is_told(program: Program, tmp_path: Path) -> None:
    """Whose inventory it is says --seller; that Discogs said otherwise is noted."""
    path = write_export(tmp_path / "other-inventory-20260302-0900.csv", make_shop(3))
    words = ("sync", "--seller", SELLER, "--from-file", str(path))
    result = program(*words, stdin=None)
    assert result.exit_code == 0
    assert f"the file is named after other; it is taken for {SELLER}'s inventory" in result.stderr


def test_age_of_an_undated_file_is_nobody_s_guess(program: Program, tmp_path: Path) -> None:
    """A file without Discogs' own name is never called fresh."""
    path = write_export(tmp_path / "shop.csv", make_shop(3))
    assert program("sync", "--from-file", str(path), stdin=None).exit_code == 0
    assert "of unknown age" in program("status").stdout
    inventory = json.loads(program("status", "--json").stdout)["inventory"]
    assert inventory == {"as_of": None, "age_seconds": None, "too_old_to_show": True}


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_no_plan_is_shown_where_there_is_none(program: Program, tmp_path: Path, form: str) -> None:
    """A run that failed before it could compare does not look like one without changes."""
    path = tmp_path / "shop.csv"
    path.write_text("no inventory\n")
    result = program("sync", "--dry-run", "--diff", form, "--from-file", str(path), stdin=None)
    assert result.exit_code == 14
    assert "unchanged" not in result.stdout
    assert ("Failed, nothing was compared" in result.stdout) == (form == "markdown")


def test_sellers_do_not_touch_each_other(program: Program, sandbox: SandboxServer) -> None:
    """Two shops in one database, even with the same listing ids, are two shops."""
    program("sync", "--source", "export")
    sandbox.state.seller = "other-shop"
    sandbox.state.inventory = make_shop(20)[:15]

    other = program("sync", "--source", "export", "--seller", "other-shop", "--json")

    assert other.counts == {"seen": 15, "added": 15, "active": 15}
    rows = program.query("SELECT seller, count(*) AS n FROM active_listings GROUP BY seller")
    assert {row["seller"]: row["n"] for row in rows} == {"velvet-crates": 20, "other-shop": 15}


def test_seller_in_another_spelling_is_the_same_shop(program: Program) -> None:
    """Discogs ignores case in names, and so does the mirror."""
    program("sync", "--source", "export")

    result = program("sync", "--source", "export", "--seller", "Velvet-CRATES", "--json")

    assert result.counts["unchanged"] == 20
    assert result.report["seller"] == "velvet-crates"


def test_a_row_that_another_program_put_back_for_sale_is_told(sqlite_program: Program) -> None:
    """Its reason did not change, and the summary says what did."""
    sold = [replace(x, status="Sold") if i < 2 else x for i, x in enumerate(make_shop(20))]
    for day, shop in (("20260301", make_shop(20)), ("20260302", sold)):
        path = write_export(sqlite_program.directory / f"{SELLER}-inventory-{day}-1200.csv", shop)
        assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    sqlite_program.query("UPDATE listings SET is_active = 1")
    again = write_export(sqlite_program.directory / f"{SELLER}-inventory-20260303-1200.csv", sold)
    result = sqlite_program("sync", "--from-file", str(again))
    assert result.exit_code == 0
    assert "2 removed" in result.stdout


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_what_is_filled_in_is_told_where_it_is(program: Program) -> None:
    """A rehearsal says that it would be; a hash of another version fills in nothing."""
    shop = make_shop(5)
    assert _sync(program, shop).exit_code == 0
    program.environment["DISCOGS_CURRENCY"] = "EUR"
    rehearsed = _sync(program, shop, "--dry-run")
    assert "in 5 unchanged listings, missing values would be filled in" in rehearsed.stderr
    assert "missing values are filled in" in _sync(program, shop).stderr
    program.query("UPDATE listings SET content_hash = 'v0:abc'")
    again = _sync(program, shop)
    assert again.exit_code == 0
    assert "filled in" not in again.stderr
