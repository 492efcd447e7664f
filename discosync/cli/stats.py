"""`discosync stats`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import AsJson, Config, Seller
from discosync.cli.past import EPILOG

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.past.stats import Stats


@app.command(epilog=EPILOG)
def stats(
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From when on: an age or a moment.")
    ] = "365d",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with charts here.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print one figure a line, for a spreadsheet.")
    ] = False,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what sold and what went, how fast, for how much, and what the inventory is worth."""
    from discosync.commands.stats import load_stats, save_page  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.render.stats import render_stats_csv, stats_json  # noqa: PLC0415 - heavy

    if as_json and as_csv:
        raise typer.BadParameter("--json with --csv makes no sense")
    console = Console(as_json=as_json)
    with telling_errors(console):
        figures = load_stats(config, seller=seller, since=since)
        if html is not None:
            save_page(figures, html)
            console.note(f"written to {html}")
        if as_json:
            console.show_json(stats_json(figures))
        elif as_csv:
            console.show_pieces([render_stats_csv(figures)])
        elif html is None:
            _show(console, figures)


def _show(console: "Console", figures: "Stats") -> None:
    from discosync.render.stats import stats_tables, summary_lines  # noqa: PLC0415 - heavy

    span = f"{figures.since:%Y-%m-%d} to {figures.until:%Y-%m-%d}"
    headline = f"discosync stats · {figures.seller} · {span}"
    console.show_lines(headline, list(summary_lines(figures)), is_clean=True)
    for table in stats_tables(figures):
        if table.rows:
            console.show_text(f"\n{table.title}")
            console.show_table(table.columns, table.rows)
        if table.left_out:
            console.show_text(table.left_out)
