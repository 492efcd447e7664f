"""What another program edits beside the content hash is found, mended and told."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from discosync.core.inventory.listing import CONTENT_FIELDS, Listing
from discosync.core.planning import drift
from discosync.sandbox.server import SandboxServer
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, NOON, SELLER, make_listing, make_shop, write_export

EDIT = "UPDATE listings SET price_value = 0.01 WHERE listing_id = '4400000003'"
CORRECTED = {"price_value": ["0.01", "12.50"]}


def _sync(program: Program, *options: str) -> Result:
    return program("sync", "--json", *options)


def _codes(result: Result) -> list[str]:
    return [problem["code"] for problem in result.report["problems"]]


def _changes(program: Program, listing_id: int) -> list[dict[str, Any]]:
    shown = program("history", str(listing_id), "--json")
    return list(json.loads(shown.stdout)["changes"])


def _content(program: Program) -> list[dict[str, Any]]:
    columns = ", ".join(CONTENT_FIELDS)
    return program.query(
        f"SELECT {columns}, is_active, removed_at, removal_reason, sold_at, primary_artist, "
        "content_hash FROM listings ORDER BY listing_id"
    )


def test_an_edited_price_is_mended_and_told(program: Program) -> None:
    """It is a change of its own kind, and a warning; the hour after is an unchanged one again."""
    _sync(program)
    before = _content(program)
    program.query(EDIT)

    result = _sync(program)

    assert (result.exit_code, _codes(result)) == (3, ["corrected"])
    assert result.counts == {"seen": 20, "unchanged": 20, "active": 20, "corrected": 1}
    assert _content(program) == before
    last = _changes(program, FIRST_ID + 2)[-1]
    assert (last["kind"], last["fields"]) == ("corrected", CORRECTED)
    again = _sync(program)
    assert (again.exit_code, again.counts.get("corrected")) == (0, None)
    assert "parse" not in again.report["phases"], "the mark held all the time"


def test_every_field_that_is_edited_is_mended(program: Program) -> None:
    """Emptied, overwritten, or not even of the column's type: content is content."""
    _sync(program)
    before = _content(program)
    numbers = {"price_value", "weight", "quantity", "format_quantity"}
    for at, name in enumerate(CONTENT_FIELDS):
        value = "7" if name in numbers else "'x'"
        value = "true" if name == "accept_offer" else value
        program.query(f"UPDATE listings SET {name} = {value} WHERE listing_id = '{FIRST_ID + at}'")
    program.query(
        "UPDATE listings SET comments = NULL, release_title = NULL, removal_reason = 'sold', "
        f"sold_at = '2026-01-01 00:00:00' WHERE listing_id = '{FIRST_ID + 19}'"
    )
    if program.database_url.startswith("sqlite"):
        program.query(
            "UPDATE listings SET price_value = 'free', weight = 'heavy', quantity = 'few', "
            f"release_title = x'00ff' WHERE listing_id = '{FIRST_ID + 18}'"
        )

    result = _sync(program)

    assert result.exit_code == 3
    assert result.counts["corrected"] >= len(CONTENT_FIELDS) + 1
    assert _content(program) == before
    assert program("history", str(FIRST_ID + 18), "--json").exit_code == 0
    assert _sync(program).exit_code == 0


ODD = (
    {"price_value": Decimal(0), "weight": Decimal("0.1"), "quantity": None, "accept_offer": None},
    {"price_value": Decimal("9999999999.99"), "weight": Decimal("2147483647.123456789012345")},
    {"price_value": Decimal("0.07"), "weight": Decimal("230.50"), "format_quantity": 0},
    {"comments": "a\r\nb\rc\n ", "location": "  shelf ", "external_id": "0012"},
    {"comments": "AT&amp;T &#233; \u00e9 e\u0301 \U0001f3b5", "release_title": "\u200bx\u00a0"},
    {"format_names": "(LP, Album)", "catalog_number": "none", "label_names": "a, b"},
    {"comments": None, "condition": None, "location": None, "external_id": None, "weight": None},
    {"status": "Sold", "price_currency": "JPY", "price_value": Decimal(1200)},
    {"status": "Draft", "release_id": 2**53 + 1, "quantity": 2**31 - 1},
    {"posted": NOON - timedelta(microseconds=1), "artist_names": "x" * 3000},
)


