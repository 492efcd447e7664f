"""Bad input gets a clear error and its exit status, and nothing is lost."""

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from discosync.sandbox.answers import render_csv
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program
from tests.support.shop import SELLER, make_listing, make_shop, with_changed, write_export

SHOP = make_shop(200)
HEADER = render_csv([])


@pytest.fixture
def full(sqlite_program: Program, tmp_path: Path) -> Program:
    """A mirror that already holds two hundred listings."""
    path = write_export(tmp_path / "first.csv", SHOP)
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    return sqlite_program


def _edit(line: int, edit: Callable[[bytes], bytes]) -> bytes:
    """Edit one line of the full export; 1 is the header."""
    lines = render_csv(SHOP).split(b"\r\n")
    lines[line - 1] = edit(lines[line - 1])
    return b"\r\n".join(lines)


def _twice(line: int, edit: Callable[[bytes], bytes]) -> bytes:
    lines = render_csv(SHOP).split(b"\r\n")
    return b"\r\n".join([*lines[:-1], edit(lines[line - 1]), b""])


BODY = render_csv(SHOP)

REFUSED = [
    ("header only", HEADER, 13, "--allow-empty"),
    ("nothing at all", b"", 14, "not even a header"),
    ("cut inside a row", BODY[: len(BODY) // 2], 14, "cut short"),
    ("cut inside a quoted field", BODY[: BODY.rindex(b'"LP') + 3], 14, "inside a quoted field"),
    ("cut at a row's end", BODY[: BODY.index(b"\r\n", 9000) + 2], 13, "--allow-mass-removal"),
    ("last line end missing", BODY[:-2], 14, "cut short"),
    ("a web page", b"<!DOCTYPE html><html>maintenance</html>\n", 14, "web page"),
    ("missing core column", BODY.replace(b",price,", b",cost,", 1), 14, "no column price"),
    ("a column twice", BODY.replace(b",location,", b",price,", 1), 14, "more than once"),
    ("a field too many", _edit(7, lambda line: line + b",more"), 14, "20 fields"),
    ("a field too few", _edit(7, lambda line: line.rpartition(b",")[0]), 14, "18 fields"),
    ("text after a quote", _edit(7, lambda line: line.replace(b'"LP', b'"LP" ')), 14, "line 7"),
    ("same id, different", _twice(5, lambda line: line.replace(b"12.5", b"13.5")), 14, "twice"),
    ("damaged zip", b"PK\x03\x04 not a zip at all", 14, "damaged"),
    ("truncated gzip", gzip.compress(BODY)[:-200], 14, "damaged"),
    ("most prices bad", BODY.replace(b",12.5,", b",cheap,"), 14, "the limit is 1%"),
]


@pytest.mark.parametrize(
    ("body", "exit_code", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_bad_file_changes_nothing(
    full: Program, tmp_path: Path, body: bytes, exit_code: int, said: str
) -> None:
    """A file that is no complete inventory is refused, says why, and leaves every row."""
    before = full.digest()
    path = tmp_path / "bad.csv"
    path.write_bytes(body)

    result = full("sync", "--from-file", str(path))

    assert result.exit_code == exit_code
    assert said in result.stderr
    assert "nothing was changed" in result.stderr
    assert full.digest() == before


QUARANTINED = [
    ("bad UTF-8", lambda line: line.replace(b"Plain", b"Pl\xff\xfein"), "not UTF-8"),
    ("NUL byte", lambda line: line.replace(b"Plain", b"Pl\x00in"), "NUL"),
    ("10 MB field", lambda line: line.replace(b"Plain", b"x" * 10_000_000), "131,072"),
    ("text as price", lambda line: line.replace(b",12.5,", b",twelve,"), "'twelve'"),
    ("a price like 1_000", lambda line: line.replace(b",12.5,", b",1_2.5,"), "not a number"),
    ("negative price", lambda line: line.replace(b",12.5,", b",-1,"), "not a possible price"),
    ("NaN as price", lambda line: line.replace(b",12.5,", b",NaN,"), "not a number"),
    ("fraction of a cent", lambda line: line.replace(b",12.5,", b",1.005,"), "fraction of a cent"),
    ("bad date", lambda line: line.replace(b"2026-03-02", b"2026-13-02"), "not a date"),
    ("bad release id", lambda line: line.replace(b"500003", b"R500003"), "release_id"),
    ("bad weight", lambda line: line.replace(b",230,", b",heavy,"), "weight"),
]


@pytest.mark.parametrize(
    ("edit", "said"), [q[1:] for q in QUARANTINED], ids=[q[0] for q in QUARANTINED]
)
def test_bad_record_is_set_aside_and_its_listing_kept(
    full: Program, tmp_path: Path, edit: Callable[[bytes], bytes], said: str
) -> None:
    """One bad record is a warning with its line; its listing is unknown, not gone."""
    path = tmp_path / "bad.csv"
    path.write_bytes(_edit(5, edit))

    result = full("sync", "--from-file", str(path), "--json")

    assert result.exit_code == 3
    assert result.counts == {"seen": 200, "unchanged": 199, "quarantined": 1, "active": 200}
    problem = next(p for p in result.report["problems"] if p["code"] == "bad_record")
    assert said in problem["text"]
    assert (problem["line"], problem["listing_id"]) == (5, 4_400_000_004)
    assert "line 5" in result.stderr


def test_unreadable_id_protects_everything_missing(full: Program, tmp_path: Path) -> None:
    """A record whose very id is unreadable could be any listing: none is taken for gone."""
    path = tmp_path / "bad.csv"
    path.write_bytes(_edit(5, lambda line: b"x" + line))

    result = full("sync", "--from-file", str(path), "--json")

    assert result.exit_code == 3
    assert result.counts == {"seen": 200, "unchanged": 199, "quarantined": 1, "active": 200}


def test_quarantine_holds_one_in_a_hundred(full: Program, tmp_path: Path) -> None:
    """Two bad records of two hundred pass, three do not."""
    path = tmp_path / "bad.csv"
    lines = render_csv(SHOP).split(b"\r\n")
    for count, exit_code in ((2, 3), (3, 14)):
        bad = [x.replace(b",12.5,", b",?,") if 0 < i <= count else x for i, x in enumerate(lines)]
        path.write_bytes(b"\r\n".join(bad))
        assert full("sync", "--from-file", str(path)).exit_code == exit_code


ACCEPTED = [
    ("a byte-order mark", b"\xef\xbb\xbf" + BODY, 0),
    ("bare line feeds", BODY.replace(b"\r\n", b"\n"), 0),
    ("a blank last line", BODY + b"\r\n", 0),
    ("the same record twice", _twice(5, lambda line: line), 0),
    ("gzip", gzip.compress(BODY), 0),
]


@pytest.mark.parametrize(
    ("body", "exit_code"), [a[1:] for a in ACCEPTED], ids=[a[0] for a in ACCEPTED]
)
def test_other_form_is_no_change(
    full: Program, tmp_path: Path, body: bytes, exit_code: int
) -> None:
    """The same inventory in another form is the same inventory."""
    path = tmp_path / "form.csv"
    path.write_bytes(body)

    result = full("sync", "--from-file", str(path), "--json")

    assert result.exit_code == exit_code
    assert result.counts == {"seen": 200, "unchanged": 200, "active": 200}


def test_zip_and_stdin_are_sniffed(full: Program, tmp_path: Path) -> None:
    """A ZIP with one CSV is unpacked, on standard input too."""
    path = tmp_path / "export.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("any.csv", BODY)

    named = full("sync", "--from-file", str(path), "--json")
    piped = full("sync", "--from-file", "-", "--json", stdin=path.read_bytes())

    assert named.counts["unchanged"] == piped.counts["unchanged"] == 200


def test_columns_in_another_order_are_read_by_name(full: Program, tmp_path: Path) -> None:
    """Columns may stand in any order."""
    path = tmp_path / "order.csv"
    lines = [line.partition(b",") for line in BODY.split(b"\r\n")[:-1]]
    moved = [rest + b"," + first for first, _, rest in lines]
    path.write_bytes(b"\r\n".join([*moved, b""]))

    assert full("sync", "--from-file", str(path), "--json").counts["unchanged"] == 200


def test_new_column_is_told_once(full: Program, tmp_path: Path) -> None:
    """A column nobody knows is a warning the first time, and never stops a run."""
    path = tmp_path / "new.csv"
    lines = BODY.split(b"\r\n")[:-1]
    path.write_bytes(b"\r\n".join([lines[0] + b",mood", *(x + b",good" for x in lines[1:]), b""]))

    first = full("sync", "--from-file", str(path))
    second = full("sync", "--from-file", str(path))

    assert (first.exit_code, second.exit_code) == (3, 0)
    assert "mood" in first.stderr


def test_old_export_without_quantity_is_no_change(full: Program, tmp_path: Path) -> None:
    """The 18 columns of 2023 blank nothing and change nothing."""
    path = tmp_path / "old.csv"
    lines = BODY.split(b"\r\n")[:-1]
    path.write_bytes(b"\r\n".join([*(x.rpartition(b",")[0] for x in lines), b""]))

    result = full("sync", "--from-file", str(path), "--json")

    assert result.counts["unchanged"] == 200
    assert full.query("SELECT DISTINCT quantity FROM listings") == [{"quantity": 1}]


def test_large_ids_and_long_texts_fit(program: Program, tmp_path: Path) -> None:
    """An id far above 2^32 and texts far longer than the old columns arrive whole."""
    big = make_listing(0, release_title="T" * 5000, label_names="L" * 900, location="X" * 400)
    shop = [*make_shop(3)[1:], big, make_listing(9_000_000_000_000)]
    path = write_export(tmp_path / "big.csv", shop)

    result = program("sync", "--from-file", str(path), "--json")

    assert result.counts["added"] == 4
    row = program.query("SELECT * FROM listings WHERE listing_id = '4400000001'")[0]
    assert (len(row["release_title"]), len(row["label_names"])) == (5000, 900)
    assert program.query("SELECT 1 FROM listings WHERE listing_id = '9004400000001'")


def test_empty_inventory_is_fine_for_an_empty_mirror(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """A shop that has nothing yet is no error; for a full mirror it takes --allow-empty."""
    sqlite_program.environment["DISCOGS_TOKEN"] = ""
    empty = write_export(tmp_path / "empty.csv", [])
    full = write_export(tmp_path / "full.csv", make_shop(3))

    assert sqlite_program("sync", "--from-file", str(empty)).exit_code == 0
    assert sqlite_program("sync", "--from-file", str(full)).exit_code == 0
    refused = sqlite_program("sync", "--from-file", str(empty))
    assert refused.exit_code == 13
    assert "holds 3 active" in refused.stderr
    allowed = sqlite_program("sync", "--from-file", str(empty), "--allow-empty", "--json")
    assert allowed.counts == {"removed": 3}


# Over HTTP.


def _faulty(
    program: Program, sandbox: SandboxServer, *faults: Fault, source: str
) -> tuple[int, str]:
    sandbox.state.inventory = SHOP
    assert program("sync", "--source", source).exit_code == 0
    before = program.digest()
    sandbox.state.faults = list(faults)
    result = program("sync", "--source", source)
    assert program.digest() == before
    return result.exit_code, result.stderr


DOWNLOAD = "/inventory/export/18867001/download"


@pytest.mark.usefixtures("waits")
def test_short_body_is_bad_data(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A download that stays shorter than announced is truncated."""
    fault = Fault(path=DOWNLOAD, times=9, cut_at=5000)
    code, said = _faulty(sqlite_program, sandbox, fault, source="export")
    assert (code, "ended early" in said) == (14, True)


def test_one_short_body_is_fetched_again(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A download that broke once is begun anew, and counted as a retry."""
    sandbox.state.faults = [Fault(path="/inventory/export/18867000/download", cut_at=900)]

    result = sqlite_program("sync", "--source", "export", "--json")

    assert result.counts["added"] == 20
    assert result.report["api"]["retries"] == 1


def test_export_cut_at_a_row_end_contradicts_its_witness(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """An export that is whole in form, but shorter than Discogs counts, is refused."""
    end = BODY.index(b"\r\n", 9000) + 2
    fault = Fault(path=DOWNLOAD, times=9, cut_at=end, hide_length=True)
    code, said = _faulty(sqlite_program, sandbox, fault, source="export")
    assert (code, "Discogs counts 200" in said) == (14, True)


def test_header_only_export_contradicts_its_witness(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """An export that is legal and empty does not empty a shop that Discogs still counts."""
    fault = Fault(path=DOWNLOAD, times=9, body=HEADER.decode())
    code, said = _faulty(sqlite_program, sandbox, fault, source="export")
    assert (code, "0 listings For Sale" in said) == (14, True)


@pytest.mark.parametrize("source", ["export", "pages"])
def test_web_page_with_status_200_is_bad_data(
    sqlite_program: Program, sandbox: SandboxServer, source: str
) -> None:
    """HTML under status 200 is neither an export nor a page."""
    path = DOWNLOAD if source == "export" else f"/users/{SELLER}/inventory"
    fault = Fault(path=path, times=9, body="<html>maintenance</html>\n")
    code, said = _faulty(sqlite_program, sandbox, fault, source=source)
    assert (code, "web page" in said) == (14, True)


def test_failing_page_is_not_the_end_of_the_inventory(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """The old job's disaster: a page that fails in the middle must not delete the rest."""
    fault = Fault(path=f"/users/{SELLER}/inventory", times=9, after=1, status=500)
    code, said = _faulty(sqlite_program, sandbox, fault, source="pages")
    assert (code, "500" in said) == (15, True)


def test_pages_that_do_not_add_up_are_refused(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Fewer listings on the pages than Discogs counts, twice: miscounted."""
    short = '{"pagination": {"page": 2, "pages": 2, "per_page": 100, "items": 200}, "listings": []}'
    path = f"/users/{SELLER}/inventory"
    faults = [Fault(path=path, after=1, body=short), Fault(path=path, after=2, body=short)]
    code, said = _faulty(sqlite_program, sandbox, *faults, source="pages")
    assert (code, "100 different listings" in said) == (14, True)


def test_page_without_pagination_is_no_empty_inventory(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """An object that is no page is an error, never "no more listings"."""
    fault = Fault(path=f"/users/{SELLER}/inventory", times=9, body="{}")
    code, said = _faulty(sqlite_program, sandbox, fault, source="pages")
    assert (code, "pagination" in said) == (14, True)


def test_inventory_that_moves_during_both_walks_removes_nothing(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A walk through a moving shop adds and updates, and takes nothing for gone."""
    sandbox.state.inventory = SHOP
    sqlite_program("sync", "--source", "pages")
    sandbox.state.inventory = with_changed(SHOP, 3, location="moved")
    moved = '{"pagination": {"page": 2, "pages": 2, "per_page": 100, "items": 199}, "listings": []}'
    path = f"/users/{SELLER}/inventory"
    sandbox.state.faults = [
        Fault(path=path, after=1, body=moved),
        Fault(path=path, after=2, body=moved),
    ]

    result = sqlite_program("sync", "--source", "pages", "--json")

    assert result.exit_code == 3
    assert result.counts == {"seen": 100, "updated": 1, "unchanged": 99, "active": 200}
    assert result.report["snapshot"]["complete"] is False


def test_pipe_whose_writer_never_comes_ends_with_the_time_budget(sqlite_program: Program) -> None:
    """A pipe is waited for, and for no longer than the run may take."""
    os.mkfifo(sqlite_program.directory / "pipe")
    ended = sqlite_program("sync", "--from-file", "pipe", "--time-budget", "1")
    assert ended.exit_code == 18


def test_pipe_whose_writer_never_ends_ends_with_the_time_budget(sqlite_program: Program) -> None:
    """Neither does one that holds it open, and writes nothing more."""
    pipe = sqlite_program.directory / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    try:
        os.write(writer, b"listing_id,release_id,status,price\r\n")
        ended = sqlite_program("sync", "--from-file", "pipe", "--time-budget", "1")
    finally:
        os.close(writer)
    assert ended.exit_code == 18


def test_emptied_rows_of_a_spreadsheet_are_no_records(full: Program) -> None:
    """At the end, in between, of another width, quoted: their listings are gone, and no fault."""
    first, *others = render_csv(SHOP[:-3]).splitlines(keepends=True)
    blank = [b",,\r\n", b"," * 18 + b"\r\n", b'"","",""\r\n', b" , \r\n"]
    body = b"".join([first, blank[0], *others[:50], *blank[1:], *others[50:], *blank])
    (full.directory / "blank.csv").write_bytes(body)

    told = full("sync", "--from-file", "blank.csv", "--json")

    assert told.exit_code == 0
    assert told.counts == {"seen": 197, "unchanged": 197, "removed": 3, "active": 197}
