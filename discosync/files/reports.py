"""A run's report as files: where it was asked for, and among those of earlier runs."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from discosync.core.reporting.report import Problem, RunReport, RunStatus
from discosync.errors import ExitStatus
from discosync.files.writing import write_json

_REPORTS_KEPT = 500
_REPORT_NAME = re.compile(r"[a-z-]+-\d{8}T\d{6}Z-[0-9a-f]{8}\.json")


def save_report(report: RunReport, *, path: Path | None, directory: Path | None) -> RunReport:
    """Write the report to `path` and into `directory`; failing at that is a warning, no failure."""
    paths = [path] if path else []
    if directory:
        stamp = f"{report.started_at:%Y%m%dT%H%M%SZ}"
        paths.append(directory / f"{report.command}-{stamp}-{report.run_id[:8]}.json")
    for place in paths:
        try:
            write_json(report.to_json(), place)
        except (OSError, ValueError) as exc:  # ValueError: a name that cannot be written either
            report = _with_lost_report(report, place, exc)
    if directory:
        with suppress(OSError):
            _prune(directory)
    return report


def _prune(directory: Path) -> None:
    """Keep the newest reports; touch no file that is not one of ours."""
    reports = [path for path in directory.iterdir() if _REPORT_NAME.fullmatch(path.name)]
    for old in sorted(reports, key=lambda path: path.name)[:-_REPORTS_KEPT]:
        old.unlink(missing_ok=True)


def _with_lost_report(report: RunReport, path: Path, exc: Exception) -> RunReport:
    reason = exc.strerror if isinstance(exc, OSError) else type(exc).__name__
    problem = Problem(
        code="report_lost", text=f"the report could not be written to {str(path)!r}: {reason}"
    )
    problems = (*report.problems, problem)
    if report.exit_status is not ExitStatus.OK:
        return replace(report, problems=problems)
    return replace(
        report,
        problems=problems,
        status=RunStatus.OK_WITH_WARNINGS,
        exit_status=ExitStatus.OK_WITH_WARNINGS,
    )