@pytest.mark.parametrize("source", ["export", "pages"])
def test_what_discosync_wrote_is_no_drift(
    program: Program, sandbox: SandboxServer, source: str
) -> None:
    """Floats, numerics, letters and empty fields are read back as what their hash was made of."""
    sandbox.state.inventory = [make_listing(i, **fields) for i, fields in enumerate(ODD)]  # type: ignore[arg-type]
    assert _sync(program, "--source", source).exit_code in {0, 3}

    result = _sync(program, "--source", source)

    assert result.counts.get("corrected") is None
    assert not {"corrected", "not_corrected"} & set(_codes(result))
    rows = program.query("SELECT count(*) AS n FROM listings")[0]["n"]
    assert result.report["slow_check"]["rows"] == rows


def test_a_row_without_a_hash_of_this_version_is_no_drift(program: Program) -> None:
    """Nobody can say what it held: it gets its hash, and that is no change."""
    _sync(program)
    program.query("UPDATE listings SET content_hash = NULL WHERE listing_id < '4400000004'")
    program.query("UPDATE listings SET content_hash = '0:00' WHERE listing_id = '4400000009'")
    for _ in range(2):
        result = _sync(program)
        assert (result.exit_code, result.counts.get("corrected")) == (0, None)


def test_a_dry_run_checks_and_writes_nothing(program: Program) -> None:
    """It shows the correction, and the next run finds it again."""
    _sync(program)
    program.query(EDIT)
    before = program.digest()

    result = _sync(program, "--dry-run", "--exit-code")

    assert (result.exit_code, _codes(result)) == (4, ["corrected"])
    (change,) = result.report["changes"]
    assert (change["kind"], change["fields"]) == ("corrected", CORRECTED)
    assert program.digest() == before
    for form, shown in (("table", "price_value 0.01 → 12.50"), ("markdown", "| corrected | 44")):
        assert shown in program("sync", "--dry-run", "--diff", form, COLUMNS="200").stdout
    assert "1 corrected" in program("sync").stdout


def test_a_listing_that_is_gone_is_mended_from_its_history(program: Program) -> None:
    """The hash proves what the history remembers. What nobody remembers is named, and stays."""
    _mirror(program, make_shop(20))
    dearer = [
        replace(x, price_value=Decimal(15)) if i < 2 else x for i, x in enumerate(make_shop(20))
    ]
    _mirror(program, dearer)
    _mirror(program, dearer[2:])
    program.query("UPDATE listings SET price_value = 0.01 WHERE listing_id = '4400000001'")
    program.query("UPDATE listings SET comments = 'x' WHERE listing_id = '4400000002'")
    program.query("UPDATE listings SET sold_at = removed_at WHERE listing_id = '4400000001'")

    result = _mirror(program, dearer[2:])

    assert (result.exit_code, _codes(result)) == (3, ["no_currency", "corrected", "not_corrected"])
    rows = program.query("SELECT * FROM listings ORDER BY listing_id LIMIT 2")
    assert [row["sold_at"] for row in rows] == [None, None]
    assert [float(row["price_value"]) for row in rows] == [15, 15]
    assert rows[1]["comments"] == "x"
    named = [problem.get("listing_id") for problem in result.report["problems"]]
    assert named == [None, FIRST_ID, FIRST_ID + 1]


