"""The warning of a run whose cache, or whose shared rate limit, cannot be used."""

from collections.abc import Callable

from discosync.core.reporting.findings import Problem
from discosync.runner import Run

CACHE_PROBLEM = "cache_unavailable"


def warn_once(run: Run) -> Callable[[str], None]:
    """Return a function that adds a warning to the run, unless there is one from it already.

    Cache and shared rate limit may use the same Redis: when it is down, that is one fault.
    """

    def warn(text: str) -> None:
        if all(problem.code != CACHE_PROBLEM for problem in run.findings.problems):
            run.findings.problems.append(Problem(code=CACHE_PROBLEM, text=text))

    return warn
