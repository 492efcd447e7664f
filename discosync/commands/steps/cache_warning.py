"""What a run says when its cache or its shared rate limit is in trouble."""

from collections.abc import Callable

from discosync.core.reporting.findings import Problem
from discosync.runner import Run

CACHE_PROBLEM = "cache_unavailable"


def warn_once(run: Run) -> Callable[[str], None]:
    """Take the run's first such trouble as a warning: a Redis that is down is one fault, not two.

    Cache and shared rate limit may be given the same function, or one each.
    """

    def warn(text: str) -> None:
        if all(problem.code != CACHE_PROBLEM for problem in run.findings.problems):
            run.findings.problems.append(Problem(code=CACHE_PROBLEM, text=text))

    return warn