def _mirror(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    # Without a token nobody is asked for what the file lacks.
    return program("sync", "--json", "--from-file", str(path), *options, DISCOGS_TOKEN="")


@pytest.mark.parametrize(("edited", "is_refused"), [(30, False), (31, True)])
def test_a_mass_drift_is_refused(
    sqlite_program: Program, sandbox: SandboxServer, *, edited: int, is_refused: bool
) -> None:
    """More than half of the rows: somebody has to look."""
    program = sqlite_program
    sandbox.state.inventory = make_shop(60)
    _sync(program)
    program.query("UPDATE listings SET price_value = 1 WHERE id <= :count", count=edited)
    before = program.digest()

    result = _sync(program)

    assert result.exit_code == (13 if is_refused else 3)
    if is_refused:
        assert program.digest() == before
        assert result.report["error"]["code"] == "mass_drift"
        assert "corrected" not in _codes(result), "nothing is"
        assert "31 of the 60 rows" in result.report["error"]["message"]
        assert result.report["error"]["hint"].endswith("--allow-mass-change")
        assert _sync(program, "--allow-mass-change").counts["corrected"] == edited
    assert _sync(program).exit_code == 0


def test_a_mass_drift_that_is_allowed_is_mended_at_once(
    sqlite_program: Program, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run looks at all rows then: nobody allows it slice by slice, for a week.

    And no flag is rolled back for it: the export is not to blame.
    """
    monkeypatch.setattr(drift, "MIN_ROWS_PER_RUN", 50)
    sandbox.state.inventory = make_shop(600)
    _sync(sqlite_program)
    sqlite_program.query("UPDATE listings SET location = 'x'")
    result = _sync(sqlite_program)
    assert (result.exit_code, result.report["source"]) == (13, "export")
    assert sqlite_program.query("SELECT * FROM flag_events") == []
    assert _sync(sqlite_program, "--allow-mass-change").counts["corrected"] == 600
    assert _sync(sqlite_program).exit_code == 0


def test_the_check_goes_round(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run goes on where the last applied one left off; after the last row it begins anew."""
    monkeypatch.setattr(drift, "MIN_ROWS_PER_RUN", 8)
    _sync(program)
    program.query("UPDATE listings SET price_value = 0.01 WHERE listing_id = '4400000017'")
    seen = []
    for _ in range(2):
        _sync(program, "--dry-run")
        result = _sync(program)
        check = result.report["slow_check"]
        seen.append((check["rows"], check["next_after"], result.exit_code))
    assert seen == [(8, "4400000008", 0), (8, "4400000016", 0)]
    program("enrich", "--names-only")
    third = _sync(program)
    assert third.counts["corrected"] == 1
    assert third.report["slow_check"]["next_after"] == ""
    assert _sync(program).report["slow_check"]["next_after"] == "4400000008"


def test_the_past_does_not_know_a_value_that_was_never_offered(program: Program) -> None:
    """`as-of` shows the true price; `restore --run` gives back what the other program wrote."""
    _mirror(program, make_shop(20))
    between = program.query("SELECT max(finished_at) AS at FROM sync_runs")[0]["at"]
    program.query(EDIT)
    run_id = _mirror(program, make_shop(20)).report["run_id"]

    shown = json.loads(program("as-of", f"{between}Z".replace(" ", "T"), "--json").stdout)
    prices = {x["listing_id"]: x["price_value"] for x in shown["listings"]}
    assert prices[FIRST_ID + 2] == "12.50"
    assert program("restore", "--run", run_id).exit_code == 0
    assert _price(program) == Decimal("0.01")
    assert _mirror(program, make_shop(20)).counts["updated"] == 1, "its hash says so"
    assert _price(program) == Decimal("12.50")


def _price(program: Program) -> Decimal:
    found = program.query("SELECT price_value FROM listings WHERE listing_id = '4400000003'")
    return Decimal(str(found[0]["price_value"])).quantize(Decimal("0.01"))


def test_what_a_view_hides_is_named_until_the_owner_looks(program: Program) -> None:
    """A public look cannot know a location; the owner's next one can."""
    _sync(program)
    program.query("UPDATE listings SET location = 'mine' WHERE listing_id = '4400000003'")
    for _ in range(2):
        result = program("sync", "--json", "--public", DISCOGS_TOKEN="")
        assert _codes(result)[-1] == "not_corrected"
    assert _sync(program).counts["corrected"] == 1
    found = program.query("SELECT location FROM listings WHERE listing_id = '4400000003'")
    assert found == [{"location": "002"}]


def test_another_seller_is_left_alone(program: Program, tmp_path: Path) -> None:
    """A run looks at its own seller's rows only."""
    own, other = make_shop(20), [make_listing(number) for number in range(100, 120)]
    paths = {
        SELLER: str(write_export(tmp_path / "own.csv", own)),
        "other": str(write_export(tmp_path / "other.csv", other)),
    }
    for _ in range(2):
        for seller, path in paths.items():
            assert program("sync", "--from-file", path, "--seller", seller).exit_code == 0
    program.query("UPDATE listings SET price_value = 0.01 WHERE listing_id = '4400000105'")
    assert program("sync", "--from-file", paths[SELLER]).exit_code == 0
    assert program("sync", "--from-file", paths["other"], "--seller", "other").exit_code == 3
