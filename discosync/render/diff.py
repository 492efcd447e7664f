"""The changes of a run: rows for a table, and Markdown for a pull request comment."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from discosync.core.inventory.money import render_amount
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.report import RunReport
from discosync.errors import ExitStatus
from discosync.render.cells import MAX_SHOWN, render_cell, shorten
from discosync.render.markdown import escape

# What the kind of a change says already is not said again among its fields.
_FIELDS_OF_EVERY_REMOVAL = {"is_active", "removed_at", "sold_at"}
_SHOWN_WITH_STATE = {"updated", "corrected"}
_STATE_FIELDS = {"status", "removal_reason"}


class DiffRow(NamedTuple):
    """One change as the cells of a row."""

    kind: str
    listing_id: str
    heading: str
    what: str


def diff_rows(changes: Sequence[ChangeEntry]) -> Iterator[DiffRow]:
    """Return the rows of a diff, at most `MAX_SHOWN`."""
    for change in changes[:MAX_SHOWN]:
        yield DiffRow(
            kind=change.kind,
            listing_id=str(change.listing_id),
            heading=shorten(change.heading),
            what=_what(change),
        )


def _what(change: ChangeEntry) -> str:
    """Say in a few words what changed in a listing."""
    by_field = {c.field: c for c in change.fields}
    # An added listing has a value in every field: show what a dealer knows it by.
    if change.kind == "added":
        price = render_amount(by_field["price_value"].after, by_field["price_currency"].after)
        status, condition = (render_cell(by_field[n].after) for n in ("status", "condition"))
        return f"{status} · {price} · {condition}"
    parts = [
        f"{c.field} {render_cell(c.before)} → {render_cell(c.after)}"
        for c in change.fields
        if (change.kind == "corrected" or c.field not in _FIELDS_OF_EVERY_REMOVAL)
        and (change.kind in _SHOWN_WITH_STATE or c.field not in _STATE_FIELDS)
    ]
    # A row that another program changed may have no reason.
    if change.kind == "removed" and "removal_reason" in by_field:
        return "; ".join([render_cell(by_field["removal_reason"].after), *parts])
    if change.kind == "reactivated" and "removal_reason" in by_field:
        return "; ".join([f"was {render_cell(by_field['removal_reason'].before)}", *parts])
    return "; ".join(parts)


def left_out(changes: Sequence[ChangeEntry]) -> str:
    """Say how many changes a diff leaves out; empty when it shows all."""
    rest = len(changes) - MAX_SHOWN
    return f"… and {rest:,} more; `--diff json` shows all" if rest > 0 else ""


def render_counts(report: RunReport) -> str:
    """Render how many listings a run changed, by kind."""
    counts = report.findings.listings
    corrected = f"; {counts.corrected:,} corrected" if counts.corrected else ""
    return (
        f"{counts.added:,} added, {counts.updated:,} updated, {counts.removed:,} removed, "
        f"{counts.reactivated:,} reactivated, {counts.unchanged:,} unchanged{corrected}"
    )


def render_markdown(report: RunReport) -> str:
    """Render a run for a pull request comment: its counts, its error, its changes."""
    changes = report.findings.changes or ()
    lines = [f"### discosync: {escape(report.findings.seller or 'no seller')}"]
    if report.has_plan:
        lines += ["", f"{render_counts(report)} · source `{report.findings.source}`"]
    if report.error is not None:
        lines += ["", f"**{_how_it_failed(report)}:** {escape(report.error.message)}"]
    if changes:
        lines += ["", "| change | listing | record | what |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {row.kind} | {row.listing_id} | {escape(row.heading)} | {escape(row.what)} |"
            for row in diff_rows(changes)
        ]
    if rest := left_out(changes):
        lines += ["", rest]
    return "\n".join(lines) + "\n"


def _how_it_failed(report: RunReport) -> str:
    if report.exit_status is ExitStatus.LIMIT:
        return "Refused"
    return "Failed, nothing was written" if report.has_plan else "Failed, nothing was compared"
