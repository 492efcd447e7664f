"""Find a run by its id, or by the beginning of its id."""

from collections.abc import Sequence
from typing import TypeVar

from discosync.errors import UsageFault

T = TypeVar("T")


def refuse_empty_id(run_id: str) -> None:
    """Refuse an empty id: every run's id begins with it."""
    if not run_id.strip():
        raise UsageFault("no run is named", hint="`discosync runs` lists them", code="no_such_run")


def only_run(found: Sequence[T], run_id: str) -> T:
    """Return the one run whose id begins with `run_id`; raise `UsageFault` for none or several."""
    if len(found) == 1:
        return found[0]
    raise UsageFault(
        f"{'several runs begin' if found else 'no run begins'} with {run_id!r}",
        hint="`discosync runs` lists them",
        code="no_such_run",
    )
