"""Past runs: those that the database has a record of, and those that left only a report file."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from discosync.commands.steps.directories import report_dir
from discosync.core.reporting.run_line import RunLine, parse_run_line
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.runs.past_runs import RunFilter, load_run_reports
from discosync.settings import Settings

_FILES_READ = 60
"""The newest report files that a list of runs looks at: old failures are no longer news."""


def load_run_lines(
    settings: Settings, database: Database, session: Session | None, wanted: RunFilter
) -> list[RunLine]:
    """Load the newest runs, newest first: recorded ones, and those that left only a report file.

    `session` is None for a database that does not exist yet.
    """
    saved = load_saved_reports(settings, database)
    recorded = [] if session is None else load_run_reports(session, wanted)
    # Reports give whole seconds: within one second, runs keep the order in which they were written.
    in_order = {report["run_id"]: report for report in reversed(recorded)}
    # Where a run left both, the record wins: a report file may be lost, or somebody's copy.
    by_id = {report["run_id"]: report for report in saved} | in_order
    lines = [line for report in reversed(by_id.values()) if (line := _readable(report))]
    lines = [line for line in lines if _is_wanted(line, wanted)]
    return sorted(lines, key=lambda line: line.started_at, reverse=True)[: wanted.limit]


def _is_wanted(line: RunLine, wanted: RunFilter) -> bool:
    is_of_command = wanted.command in {None, line.command}
    return is_of_command and (
        wanted.seller is None or wanted.seller.casefold() == line.seller.casefold()
    )


def _readable(report: dict[str, Any]) -> RunLine | None:
    """Parse a report; None for one that another version wrote, or something else."""
    with suppress(KeyError, ValueError, TypeError, AttributeError):
        return parse_run_line(report)
    return None


def _written(path: Path) -> tuple[str, int, str]:
    """Order report files by the second in their names, then by when they were written."""
    with suppress(OSError):
        return path.name.split("-")[-2], path.stat().st_mtime_ns, path.name
    return path.name.split("-")[-2], 0, path.name


def load_saved_reports(
    settings: Settings, database: Database, *, newest: int = _FILES_READ
) -> Iterator[dict[str, Any]]:
    """Read the newest report files: a run that was refused or failed leaves nothing else.

    Several databases may keep their reports in one directory: those of others are left out.
    """
    directory = report_dir(settings.report_dir, database)
    if directory is None or not directory.is_dir():
        return
    # A name is COMMAND-MOMENT-RUN_ID.json, and a command may have hyphens itself.
    by_moment = sorted(directory.glob("*-*Z-*.json"), key=_written)
    for path in by_moment[-newest:]:
        # Something else may have such a name: reading a pipe would never end, and JSON that is
        # nested too deeply is no report of ours.
        with suppress(OSError, ValueError, RecursionError):
            if not path.is_file():
                continue
            report = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(report, dict) or not isinstance(report.get("run_id"), str):
                continue
            if report.get("database") in {None, "", database.shown}:
                yield report
