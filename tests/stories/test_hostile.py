"""Hostile names, numbers, archives, rows and answers: each once broke something."""

import json
import os
import select
import signal
import sqlite3
import threading
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from discosync.core.inventory.listing import Listing
from discosync.sandbox.answers import render_csv
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.killing import started
from tests.support.postgres import Postgres, transactions_that_wait
from tests.support.program import TOKEN, Program, Result
from tests.support.shop import (
    SELLER,
    make_listing,
    make_shop,
    with_changed,
    write_export,
)
from tests.support.waiting import ENDLESS_SECONDS, HUNG_AFTER_SECONDS, wait_until


@pytest.mark.parametrize("seller", ["..", "../precious", "{directory}/precious"])
def test_sellers_name_is_never_a_path(sqlite_program: Program, tmp_path: Path, seller: str) -> None:
    """A name with slashes or dots deletes nothing outside its own spool."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter.txt").write_text("keep me")
    path = write_export(tmp_path / "shop.csv", make_shop(3))

    name = seller.format(directory=tmp_path)
    result = sqlite_program("sync", "--seller", name, "--from-file", str(path))

    assert result.exit_code == 0
    assert (precious / "letter.txt").read_text() == "keep me"
    assert path.exists()


def test_two_databases_in_one_directory_do_not_share_a_spool(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A staging mirror beside the real one fetches into a place of its own."""
    sandbox.state.export_seconds = ENDLESS_SECONDS
    first = sqlite_program.start("sync", "--source", "export")
    wait_until(lambda: list(sqlite_program.directory.glob("*.snapshots/*")))
    wait_until(lambda: sandbox.state.exports)
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(5))
    staging = f"sqlite:///{sqlite_program.directory / 'staging.db'}"

    second = sqlite_program("sync", "--from-file", str(path), "--json", DATABASE_URL=staging)
    sandbox.state.exports[0].ready_at = 0.0
    first.communicate(timeout=HUNG_AFTER_SECONDS)

    assert second.counts["added"] == 5
    assert first.returncode == 0
    assert len(sqlite_program.query("SELECT * FROM listings")) == 20


NUMBERS = [
    ("endless id", b"4400000001,", b"0000000000" + b"9" * 21 + b","),
    ("endless quantity", b",000,1\r\n", b",000,00000000000" + b"9" * 25 + b"\r\n"),
    ("endless entity", b"it's fine", b"&#" + b"9" * 5000 + b";"),
    ("endless exponent", b",230,", b",1e-99999999999,"),
    ("endless status", b",For Sale,", b"," + b"S" * 9000 + b","),
    ("last year", b"2026-03-02 04:00:00", b"9999-12-31 23:59:59"),
]


@pytest.mark.parametrize(("old", "new"), [n[1:] for n in NUMBERS], ids=[n[0] for n in NUMBERS])
def test_one_hostile_record_stops_no_run(
    program: Program, tmp_path: Path, old: bytes, new: bytes
) -> None:
    """Whatever one record holds: it is taken, or set aside, and the others arrive."""
    body = render_csv(make_shop(200))
    assert old in body
    path = tmp_path / "shop.csv"
    path.write_bytes(body.replace(old, new, 1))

    result = program("sync", "--from-file", str(path), "--json")

    assert result.exit_code in {0, 3}
    assert result.counts["added"] >= 199


@pytest.mark.parametrize("how", ["encrypted", "unknown method"])
def test_archive_that_cannot_be_opened_is_bad_data(
    sqlite_program: Program, tmp_path: Path, how: str
) -> None:
    """A ZIP that Python cannot open is a damaged inventory, not a bug."""
    path = tmp_path / "shop.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shop.csv", render_csv(make_shop(3)))
    body = bytearray(path.read_bytes())
    central = body.index(b"PK\x01\x02")
    for offset in (6, central + 8) if how == "encrypted" else (8, central + 10):
        body[offset] |= 1 if how == "encrypted" else 99
    path.write_bytes(body)

    result = sqlite_program("sync", "--from-file", str(path))

    assert result.exit_code == 14


