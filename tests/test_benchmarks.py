"""The benchmark works, and notices wrong rows; nothing here looks at a clock."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.harness.exports import Case, make_exports
from benchmarks.harness.right_rows import find_fault

_TOP = Path(__file__).parents[1]
_QUERY = "SELECT listing_id, price, comments FROM listings WHERE status = 'For Sale'"


def test_benchmark_ends_well_when_all_rows_are_right(tmp_path: Path) -> None:
    """One command makes the data, runs both ways in all cases, and finds the right rows."""
    told = tmp_path / "told.json"
    chosen = ["--listings", "300", "--databases", "sqlite", "--runs", "1"]
    chosen += ["--only", "discosync,orm,bare-write", "--work", str(tmp_path / "work")]

    done = subprocess.run(
        [sys.executable, "benchmarks/alternatives.py", *chosen, "--json", str(told)],
        cwd=_TOP,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(told.read_text())["results"]
    both = [(case.value, way) for case in Case for way in ("discosync", "orm")]
    found = {(result["case"], result["way"]): result for result in results}
    assert found.keys() == {*both, ("first", "bare-write")}
    assert {result["rows"] for result in results} == {"right"}
    assert found["changed", "discosync"]["api_calls"] == 5
    assert found["changed", "orm"]["api_calls"] == 6
    assert done.stdout.count("right") == len(results)


def test_pace_is_traced(tmp_path: Path) -> None:
    """One command walks through the pages at the real limit, and says how often it was refused."""
    done = subprocess.run(
        [sys.executable, "benchmarks/pace.py", "--listings", "400"],
        cwd=_TOP,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n   0 … 10     4 ####\n\n4 requests in " in done.stdout
    assert done.stdout.endswith(" in any minute; refused with 429: 0\n")


def test_exports_differ_as_they_say(tmp_path: Path) -> None:
    """`other` changes bytes and nothing for sale; `changed` takes away, adds and changes."""
    exports = make_exports(tmp_path, 300)
    first, other, changed = (exports[case] for case in (Case.FIRST, Case.OTHER, Case.CHANGED))

    assert exports[Case.IDENTICAL] == first
    assert other.path.read_bytes() != first.path.read_bytes()
    assert other.for_sale == first.for_sale
    before, after = first.path.read_text(), changed.path.read_text()
    ids_before, ids_after = _ids(before), _ids(after)
    assert (len(ids_before - ids_after), len(ids_after - ids_before)) == (3, 3)
    assert after.count("Price moved.") == 30


def _ids(text: str) -> set[str]:
    return {line.partition(",")[0] for line in text.splitlines() if line.startswith("433")}


def test_right_rows_finds_each_fault(tmp_path: Path) -> None:
    """No table, a listing lacking, twice or too many, another price or comment: all are wrong."""
    export = make_exports(tmp_path, 20)[Case.FIRST]
    path = tmp_path / "shop.db"
    url = f"sqlite:///{path}"
    assert "no such table" in find_fault(url, _QUERY, export.for_sale)
    with closing(sqlite3.connect(path)) as shop:
        shop.execute("CREATE TABLE listings (listing_id, price, comments, status)")
        rows = [(i, float(p), c, "For Sale") for i, (p, c) in export.for_sale.items()]
        shop.executemany("INSERT INTO listings VALUES (?, ?, ?, ?)", rows)
        shop.commit()
        assert find_fault(url, _QUERY, export.for_sale) == ""
        one = f"listing_id = {rows[0][0]}"
        for statement, fault in (
            (f"UPDATE listings SET price = price + 0.01 WHERE {one}", "not"),
            (f"UPDATE listings SET price = price - 0.01, comments = 'x' WHERE {one}", "not"),
            (f"DELETE FROM listings WHERE {one}", "1 listings are lacking"),
            ("INSERT INTO listings VALUES (7, 1.0, '', 'For Sale')", "1 listings are lacking"),
        ):
            shop.execute(statement)
            shop.commit()
            assert fault in find_fault(url, _QUERY, export.for_sale), statement
        for expected in ("1 listings should be gone", "1 listings are there twice"):
            shop.execute("INSERT INTO listings VALUES (?, ?, ?, ?)", rows[0])
            shop.commit()
            assert find_fault(url, _QUERY, export.for_sale).startswith(expected)


def test_soak_compares_every_hour(tmp_path: Path) -> None:
    """One command lets a shop live with trouble; the database is right after each hour."""
    done = subprocess.run(
        [sys.executable, "benchmarks/soak.py", "--hours", "26"],
        cwd=_TOP,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n        24 " in done.stdout
    assert "\n26 hours in " in done.stdout
    assert "s: the database was as the model says after each\n" in done.stdout
