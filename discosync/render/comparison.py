"""A comparison as text: rows for a table, and Markdown for a pull request comment."""

from collections.abc import Iterator, Sequence

from discosync.core.reporting.change_entry import json_value
from discosync.core.reporting.comparison import Comparison, Difference, Side
from discosync.render.cells import MAX_SHOWN, render_cell
from discosync.render.markdown import escape
from discosync.render.size import render_size

_KINDS = {"only_export": "only in the export", "only_pages": "only on the pages"}


def side_rows(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    """Return the facts of both sides next to each other, one fact a row."""
    for name, render in (
        ("as of (UTC)", _as_of),
        ("For Sale", lambda side: f"{side.for_sale:,}"),
        ("complete", lambda side: "yes" if side.is_complete else "no"),
        ("API calls", lambda side: f"{side.api.requests:,}"),
        ("transferred", lambda side: render_size(side.api.bytes)),
        ("seconds", lambda side: f"{side.seconds:,.1f}"),
        ("sync would", _would),
    ):
        yield name, render(comparison.export), render(comparison.pages)


def _as_of(side: Side) -> str:
    return f"{side.as_of:%Y-%m-%d %H:%M:%S}" if side.as_of else "–"


def _would(side: Side) -> str:
    counts = side.would
    return (
        f"add {counts.added:,}, update {counts.updated:,}, remove {counts.removed:,}, "
        f"reactivate {counts.reactivated:,}"
    )


def difference_rows(differences: Sequence[Difference]) -> Iterator[tuple[str, str, str, str]]:
    """Return the rows of the differences, unexplained ones first; at most `MAX_SHOWN`."""
    # Unexplained differences need a person, so no cut may hide them.
    ordered = sorted(differences, key=lambda d: d.explained_by is not None)
    for difference in ordered[:MAX_SHOWN]:
        yield (
            str(difference.listing_id),
            difference.heading,
            _what(difference),
            difference.explained_by or "nothing explains it",
        )


def _what(difference: Difference) -> str:
    parts = [
        f"{c.field}: export {render_cell(c.before)}, pages {render_cell(c.after)}"
        for c in difference.fields
    ]
    return "; ".join(parts) or _KINDS[difference.kind]


def render_verdict(comparison: Comparison) -> str:
    """Render in one line whether both sides agree."""
    matter = len(comparison.unexplained)
    explained = len(comparison.differences) - matter
    by_time = (
        f", {explained:,} differ because the shop changed between the two" if explained else ""
    )
    verdict = f"{matter:,} differ and nothing explains it" if matter else "they agree"
    return f"{comparison.compared:,} listings compared: {verdict}{by_time}"


def render_comparison_markdown(comparison: Comparison, *, seller: str) -> str:
    """Render a comparison for a pull request comment."""
    lines = [f"### discosync compare: {escape(seller)}", "", render_verdict(comparison), ""]
    lines += ["| | export | pages |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in side_rows(comparison)]
    if comparison.differences:
        lines += ["", "| listing | record | what | why |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {' | '.join(escape(cell) for cell in row)} |"
            for row in difference_rows(comparison.differences)
        ]
    if len(comparison.differences) > MAX_SHOWN:
        lines += ["", f"… and {len(comparison.differences) - MAX_SHOWN:,} more"]
    if comparison.second_as_of is not None:
        lines += ["", f"Second export as of {json_value(comparison.second_as_of)}."]
    return "\n".join(lines) + "\n"