def test_pipe_is_read_like_a_file(sqlite_program: Program, tmp_path: Path) -> None:
    """A named pipe, as `<(…)` of a shell is one, can be read once, and that is enough."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    body = render_csv(make_shop(3))
    threading.Thread(target=lambda: pipe.write_bytes(body), daemon=True).start()

    result = sqlite_program("sync", "--from-file", str(pipe), "--json")

    assert result.counts["added"] == 3


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "²"}},
        {"status": 429, "headers": {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -1200"}},
        {"body": "[" * 100_000},
        {"body": '{"username": "velvet-crates"'},
        {"status": 404, "body": '{"message": "\\ud83d oops"}'},
    ],
)
def test_hostile_answer_is_no_bug(
    sqlite_program: Program, sandbox: SandboxServer, fault: dict[str, object]
) -> None:
    """Whatever Discogs or something before it answers: an error of ours, or a second try."""
    sandbox.state.faults = [Fault(path="/oauth", **fault)]  # type: ignore[arg-type]
    headers = fault.get("headers")
    result = sqlite_program("sync", "--time-budget", "3" if headers else "60", "--json")
    assert result.exit_code in {0, 14, 15, 18}


@pytest.mark.parametrize("pages", ["Infinity", "1e999999", "-1", '"x"', "null"])
def test_hostile_count_of_pages_is_bad_data(
    sqlite_program: Program, sandbox: SandboxServer, pages: str
) -> None:
    """A count that is none does not send the walk anywhere."""
    body = f'{{"pagination": {{"pages": {pages}, "items": 1}}, "listings": []}}'
    sandbox.state.faults = [Fault(path="/users", times=9, body=body)]

    assert sqlite_program("sync", "--source", "pages").exit_code == 14


@pytest.mark.parametrize("written", ["04400000002", " 4400000002", "4.4e9", "x"])
def test_row_that_cannot_be_found_again_is_named(sqlite_program: Program, written: str) -> None:
    """An id that another program wrote in its own way would never be matched: say so."""
    sqlite_program("sync")
    sqlite_program.query(
        "UPDATE listings SET listing_id = :written WHERE listing_id = '4400000002'",
        written=written,
    )

    result = sqlite_program("sync")

    assert result.exit_code == 16
    assert repr(written) in result.stderr


@pytest.mark.parametrize("column", ["price_value", "weight", "removed_at"])
def test_row_that_cannot_be_read_is_storage(sqlite_program: Program, column: str) -> None:
    """Nonsense that another program wrote is named as such."""
    sqlite_program("sync")
    sqlite_program.query(
        f"UPDATE listings SET {column} = 'nonsense', content_hash = NULL "
        "WHERE listing_id = '4400000002'"
    )

    assert sqlite_program("sync").exit_code == 16


def test_refused_run_does_not_touch_the_file(sqlite_program: Program) -> None:
    """An old shop's database keeps its journal mode, and every other byte, when it is refused."""
    with sqlite3.connect(sqlite_program.database_file) as connection:
        connection.execute("CREATE TABLE listings (id INTEGER PRIMARY KEY)")
    connection.close()
    before = sqlite_program.database_file.read_bytes()

    assert sqlite_program("sync").exit_code == 10
    assert sqlite_program.database_file.read_bytes() == before


@pytest.mark.parametrize("report", ["", ".", "/"])
def test_report_path_that_is_none_is_a_warning(sqlite_program: Program, report: str) -> None:
    """`--report "$UNSET"` in a crontab must not turn a run that committed into a bug."""
    result = sqlite_program("sync", "--report", report)
    assert result.exit_code == 3
    assert len(sqlite_program.query("SELECT * FROM listings")) == 20


def test_file_name_that_is_no_text(program: Program) -> None:
    """A name in an old encoding is read, and written legibly."""
    path = os.fsencode(str(program.directory)) + b"/caf\xe9.csv"
    Path(os.fsdecode(path)).write_bytes(render_csv(make_shop(3)))
    result = program.run("sync", "--from-file", os.fsdecode(path), "--json")
    assert result.exit_code == 0


