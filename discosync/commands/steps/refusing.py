"""What `sync`, `restore` and `purge-inactive` do with a plan before they write anything.

They put it into the report, so that a refusal shows what was refused, and check it against the
limits.
"""

from collections.abc import Sequence
from itertools import islice

from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.limits import Violation
from discosync.core.reporting.change_entry import describe_known
from discosync.core.reporting.hints import render_command
from discosync.core.reporting.price_changes import count_price_changes
from discosync.core.reporting.report import count_listings
from discosync.errors import LimitRefused
from discosync.runner import Run

_MAX_HIGHLIGHTS = 6
"""How many changes the summary on the screen names; the others are only counted."""


def tell_plan(run: Run, changes: ChangeSet) -> None:
    """Put a plan into the report: its counts, its prices, and its first changes."""
    found = run.findings
    found.listings = count_listings(changes)
    found.has_changes = not changes.is_empty
    found.price_changes = count_price_changes(changes.updated)
    found.highlights = tuple(islice(describe_known(changes), _MAX_HIGHLIGHTS))


def refuse(violations: Sequence[Violation], way_out: str) -> None:
    """Raise `LimitRefused` when there is a violation; `way_out` says what can be done about it."""
    if violations:
        raise LimitRefused(
            "; ".join(violation.text for violation in violations),
            hint=f"nothing was changed; {way_out}",
            code=violations[0].code,
        )


def render_way_out(words: Sequence[str], violations: Sequence[Violation]) -> str:
    """Write the exact command that allows these violations once; `words` were typed before."""
    # Two violations may need the same option, which is named once.
    options = dict.fromkeys(violation.option for violation in violations)
    allowing = [word for option in options for word in option.split()]
    return f"if this is right, allow it once: {render_command([*words, *allowing])}"
