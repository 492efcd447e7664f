"""`stats`: from the database to table, JSON, CSV and a page that a browser shows."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from discosync.core.inventory.pacific import render_export_name
from tests.support.program import Program
from tests.support.shop import SELLER, make_shop, with_changed, write_export

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


def _mirror(program: Program, day: datetime, shop: list) -> None:  # type: ignore[type-arg]
    path = write_export(program.directory / render_export_name(SELLER, day), shop)
    assert program("sync", "--from-file", str(path)).exit_code == 0


@pytest.fixture
def shop(program: Program) -> Program:
    """Thirty listings for 12.50; a week later three sold, one is cheaper, one dearer."""
    program.environment["DISCOGS_CURRENCY"] = "EUR"
    first = [replace(x, label_names="<script>alert(1)</script>") for x in make_shop(30)]
    now = datetime.now(UTC)
    _mirror(program, now - timedelta(days=15), first)
    second = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(first)]
    second[4] = replace(second[4], price_value=Decimal("10.00"))
    second[5] = replace(second[5], price_value=Decimal("13.00"))
    _mirror(program, now - timedelta(days=8), second)
    return program


def test_stats_are_of_what_the_database_holds(shop: Program) -> None:
    """Sales, amounts, value and price changes are those of the two days, to the cent."""
    shown = json.loads(shop("stats", "--json").stdout)
    assert (shown["sold"], shown["amounts"]) == (3, {"EUR": "37.50"})
    assert shown["value"] == {"EUR": "335.50"}
    assert [p["value"] for p in shown["inventory_value"]] == ["375.00", "335.50"]
    moves = shown["price_changes"][-1]
    assert (moves["raised"], moves["lowered"], moves["difference"]) == (1, 1, "-2.00")
    assert shown["by_format"][0]["median_days_to_sell"] is not None
    report = shop.query("SELECT report FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["report"]
    report = json.loads(report) if isinstance(report, str) else report
    assert report["inventory_value"] == {"EUR": {"listings": 27, "value": "335.50"}}


def test_since_leaves_out_what_was_before(shop: Program) -> None:
    """A span that begins after the sales holds none."""
    assert json.loads(shop("stats", "--since", "3d", "--json").stdout)["sold"] == 0
    assert shop("stats", "--since", "soon").exit_code == 2


def test_since_lies_in_the_past(shop: Program) -> None:
    """A span that has not begun yet is refused, whatever the form."""
    for form in ((), ("--csv",), ("--json",)):
        told = shop("stats", "--since", "2999-01-01", *form)
        assert (told.exit_code, "lies in the future" in told.stdout + told.stderr) == (2, True)


def test_the_directory_of_the_page_is_made(shop: Program) -> None:
    """A page may go where no directory is yet."""
    page = shop.directory / "new" / "deep" / "page.html"
    assert shop("stats", "--html", str(page)).exit_code == 0
    assert page.is_file()


def test_csv_is_one_figure_a_line(shop: Program) -> None:
    """A spreadsheet gets five columns and the same numbers."""
    rows = list(csv.DictReader(io.StringIO(shop("stats", "--csv").stdout)))
    sold = [row["value"] for row in rows if row["section"] == "total" and row["measure"] == "sold"]
    assert sold == ["3"]
    assert {"weeks", "months", "by_label", "price_changes"} <= {row["section"] for row in rows}
    assert shop("stats", "--csv", "--json").exit_code == 2


def test_the_table_names_what_sold(shop: Program) -> None:
    """The summary says it in words."""
    assert "3 listings for 37.50 EUR" in shop("stats").stdout


def test_a_table_that_is_cut_says_so(program: Program) -> None:
    """Of twenty labels the text shows fifteen and names the rest; JSON and CSV hold all."""
    shop = [replace(x, label_names=f"Label {i}") for i, x in enumerate(make_shop(20))]
    _mirror(program, datetime.now(UTC) - timedelta(days=1), shop)
    shown = program("stats").stdout
    assert shown.count("Label ") == 15
    assert "… and 5 more; `--csv` and `--json` hold all" in shown
    assert len(json.loads(program("stats", "--json").stdout)["by_label"]) == 20
    rows = csv.DictReader(io.StringIO(program("stats", "--csv").stdout))
    assert len({row["group"] for row in rows if row["section"] == "by_label"}) == 20
    page = program.directory / "page.html"
    assert program("stats", "--html", str(page)).exit_code == 0
    assert "… and 5 more" in page.read_text()


def test_drafts_of_the_first_load_did_not_go(program: Program) -> None:
    """What was never for sale is left out; what was, and then became a draft, has gone."""
    first = [replace(x, status="Draft") if i < 4 else x for i, x in enumerate(make_shop(10))]
    now = datetime.now(UTC)
    _mirror(program, now - timedelta(days=9), first)
    second = [replace(x, status="Expired") if i in {0, 5} else x for i, x in enumerate(first)]
    _mirror(program, now - timedelta(days=8), with_changed(second, 1, status="For Sale"))
    _mirror(program, now - timedelta(days=7), with_changed(second, 1, status="Draft"))
    shown = json.loads(program("stats", "--json").stdout)
    assert shown["never_offered"] == {"draft": 2, "expired": 1}
    gone = [(week["removed"]) for week in shown["weeks"] if week["removed"]]
    assert sum(sum(week.values()) for week in gone) == 2
    assert (shown["active"], shown["offered"]) == (5, 7)
    assert "3 were never for sale while discosync knew them" in program("stats").stdout


def test_a_page_that_cannot_be_written_is_a_storage_fault(shop: Program) -> None:
    """The disk's word ends with 16."""
    (shop.directory / "file").write_text("")
    assert shop("stats", "--html", str(shop.directory / "file" / "page.html")).exit_code == 16