def test_proxy_does_not_see_the_token(sqlite_program: Program) -> None:
    """Loopback needs no proxy, and plain HTTP through one would show it the token."""
    result = sqlite_program(
        "sync", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize("token", [f"{TOKEN}\ndef", f"{TOKEN}\r\nX: y"])
def test_token_with_a_line_end_is_refused_unseen(sqlite_program: Program, token: str) -> None:
    """A token from a file with two lines is a setting to mend, and is not repeated."""
    result = sqlite_program("sync", DISCOGS_TOKEN=token)
    assert result.exit_code == 10
    assert "DISCOGS_TOKEN" in result.stderr


@pytest.mark.parametrize(
    "url", ["postgresql://shop:hunter2/db", "postgresql://u@127.0.0.1:9/db?password=hunter2"]
)
def test_password_in_an_odd_place_is_not_shown(sqlite_program: Program, url: str) -> None:
    """A password in the query, or where the port should be, is not repeated either."""
    result = sqlite_program("sync", "--json", DATABASE_URL=url)
    assert result.exit_code in {10, 16}
    assert "hunter2" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGALRM, 18)], ids=["TERM", "budget"]
)
def test_blocked_postgres_statement_can_be_ended(
    sqlite_program: Program, postgres: Postgres, number: signal.Signals, exit_code: int
) -> None:
    """A row that another session holds does not hold up a shutdown, nor the time budget's alarm."""
    program = sqlite_program
    program.environment["DATABASE_URL"] = url = postgres.create_database()
    path = write_export(program.directory / "shop.csv", make_shop(20))
    program("sync", "--from-file", str(path))
    write_export(path, with_changed(make_shop(20), 3, comments="ours"))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as blocker:
        blocker.execute(text("SELECT * FROM listings FOR UPDATE"))
        process = program.start("sync", "--from-file", str(path))
        wait_until(lambda: transactions_that_wait(blocker))
        process.send_signal(number)
        _, said = process.communicate(timeout=HUNG_AFTER_SECONDS)
    engine.dispose()

    assert process.returncode == exit_code, said
    assert "Traceback" not in said


