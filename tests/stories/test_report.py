"""The report: its schema, its three homes, and the exit status it tells."""

import ast
import json
import os
import threading
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

import discosync
from discosync.core.inventory.listing import Listing
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program, Result
from tests.support.shop import SELLER, make_shop, with_changed, write_export
from tests.support.waiting import HUNG_AFTER_SECONDS

SCHEMA = json.loads((files("discosync") / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

KEYS = {
    "report_version", "run_id", "command", "seller", "status", "exit_code", "dry_run", "source",
    "source_reason", "fallback_from", "started_at", "finished_at", "duration_seconds", "phases",
    "listings", "api", "cache", "flags", "database", "snapshot", "problems", "error",
}  # fmt: skip


def test_keys_of_version_1_are_pinned() -> None:
    """Other programs read these keys: they may get company, and never leave."""
    assert set(SCHEMA["required"]) == KEYS
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "how", ["ok", "dry run", "fallback", "limit", "auth", "no token", "unreachable", "bad setting"]
)
def test_every_report_fits_the_schema(
    sqlite_program: Program, sandbox: SandboxServer, how: str
) -> None:
    """However a run ends: its report fits the schema, and tells the status it ended with."""
    sqlite_program("sync")
    options, environment = ["sync", "--json"], {}
    status = {"dry run": "ok", "fallback": "ok_with_warnings", "limit": "refused"}
    if how == "dry run":
        sandbox.state.inventory = with_changed(make_shop(25), 3, status="Sold")
        options += ["--dry-run", "--source", "export"]
    elif how == "fallback":
        sandbox.state.inventory = make_shop(301)
        sandbox.state.faults = [Fault(path="/inventory/export/", times=9, status=404)]
    elif how == "limit":
        sandbox.state.inventory = []
    elif how == "auth":
        sandbox.state.identity = "somebody-else"
    else:
        environment = {
            "no token": {"DISCOGS_TOKEN": ""},
            "unreachable": {"DISCOGS_API_URL": "http://127.0.0.1:9"},
            "bad setting": {"MAX_REMOVALS": "many"},
            "ok": {},
        }[how]
    sqlite_program.environment.update(environment)

    result = sqlite_program(*options)

    VALIDATOR.validate(result.report)
    assert result.report["exit_code"] == result.exit_code
    assert result.report["status"] == status.get(how, "ok" if how == "ok" else "failed")
    assert (result.report["error"] is None) == (result.exit_code in {0, 3})


def test_same_report_in_all_its_homes(program: Program) -> None:
    """Standard output, the file and the database tell the same."""
    path = program.directory / "reports" / "last.json"
    printed = program("sync", "--json", "--report", str(path)).report
    written = json.loads(path.read_text())
    stored = program.query("SELECT report, run_id, status, exit_code FROM sync_runs")[0]
    report = stored["report"]

    assert printed == written == (json.loads(report) if isinstance(report, str) else report)
    assert (stored["run_id"], stored["status"]) == (printed["run_id"], "ok")


def test_phases_are_timed(sqlite_program: Program) -> None:
    """The report names the phases that a run went through."""
    assert list(sqlite_program("sync", "--json").report["phases"]) == [
        "fetch", "parse", "plan", "apply"
    ]  # fmt: skip


def test_failed_run_leaves_its_report_beside_the_database(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """What the database does not record, the report directory does."""
    sandbox.state.identity = "somebody-else"
    sqlite_program("sync")

    paths = list((sqlite_program.directory / "reports").glob("sync-*.json"))
    assert [json.loads(path.read_text())["exit_code"] for path in paths] == [12]


def test_json_is_alone_on_stdout(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """With --json stdout is one object, whatever goes wrong and however much is logged."""
    sandbox.state.identity = "somebody-else"
    result = sqlite_program.run("sync", "--json", "-vv")

    assert json.loads(result.stdout)["error"]["code"] == "not_this_seller"
    assert len(result.stdout.splitlines()) == 1


def test_bug_is_reported_as_one(sqlite_program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw ends in a report with status 1, and changes nothing."""

    def explode(*_arguments: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("discosync.commands.syncing.judging.refuse", explode)
    result: Result = sqlite_program("sync", "--json")

    assert result.exit_code == 1
    VALIDATOR.validate(result.report)
    assert "ZeroDivisionError" in result.report["error"]["message"]
    assert not sqlite_program.database_file.exists()


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
