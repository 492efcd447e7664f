"""`discosync stats`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.options import AsJson, Config, Seller, refuse_contradictions
from discosync.cli.plain_values import PlainCommand

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.past.stats import Stats


@app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def stats(
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Count from here on: an age or a moment.")
    ] = "365d",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with charts to this file.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, one figure a line, for a spreadsheet.")
    ] = False,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what sold, how fast and for how much.

    Also what was removed without a sale, and what the inventory is worth.
    """
    from discosync.commands.stats import load_stats, save_page  # noqa: PLC0415 - heavy
    from discosync.render.stats_csv import render_stats_csv  # noqa: PLC0415 - heavy
    from discosync.render.stats_json import stats_json  # noqa: PLC0415 - heavy

    refuse_contradictions({"--json with --csv": as_json and as_csv})
    with answering(as_json=as_json) as console:
        figures = load_stats(config, seller=seller, since=since)
        # A page may come with JSON or CSV; by itself it replaces the tables.
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
    from discosync.render.stats_tables import stats_tables, summary_lines  # noqa: PLC0415 - heavy

    span = f"{figures.since:%Y-%m-%d} to {figures.until:%Y-%m-%d}"
    headline = f"discosync stats · {figures.seller} · {span}"
    console.show_lines(headline, list(summary_lines(figures)), is_clean=True)
    for table in stats_tables(figures):
        if table.rows:
            console.show_text(f"\n{table.title}")
            console.show_table(table.columns, table.rows)
        if table.left_out:
            console.show_text(table.left_out)
