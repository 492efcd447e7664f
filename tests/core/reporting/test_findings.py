"""What a run has found out so far, and a copy of it."""

from discosync.core.flags import Flag, FlagValue
from discosync.core.reporting.findings import Findings, Problem


def test_only_warnings_count_as_warnings() -> None:
    """A notice tells something and changes no exit status."""
    notice = Problem(code="completed", text="told", is_warning=False)
    warning = Problem(code="bad_record", text="wrong")

    assert not Findings(problems=[notice]).has_warnings
    assert Findings(problems=[notice, warning]).has_warnings


def test_copy_keeps_what_was_found_when_it_was_made() -> None:
    """A problem or a flag of later is not in a copy of earlier."""
    findings = Findings(seller="shop")
    copy = findings.as_it_stands()

    findings.problems.append(Problem(code="late", text="late"))
    findings.flags[Flag.USE_CACHE] = FlagValue(value=False, why="rolled back in this run")

    assert copy == Findings(seller="shop")
