"""A run's report as files: at the path of `--report`, and in REPORT_DIR with earlier ones."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report import RunReport, RunStatus
from discosync.errors import ExitStatus
from discosync.files.drafts import remove_abandoned
from discosync.files.writing import write_json

_REPORTS_KEPT = 500
"""How many reports stay in REPORT_DIR: three weeks of one an hour."""

_REPORT_NAME = re.compile(r"[a-z-]+-(?P<moment>\d{8}T\d{6}Z)-[0-9a-f]{8}\.json")


def save_report(report: RunReport, *, path: Path | None, directory: Path | None) -> RunReport:
    """Write the report to `path` and into `directory`; return it, with a warning for each failure.

    A report that cannot be written does not make a run fail: its data is in the database by then.
    """
    paths = [path] if path else []
    if directory:
        stamp = f"{report.started_at:%Y%m%dT%H%M%SZ}"
        paths.append(directory / f"{report.command}-{stamp}-{report.run_id[:8]}.json")
    for target in paths:
        try:
            write_json(report.to_json(), target)
        except (OSError, ValueError) as exc:  # ValueError: a path with a NUL, or half a character
            report = _with_lost_report(report, target, exc)
    if directory:
        with suppress(OSError):
            _prune(directory)
    return report


def _prune(directory: Path) -> None:
    """Delete all but the newest 500 reports; leave files with other names alone."""
    remove_abandoned(directory, _REPORT_NAME.pattern)
    reports = [
        (named["moment"], path)
        for path in directory.iterdir()
        if (named := _REPORT_NAME.fullmatch(path.name))
    ]
    # By moment, not by name: `sync` sorts last, and hourly ones would push out all others.
    for _, old in sorted(reports)[:-_REPORTS_KEPT]:
        old.unlink(missing_ok=True)


def _with_lost_report(report: RunReport, path: Path, exc: Exception) -> RunReport:
    reason = exc.strerror if isinstance(exc, OSError) else type(exc).__name__
    problem = Problem(
        code="report_lost", text=f"the report could not be written to {str(path)!r}: {reason}"
    )
    findings = replace(report.findings, problems=[*report.findings.problems, problem])
    if report.exit_status is not ExitStatus.OK:
        return replace(report, findings=findings)
    return replace(
        report,
        findings=findings,
        status=RunStatus.OK_WITH_WARNINGS,
        exit_status=ExitStatus.OK_WITH_WARNINGS,
    )
