"""Past runs: their rows, their changes, and the trend of the last syncs."""

from collections.abc import Iterable, Iterator, Sequence

from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.run_line import RunLine
from discosync.render.cells import render_cell, shorten
from discosync.render.history import change_rows
from discosync.render.plots import render_sparkline

RUN_COLUMNS = ("ended", "started (UTC)", "command", "seller", "seconds", "calls", "changes", "run")
ENTRY_COLUMNS = ("change", "listing", "record", "field", "before", "after")


def trend_lines(runs: Sequence[RunLine]) -> Iterator[tuple[str, str]]:
    """Return the trend of the last syncs as named lines, the oldest sync on the left."""
    syncs = [run for run in reversed(runs) if run.command == "sync"]
    if len(syncs) < 2:  # one point is no trend
        return
    for name, values, unit in (
        ("seconds", [run.duration_seconds for run in syncs], "s"),
        ("calls", [float(run.requests) for run in syncs], ""),
        ("changes", [float(run.change_count) for run in syncs], ""),
    ):
        newest = f"{values[-1]:,.1f} {unit}" if unit else f"{values[-1]:,.0f}"
        yield name, f"{render_sparkline(values)} {newest} (last {len(syncs)} syncs)"
    failed = sum(run.has_failed for run in syncs)
    if failed:
        yield "failed", f"{failed} of the last {len(syncs)} syncs; `discosync runs` lists them"


def run_row(run: RunLine) -> tuple[str, ...]:
    """Return the row of a past run."""
    changes = ", ".join(f"{n:,} {kind}" for kind, n in run.changes.items() if n)
    return (
        f"{run.exit_code} {run.status}",
        f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        run.command,
        run.seller,
        f"{run.duration_seconds:.1f}",
        f"{run.requests:,}",
        changes or shorten(run.error) or "–",
        run.run_id,
    )


def entry_rows(changes: Iterable[ChangeEntry]) -> Iterator[tuple[str, ...]]:
    """Give the rows of a run's changes, one a field."""
    for change in changes:
        head = (change.kind, str(change.listing_id), render_cell(change.heading))
        yield from change_rows(head, change.fields)


def render_missing_changes(count: int) -> str:
    """Say that the history holds fewer changes of a run than it made."""
    return (
        f"{count:,} of its changes are no longer in the history: `db compact` merged them into "
        "later ones, or their listings were purged"
    )
