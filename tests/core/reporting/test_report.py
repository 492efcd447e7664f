"""Several runs give one exit code: the gravest that a caller has to know."""

import pytest

from discosync.core.reporting.report import combine_reports
from discosync.errors import BadData, ExitStatus
from tests.support.reports import make_report


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], ExitStatus.OK),
        ([ExitStatus.OK, ExitStatus.CHANGES], ExitStatus.CHANGES),
        ([ExitStatus.CHANGES, ExitStatus.OK_WITH_WARNINGS], ExitStatus.OK_WITH_WARNINGS),
        ([ExitStatus.OK_WITH_WARNINGS, ExitStatus.INTERRUPTED], ExitStatus.INTERRUPTED),
    ],
)
def test_gravest_outcome_decides_the_exit_code(
    statuses: list[ExitStatus], code: ExitStatus
) -> None:
    """A failure goes before a warning, a warning before changes, changes before none."""
    combined = combine_reports([make_report(exit_status=status) for status in statuses])
    assert combined["exit_code"] == int(code)
    assert len(combined["sellers"]) == len(statuses)


def test_error_that_kept_all_runs_from_starting_is_shown() -> None:
    """There is no report then, and the exit code is the error's."""
    error = BadData("no", hint="yes", code="x")
    combined = combine_reports([], error)
    assert combined["exit_code"] == int(error.exit_status)
    assert combined["error"] == {"code": "x", "message": "no", "hint": "yes"}


def test_report_for_the_database_lacks_the_changes_only() -> None:
    """The history holds them; an empty list of changes is still shown on screen."""
    report = make_report(changes=())
    assert report.to_json()["changes"] == []
    shown = report.to_json()
    del shown["changes"]
    assert report.without_changes().to_json() == shown
