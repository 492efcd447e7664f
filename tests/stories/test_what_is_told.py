"""What is told holds: of refused runs, of other sellers, of paths nobody can use, of locks."""

import ast
import json
import os
import pty
import subprocess
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest

import discosync
from discosync.core.inventory.listing import Listing
from discosync.database.connection.engine import open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, Holder, hold_lock
from discosync.errors import Locked
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, NOON, SELLER, make_shop, write_export
from tests.support.waiting import HUNG_AFTER_SECONDS

PACIFIC = ZoneInfo("America/Los_Angeles")
SCHEMA = json.loads((files("discosync") / "report.schema.json").read_text())


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_every_code_of_a_problem_is_in_the_schema() -> None:
    """Whoever reads reports by the schema meets no code that it does not name."""
    codes = {
        keyword.value.value
        for path in Path(discosync.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Problem"
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    known = SCHEMA["properties"]["problems"]["items"]["properties"]["code"]["enum"]
    assert codes
    assert codes <= set(known)


def test_a_compacted_run_is_shown_by_the_schema(program: Program) -> None:
    """`runs RUN_ID --json` keeps to the schema when its changes were merged, too."""
    for month, price in (("01", 5), ("02", 6), ("03", 7)):
        for day in ("10", "20"):
            shop = [replace(x, comments=f"{price} {day}") for x in make_shop(12)]
            path = program.directory / f"{SELLER}-inventory-2025{month}{day}-1200.csv"
            write_export(path, shop)
            allowing = ("--allow-mass-change",)
            assert program("sync", "--from-file", str(path), *allowing).exit_code == 0
    assert program("db", "compact", "--older-than", "1d", "--apply").exit_code == 0
    runs = program.query("SELECT run_id FROM sync_runs ORDER BY id")
    shown = [program("runs", str(run["run_id"]), "--json").report for run in runs]
    for report in shown:
        jsonschema.validate(report, SCHEMA)
    assert "merged" in {change["kind"] for report in shown for change in report["changes"]}


def test_what_a_refused_run_would_have_changed_is_no_change(sqlite_program: Program) -> None:
    """`runs` and `status` count what was done, and say of a refusal why."""
    program = sqlite_program
    assert _sync(program, make_shop(60)).exit_code == 0
    assert _sync(program, make_shop(20)).exit_code == 13
    refused, done = program("runs", "--json").report["runs"]
    assert sum(refused["changes"].values()) == 0
    assert done["changes"]["added"] == 60
    assert "would remove 40 of 60" in program("runs").stdout
    changes = next(x for x in program("status").stdout.splitlines() if "changes" in x)
    assert changes.split()[-4:] == ["0", "(last", "2", "syncs)"]


def test_a_refused_run_cannot_be_taken_back(sqlite_program: Program) -> None:
    """It stands in `runs`, and changed nothing: that is what `restore --run` says."""
    program = sqlite_program
    assert _sync(program, make_shop(60)).exit_code == 0
    assert _sync(program, make_shop(20)).exit_code == 13
    run_id = program("runs", "--json").report["runs"][0]["run_id"]
    refused = program("restore", "--run", run_id)
    assert refused.exit_code == 2
    assert "refused or failed changed nothing" in refused.stderr


def test_a_run_must_be_named(program: Program) -> None:
    """An empty name begins every run's, and means none, where there is but one, too."""
    assert _sync(program, make_shop(3)).exit_code == 0
    for command in (("runs", ""), ("restore", "--run", "")):
        nameless = program(*command)
        assert (nameless.exit_code, "no run is named" in nameless.stderr) == (2, True)


@pytest.mark.parametrize(
    "command", ["stats", "purge-inactive --apply", "db compact --apply", "as-of 1h", "enrich"]
)
def test_an_unknown_seller_is_no_empty_shop(program: Program, command: str) -> None:
    """A misspelt name is refused by name, and the known ones are told."""
    assert _sync(program, make_shop(3)).exit_code == 0
    refused = program(*command.split(), "--seller", "typo")
    assert refused.exit_code == 2
    assert "nothing is known of a seller 'typo'" in refused.stderr
    assert SELLER in refused.stderr


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


def test_since_when_a_first_seen_listing_is_gone_nobody_knows(program: Program) -> None:
    """What was sold at the first sight is not said to be sold since then."""
    first = [replace(x, status="Sold") if i == 0 else x for i, x in enumerate(make_shop(9))]
    sold = [replace(x, status="Sold") if i < 2 else x for i, x in enumerate(first)]
    then = [replace(x, comments="corrected") if i == 0 else x for i, x in enumerate(sold)]
    assert _sync(program, first).exit_code == 0
    assert _sync(program, then).exit_code == 0
    assert "(sold) already at 20" in program("history", str(FIRST_ID)).stdout
    assert "(sold) since 20" in program("history", str(FIRST_ID + 1)).stdout


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


def _named_after(program: Program, moment: datetime) -> str:
    """Write a file that Discogs would have named at this moment."""
    name = f"{SELLER}-inventory-{moment.astimezone(PACIFIC):%Y%m%d-%H%M}.csv"
    return str(write_export(program.directory / name, make_shop(3)))


def test_a_file_from_the_future_is_refused(program: Program) -> None:
    """A name that tells a moment three hours ahead would make every true snapshot look old."""
    path = _named_after(program, datetime.now(UTC) + timedelta(hours=3))
    refused = program("sync", "--from-file", path)
    assert refused.exit_code == 13
    assert "in the future" in refused.stderr


def test_after_a_moment_to_come_it_is_told_when_syncs_pass(
    program: Program,
) -> None:
    """A clock that is an hour behind, or a name that tells too much, ends by itself."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    assert program("sync", "--from-file", _named_after(program, ahead)).exit_code == 0
    refused = program("sync")
    assert refused.exit_code == 13
    assert f"a sync after {ahead:%Y-%m-%d %H:%M} UTC passes" in refused.stderr


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


def test_a_report_goes_to_where_a_link_leads(program: Program) -> None:
    """A link stays one, and a pipe gets the report itself."""
    target, link, pipe = (program.directory / name for name in ("target", "link", "pipe"))
    link.symlink_to(target)
    os.mkfifo(pipe)
    assert _sync(program, make_shop(3), "--report", str(link)).exit_code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["listings"]["added"] == 3

    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert _sync(program, make_shop(3), "--report", str(pipe)).exit_code == 0
    reader.join(timeout=HUNG_AFTER_SECONDS)
    assert json.loads(read[0])["listings"]["unchanged"] == 3


def test_who_was_refused_does_not_sign_for_a_shared_lock(sqlite_program: Program) -> None:
    """The lock goes on naming the run that holds it, when another came and went."""
    database = open_database(sqlite_program.database_url, read_only=True, application="tests")
    holders = [Holder(command=f"run {n}", run_id=str(n), started_at=NOON) for n in range(3)]
    with ExitStack() as stack:
        stack.enter_context(hold_lock(database, MAINTENANCE_LOCK, holders[0], is_shared=True))
        with hold_lock(database, MAINTENANCE_LOCK, holders[1], is_shared=True):
            pass
        with (
            pytest.raises(Locked, match="run 0"),
            hold_lock(database, MAINTENANCE_LOCK, holders[2]),
        ):
            pass


def test_a_command_that_waits_unasked_says_for_whom(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody sits before a blank screen while somebody else's run goes on."""
    database = open_database(program.database_url, read_only=True, application="discosync sync")
    program("db", "upgrade")
    holder = Holder(command="discosync sync", run_id="x", started_at=NOON)
    with hold_lock(database, MAINTENANCE_LOCK, holder, is_shared=True):
        waiting = hold_lock(database, MAINTENANCE_LOCK, holder, wait_seconds=0.3)
        with pytest.raises(Locked), waiting:
            pass
    assert "waiting 0.3 s at most for process" in caplog.text
    assert "discosync sync" in caplog.text


def test_what_is_to_be_typed_reads_the_same_settings(program: Program) -> None:
    """After `--config FILE` every command that is told has it, too."""
    settings = program.directory / "my shop.toml"
    settings.write_text(f"database_url = {json.dumps(program.environment.pop('DATABASE_URL'))}\n")
    first = make_shop(40)
    then = [replace(x, comments="changed") if i < 9 else x for i, x in enumerate(first)]
    for shop in (first, then):
        done = _sync(program, shop, "--config", str(settings))
    assert f"--config '{settings}'` shows them" in done.stdout
    late = program("status", "--config", str(settings), "--seller", "new")
    assert f"run `discosync sync --seller new --config '{settings}'`" in late.stderr


def test_markdown_of_a_failed_run_does_not_contradict_itself(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a plan, something is known: that nothing of it was written."""
    from discosync.errors import StorageFailed  # noqa: PLC0415 - here only

    def fail(*_: object, **__: object) -> None:
        raise StorageFailed("the disk is full", hint="make room", code="disk")

    monkeypatch.setattr("discosync.commands.syncing.applying.apply_changes", fail)
    failed = _sync(program, make_shop(3), "--diff", "markdown")
    assert failed.exit_code == 16
    assert "**Failed, nothing was written:** the disk is full" in failed.stdout


def test_what_the_history_does_not_show_is_counted(program: Program) -> None:
    """A run's changes are cut at two hundred, and what is gone from the history is no secret."""
    assert _sync(program, make_shop(210)).exit_code == 0
    run_id = program("runs", "--json").report["runs"][0]["run_id"]
    assert "… and 10 more; --json shows all" in program("runs", run_id).stderr
    program.query("DELETE FROM listing_changes WHERE listing_id LIKE '%5'")
    assert "21 of its changes are no longer in the history" in program("runs", run_id).stderr


def test_a_listing_that_somebody_deleted_is_told_to_be(program: Program) -> None:
    """Its history is there, its row is not: discosync deletes none."""
    assert _sync(program, make_shop(3)).exit_code == 0
    program.query("DELETE FROM listings WHERE listing_id = :id", id=str(FIRST_ID))
    assert "another program must have deleted it" in program("history", str(FIRST_ID)).stdout


def test_files_that_only_look_like_reports_are_passed_over(sqlite_program: Program) -> None:
    """Neither a pipe, nor nested brackets, nor a directory keeps `runs` from its list."""
    assert _sync(sqlite_program, make_shop(3)).exit_code == 0
    reports = sqlite_program.directory / "reports"
    os.mkfifo(reports / "sync-20990101T000000Z-aaaaaaaa.json")
    (reports / "sync-20990101T000000Z-bbbbbbbb.json").write_text("[" * 100_000)
    (reports / "sync-20990101T000000Z-cccccccc.json").mkdir()
    listed = sqlite_program.run("runs", "--json")
    assert listed.exit_code == 0
    assert len(listed.report["runs"]) == 1


def test_a_narrow_terminal_breaks_no_id(sqlite_program: Program) -> None:
    """What has to be copied stands in one piece, however little room there is."""
    assert _sync(sqlite_program, make_shop(60)).exit_code == 0
    assert _sync(sqlite_program, make_shop(20)).exit_code == 13
    run_ids = [run["run_id"] for run in sqlite_program("runs", "--json").report["runs"]]
    ours, theirs = pty.openpty()
    environment = {**sqlite_program.environment, "PATH": os.environ["PATH"], "COLUMNS": "60"}
    environment |= {"TERM": "xterm", "NO_COLOR": ""}
    subprocess.run(
        sqlite_program.command("runs"),
        env=environment,
        cwd=sqlite_program.directory,
        stdout=theirs,
        check=True,
    )
    shown = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)
    assert "\x1b[" in shown  # as a terminal gets it
    assert all(run_id in shown for run_id in run_ids)
