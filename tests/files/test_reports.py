"""A report is written where it was asked for and among earlier ones; losing it is a warning."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from discosync.core.reporting.report import RunReport, RunStatus
from discosync.errors import ExitStatus
from discosync.files.reports import save_report
from tests.support.shop import NOON

REPORT = RunReport(
    run_id="0f" * 16,
    command="sync",
    status=RunStatus.OK,
    exit_status=ExitStatus.OK,
    dry_run=False,
    started_at=NOON,
    finished_at=NOON + timedelta(seconds=2),
    duration_seconds=2.0,
)


def test_report_is_written_twice(tmp_path: Path) -> None:
    """At the given path, and in the directory under a name with command, moment and run."""
    path, directory = tmp_path / "mine.json", tmp_path / "reports"
    assert save_report(REPORT, path=path, directory=directory) is REPORT
    (kept,) = directory.iterdir()
    assert kept.name == "sync-20260302T120000Z-0f0f0f0f.json"
    assert json.loads(kept.read_text()) == json.loads(path.read_text()) == REPORT.to_json()


def test_nothing_asked_writes_nothing(tmp_path: Path) -> None:
    """Neither path nor directory: the report comes back as it was."""
    assert save_report(REPORT, path=None, directory=None) is REPORT
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_reports_stay(tmp_path: Path) -> None:
    """Five hundred are kept; a file with another name is nobody's to delete."""
    for number in range(520):
        (tmp_path / f"sync-20250101T{number:06}Z-00000000.json").touch()
    (tmp_path / "notes.json").touch()
    (tmp_path / "sync-20250101T000000Z.json").touch()
    save_report(REPORT, path=None, directory=tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 502
    assert {"notes.json", "sync-20250101T000000Z.json"} < set(names)
    assert "sync-20260302T120000Z-0f0f0f0f.json" in names
    assert "sync-20250101T000020Z-00000000.json" not in names


def test_rare_commands_keep_their_reports(tmp_path: Path) -> None:
    """Five hundred hours of `sync` do not push out the newest report of `compare`."""
    for number in range(500):
        (tmp_path / f"sync-20250101T{number:06}Z-00000000.json").touch()
    save_report(replace(REPORT, command="compare"), path=None, directory=tmp_path)
    assert (tmp_path / "compare-20260302T120000Z-0f0f0f0f.json").exists()


def test_lost_report_is_a_warning(tmp_path: Path) -> None:
    """The run's data is in the database by then; a failure stays the failure that it was."""
    (tmp_path / "file").touch()
    lost = save_report(REPORT, path=tmp_path / "file" / "x.json", directory=None)
    assert (lost.status, lost.exit_status) == (
        RunStatus.OK_WITH_WARNINGS,
        ExitStatus.OK_WITH_WARNINGS,
    )
    assert [problem.code for problem in lost.findings.problems] == ["report_lost"]
    odd = save_report(REPORT, path=Path("a\0b"), directory=None)
    assert [problem.code for problem in odd.findings.problems] == ["report_lost"]
