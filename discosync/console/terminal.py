"""The terminal: whether it wants colour, and tables that are lines of text where there is none.

Rich is imported only where a terminal is looked at.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from discosync.render.harmless import harmless, harmless_cell

KIND_COLOURS = {"added": "green", "updated": "yellow", "removed": "red", "reactivated": "cyan"}
"""Of the words for what becomes of a listing."""


def is_colourful(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user has not asked for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text for people, on stdout unless told; nothing in it steers their terminal."""
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
    """Print rows as a table; off a terminal as lines separated by tabs.

    `colours` are for words of the first column.
    """
    safe_rows = ([harmless_cell(cell) for cell in row] for row in rows)
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
        # Nothing that one may have to type is cut, or broken where it could not be copied.
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