def test_busy_sqlite_can_be_ended(sqlite_program: Program, tmp_path: Path) -> None:
    """Waiting for SQLite's write lock does not make a run deaf to signals."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    blocker = sqlite3.connect(sqlite_program.database_file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with started(sqlite_program, "sync", "--from-file", str(path)) as (process, points):
        wait_until(lambda: points().count("before BEGIN IMMEDIATE") > 1)  # in vain, once
        process.terminate()
        assert process.wait(timeout=HUNG_AFTER_SECONDS) == 143
    blocker.close()


def test_slow_export_once_does_not_shut_the_way(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """However long the last export took, the next one is looked at before the deadline."""
    sandbox.state.inventory = make_shop(301)
    sqlite_program("sync")
    sqlite_program.query(
        "UPDATE sync_runs SET report = json_set(report, '$.snapshot.ready_seconds', 3620)"
    )

    waits.clear()
    result = sqlite_program("sync", "--time-budget", "1000", "--json")

    assert result.exit_code == 0
    assert result.report["source"] == "export"
    (wait_seconds,) = waits
    assert wait_seconds <= 500


@pytest.mark.usefixtures("waits")
def test_download_that_is_gone_falls_back(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """An export whose download stays 404 cannot be had."""
    sandbox.state.inventory = make_shop(301)
    sandbox.state.faults = [Fault(path="/inventory/export/18867000/download", times=9, status=404)]
    result = sqlite_program("sync", "--json")
    assert (result.exit_code, result.report["source"]) == (3, "pages")


def test_active_listings_are_a_population_of_their_own(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """Years of sold rows do not water down that every active listing changed."""
    path = tmp_path / "shop.csv"
    sold = [make_listing(n, status="Sold") for n in range(100, 300)]
    write_export(path, [*make_shop(60), *sold])
    sqlite_program("sync", "--from-file", str(path))
    write_export(path, [*(make_listing(n, condition="Poor (P)") for n in range(60)), *sold])

    result = sqlite_program("sync", "--from-file", str(path))

    assert result.exit_code == 13
    assert "60 of 60 active listings" in result.stderr


def test_at_most_fifty_bad_records(sqlite_program: Program, tmp_path: Path) -> None:
    """Fifty of six thousand pass, fifty-one do not, though both are below one percent."""
    lines = render_csv(make_shop(6000)).split(b"\r\n")
    path = tmp_path / "shop.csv"
    for count, exit_code in ((51, 14), (50, 3)):
        bad = [x.replace(b",12.5,", b",?,") if 0 < i <= count else x for i, x in enumerate(lines)]
        path.write_bytes(b"\r\n".join(bad))
        assert sqlite_program("sync", "--from-file", str(path)).exit_code == exit_code


def test_new_listing_that_stands_twice_is_added_once(program: Program, tmp_path: Path) -> None:
    """Equal duplicates of a listing that nobody knew make one row."""
    path = tmp_path / "shop.csv"
    path.write_bytes(render_csv([*make_shop(3), make_listing(1)]))
    assert program("sync", "--from-file", str(path), "--json").counts["added"] == 3


def test_listing_met_twice_on_the_pages_is_taken_newest(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A listing edited during the walk moves to the end and is met again: the newest counts."""
    from discosync.sandbox.answers import render_page  # noqa: PLC0415

    shop = make_shop(101)
    sandbox.state.inventory = shop
    edited = make_listing(0, comments="edited meanwhile")
    page = render_page([edited, shop[100]], seller="s", page=1, per_page=100, is_owner=True)
    page["pagination"] |= {"page": 2, "pages": 2, "items": 101}
    sandbox.state.faults = [Fault(path="/users", after=1, body=json.dumps(page))]

    result = sqlite_program("sync", "--source", "pages", "--json")

    assert result.counts["added"] == 101
    row = sqlite_program.query("SELECT comments FROM listings WHERE listing_id = '4400000001'")
    assert row == [{"comments": "edited meanwhile"}]


def test_signal_after_the_commit_comes_too_late(sqlite_program: Program) -> None:
    """A run whose data is in ends as one, though somebody ends it while it tells its story."""
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(2000))
    process = sqlite_program.start("sync", "--from-file", str(path), "--json", "--changes")
    # It tells more than a pipe holds, and nobody reads on.
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], HUNG_AFTER_SECONDS)[0]
    process.terminate()
    assert process.wait(timeout=HUNG_AFTER_SECONDS) == 0
    process.communicate()
    assert len(sqlite_program.query("SELECT * FROM listings")) == 2000


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE listings SET is_active = 'false' WHERE id = 2", "its is_active is 'false'"),
        ("UPDATE listings SET listing_id = '99999999999999999999' WHERE id = 2", "no Discogs id"),
        ("UPDATE listings SET content_hash = x'37' WHERE id = 2", "is no text"),
    ],
)
def test_a_row_that_means_two_things_is_refused(
    sqlite_program: Program, statement: str, said: str
) -> None:
    """What SQLite and Python read differently, or nobody can read, is named and left alone."""
    assert _sync(sqlite_program, make_shop(5)).exit_code == 0
    sqlite_program.query(statement)
    refused = _sync(sqlite_program, make_shop(5))
    assert refused.exit_code == 16
    assert said in refused.stderr


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("restore", "--from-archive", "x" * 300), 14),
        (("sync", "--from-file", "x" * 300), 16),
        (("db", "restore", "x" * 300), 17),
        (("stats", "--html", ""), 16),
        (("db", "downgrade", "-²"), 2),
    ],
)
def test_a_path_that_cannot_be_is_no_bug(
    program: Program, command: tuple[str, ...], status: int
) -> None:
    """What the system refuses is told with its own status, and without a traceback."""
    assert _sync(program, make_shop(3)).exit_code == 0
    refused = program(*command)
    assert refused.exit_code == status
    assert "bug" not in refused.stderr
