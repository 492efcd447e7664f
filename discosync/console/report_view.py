"""A run's diff and its problems on the screen."""

import sys
from collections.abc import Sequence

from discosync.console.terminal import KIND_COLOURS, print_table, say
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report import RunReport
from discosync.render.diff import diff_rows, left_out, render_counts
from discosync.render.run_summary import headline

_MAX_PROBLEMS = 10


def print_diff(report: RunReport) -> None:
    """Print the changes as a table, then the counts and the headline."""
    changes = report.findings.changes or ()
    if rows := list(diff_rows(changes)):
        print_table(("change", "listing", "record", "what"), rows, colours=KIND_COLOURS)
    for line in filter(None, (left_out(changes), render_counts(report), headline(report))):
        say(line)


def print_problems(problems: Sequence[Problem], *, quiet: bool) -> None:
    """Print the warnings and, unless `quiet`, the notes; at most ten."""
    shown = [p for p in problems if p.is_warning or not quiet]
    for problem in shown[:_MAX_PROBLEMS]:
        where = f" (line {problem.line})" if problem.line else ""
        kind = "warning" if problem.is_warning else "note"
        say(f"discosync: {kind}: {problem.text}{where}", sys.stderr)
    if len(shown) > _MAX_PROBLEMS:
        rest = len(shown) - _MAX_PROBLEMS
        say(f"discosync: … and {rest} more, see the report", sys.stderr)
