"""How a run ends, by what it found and what ended it; and that its report is a copy."""

import pytest

from discosync.core.progress import NoProgress
from discosync.core.reporting.findings import Findings, Problem
from discosync.core.reporting.report import RunStatus
from discosync.errors import (
    DiscosyncError,
    ExitStatus,
    Interrupted,
    LimitRefused,
    Mismatch,
    StorageFailed,
    TimeBudgetUsedUp,
)
from discosync.runner import Run, RunRequest
from discosync.runner.run import outcome_of

ASKED = RunRequest(command="sync", exit_code_for_changes=True)
NOT_ASKED = RunRequest(command="sync")


def _findings(*, changes: bool = False, warning: bool = False, notice: bool = False) -> Findings:
    problems = [Problem(code="w", text="warning")] if warning else []
    problems += [Problem(code="n", text="notice", is_warning=False)] if notice else []
    return Findings(has_changes=changes, problems=problems)


@pytest.mark.parametrize(
    ("request_", "findings", "expected"),
    [
        (NOT_ASKED, _findings(), (RunStatus.OK, ExitStatus.OK)),
        (NOT_ASKED, _findings(changes=True), (RunStatus.OK, ExitStatus.OK)),
        (NOT_ASKED, _findings(notice=True), (RunStatus.OK, ExitStatus.OK)),
        (
            NOT_ASKED,
            _findings(changes=True, warning=True),
            (RunStatus.OK_WITH_WARNINGS, ExitStatus.OK_WITH_WARNINGS),
        ),
        (ASKED, _findings(), (RunStatus.OK, ExitStatus.OK)),
        (ASKED, _findings(changes=True), (RunStatus.OK, ExitStatus.CHANGES)),
        (
            ASKED,
            _findings(changes=True, warning=True),
            (RunStatus.OK_WITH_WARNINGS, ExitStatus.CHANGES),
        ),
    ],
)
def test_findings_decide_how_a_run_without_error_ends(
    request_: RunRequest, findings: Findings, expected: tuple[RunStatus, ExitStatus]
) -> None:
    """Warnings give status 3; changes give 4 where `--exit-code` asks for that; notices nothing."""
    assert outcome_of(request_, findings, None) == expected


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LimitRefused("too many", hint="", code="mass_removal"), RunStatus.REFUSED),
        (Interrupted("interrupted", hint=""), RunStatus.INTERRUPTED),
        (TimeBudgetUsedUp("too long", hint=""), RunStatus.FAILED),
        (StorageFailed("disk full", hint=""), RunStatus.FAILED),
        (Mismatch("they differ", hint=""), RunStatus.FAILED),
        (DiscosyncError("a bug", hint=""), RunStatus.FAILED),
    ],
)
def test_error_decides_before_changes_and_warnings(
    error: DiscosyncError, status: RunStatus
) -> None:
    """Whatever a run found out before, an error gives its own status."""
    outcome = outcome_of(ASKED, _findings(changes=True, warning=True), error)

    assert outcome == (status, error.exit_status)


def test_report_is_not_changed_by_what_is_found_out_later() -> None:
    """A report that was committed stays what it was when the run goes on."""
    run = Run(request=NOT_ASKED, progress=NoProgress())
    report = run.report()

    run.findings.seller = "later"
    run.findings.problems.append(Problem(code="later", text="later"))

    assert report.findings == Findings()


def test_report_of_a_run_that_failed_before_its_seller_is_known_has_none() -> None:
    """The report's seller is null until the run knows whose listings are meant."""
    run = Run(request=NOT_ASKED, progress=NoProgress())

    assert run.report(StorageFailed("no disk", hint="")).to_json()["seller"] is None


def test_open_phase_is_in_the_report() -> None:
    """A report made in the middle of a phase counts its time so far."""
    run = Run(request=NOT_ASKED, progress=NoProgress())

    with run.phase("fetch"):
        phases = run.report().phases

    assert list(phases) == ["fetch"]
