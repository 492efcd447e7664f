"""Lines and tables: in colour on a terminal, as plain text elsewhere.

Rich is imported only on a terminal: a run by cron must not pay for it.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from discosync.render.harmless import harmless, harmless_cell

KIND_COLOURS = {
    "added": "green",
    "updated": "yellow",
    "removed": "red",
    "reactivated": "cyan",
    "corrected": "magenta",
}
"""Colours of the kinds of change in a table's first column."""


def is_colourful(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that may show colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text for people, without control characters; on stdout by default."""
    print(harmless(text), file=stream or sys.stdout)


def print_lines(headline: str, lines: Sequence[tuple[str, str]], *, is_clean: bool) -> None:
    """Print named lines under a headline."""
    if not is_colourful(sys.stdout):
        say(headline)
        for name, text in lines:
            say(f"  {name:<10} {text}")
        return
    from rich.console import Console as RichConsole  # noqa: PLC0415 - terminals only
    from rich.text import Text  # noqa: PLC0415 - terminals only

    console = RichConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(Text(harmless(headline), style="bold green" if is_clean else "bold yellow"))
    for name, text in lines:
        console.print(Text.assemble((f"  {name:<10} ", "dim"), harmless(text)))


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Print rows as a table; off a terminal as lines with tabs between the cells.

    `colours` maps words of the first column to a colour.
    """
    safe_rows = ([harmless_cell(cell) for cell in row] for row in rows)
    # Without a terminal rows are for `cut` and `awk`, which want no head.
    if not is_colourful(sys.stdout):
        for row in safe_rows:
            print("\t".join(row))
        return
    from rich.cells import cell_len  # noqa: PLC0415 - terminals only
    from rich.console import Console as RichConsole  # noqa: PLC0415 - terminals only
    from rich.table import Table  # noqa: PLC0415 - terminals only
    from rich.text import Text  # noqa: PLC0415 - terminals only

    table = Table(box=None, header_style="bold")
    width = 2
    shown = list(safe_rows)
    for column, *cells in zip(columns, *shown, strict=True):
        # An id or a path must not be cut or broken: people copy it.
        is_word = all(" " not in cell for cell in cells)
        table.add_column(column, overflow="fold", no_wrap=is_word)
        width += 2 + max(
            cell_len(word) for cell in (column, *cells) for word in cell.split() or [""]
        )
    for first, *rest in shown:
        table.add_row(Text(first, style=(colours or {}).get(first, "")), *map(Text, rest))
    console = RichConsole(highlight=False, markup=False, emoji=False)
    console.width = max(console.width, width)
    console.print(table)
