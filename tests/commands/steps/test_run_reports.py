"""Past runs out of report files: what is listed, and what is left alone."""

import json
import os
from pathlib import Path

import pytest

from discosync.commands.steps.run_reports import load_run_lines, load_saved_reports
from discosync.core.progress import NoProgress
from discosync.database.connection.engine import Database, open_database
from discosync.database.runs.past_runs import RunFilter
from discosync.errors import ExitStatus, NotReady
from discosync.runner import Run, RunRequest
from discosync.settings import Settings, load_settings


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Give a database that does not exist yet; its reports are in a directory beside it."""
    (tmp_path / "reports").mkdir()
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    return open_database(address, read_only=True, application="test")


@pytest.fixture
def settings() -> Settings:
    """Give settings that name no directory for reports."""
    return load_settings(config=None, environ={})


def _save(database: Database, name: str, *, run_id: str, seller: str = "shop") -> Path:
    run = Run(request=RunRequest(command="sync"), progress=NoProgress(), run_id=run_id)
    run.findings.seller, run.findings.database = seller, database.shown
    report = run.report(NotReady("no token", hint="", code="no_token")).to_json()
    assert database.path is not None
    path = database.path.parent / "reports" / name
    path.write_text(json.dumps(report), encoding="utf-8")
    return path


def test_failed_run_is_listed_by_its_report_alone(database: Database, settings: Settings) -> None:
    """A run that never reached the database is known by the file that it left."""
    _save(database, "sync-20261128T120000Z-aaaaaaaa.json", run_id="aaaaaaaa-1")

    (line,) = load_run_lines(settings, database, None, RunFilter())

    assert (line.run_id, line.exit_code) == ("aaaaaaaa-1", ExitStatus.NOT_READY)


def test_seller_and_command_are_asked_for_whatever_the_case(
    database: Database, settings: Settings
) -> None:
    """Discogs ignores case in names, and so does the list of runs."""
    _save(database, "sync-20261128T120000Z-aaaaaaaa.json", run_id="a", seller="Shop")
    _save(database, "sync-20261128T130000Z-bbbbbbbb.json", run_id="b", seller="other")

    lines = load_run_lines(settings, database, None, RunFilter(seller="sHOP"))

    assert [line.run_id for line in lines] == ["a"]
    assert not load_run_lines(settings, database, None, RunFilter(command="enrich"))


def test_reports_of_another_database_are_left_out(database: Database, settings: Settings) -> None:
    """Several databases may keep their reports in one directory."""
    path = _save(database, "sync-20261128T120000Z-aaaaaaaa.json", run_id="a")
    report = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(report | {"database": "elsewhere.db"}), encoding="utf-8")

    assert not list(load_saved_reports(settings, database))


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "[" * 100_000, '{"run_id": 7}'])
def test_file_that_is_no_report_is_left_alone(
    database: Database, settings: Settings, content: str
) -> None:
    """Something else may have the name of a report."""
    _save(database, "sync-20261128T120000Z-aaaaaaaa.json", run_id="a").write_text(content)

    assert not list(load_saved_reports(settings, database))


def test_pipe_with_the_name_of_a_report_is_not_read(database: Database, settings: Settings) -> None:
    """Reading a pipe that nobody writes to would never end."""
    path = _save(database, "sync-20261128T120000Z-aaaaaaaa.json", run_id="a")
    path.unlink()
    os.mkfifo(path)

    assert not list(load_saved_reports(settings, database))


def test_newest_files_are_read(database: Database, settings: Settings) -> None:
    """Old failures are no longer news: the moment in a file's name decides."""
    for hour in (10, 12, 11):
        _save(database, f"purge-inactive-20261128T{hour}0000Z-aaaaaaaa.json", run_id=str(hour))

    saved = load_saved_reports(settings, database, newest=2)

    assert [report["run_id"] for report in saved] == ["11", "12"]
