"""The report: its schema, its three homes, and the exit status it tells."""

import json
from importlib.resources import files

import jsonschema
import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program, Result
from tests.support.shop import make_shop, with_changed

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