def test_the_page_needs_nothing_from_outside(shop: Program) -> None:
    """No script, no address to load from, nothing that a label's name could smuggle in."""
    page = shop.directory / "page.html"
    assert shop("stats", "--html", str(page)).exit_code == 0
    text = page.read_text()
    assert "<script" not in text
    assert not re.search(r"(src|href)=|url\(|@import", text)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine to show it")
@pytest.mark.parametrize(("width", "paper"), [(1100, False), (390, False), (1100, True)])
def test_a_browser_shows_the_page(sqlite_program: Program, width: int, paper: bool) -> None:  # noqa: FBT001
    """Charts and tables are drawn, nothing is wider than the window, and it can be printed."""
    _mirror(sqlite_program, datetime.now(UTC) - timedelta(days=15), make_shop(30))
    sold = [replace(x, status="Sold") if i < 3 else x for i, x in enumerate(make_shop(30))]
    _mirror(sqlite_program, datetime.now(UTC) - timedelta(days=8), sold)
    page = sqlite_program.directory / "page.html"
    assert sqlite_program("stats", "--html", str(page)).exit_code == 0
    probe = (
        "<script>onload=()=>{document.title=[document.documentElement.scrollWidth<=innerWidth,"
        "document.querySelectorAll('rect.bar').length,"
        "[...document.querySelectorAll('h2')].every(h=>h.offsetHeight>0)].join()}</script>"
    )
    page.write_text(page.read_text().replace("</body>", f"{probe}</body>"))
    out = sqlite_program.directory / "page.pdf"
    wanted = [f"--print-to-pdf={out}"] if paper else ["--dump-dom"]
    shown = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={sqlite_program.directory / 'profile'}",
            f"--window-size={width},900",
            *wanted,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    if paper:
        assert Path(out).read_bytes().startswith(b"%PDF")
    else:
        title = re.search(r"<title>(true|false),(\d+),(true|false)</title>", shown.stdout)
        assert title is not None
        assert title[1] == title[3] == "true"
        assert int(title[2]) >= 2
