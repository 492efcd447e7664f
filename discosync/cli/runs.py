"""`discosync runs`."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.options import AnySeller, AsJson, Config
from discosync.cli.plain_values import PlainCommand

if TYPE_CHECKING:
    from discosync.commands.runs import ShownRun
    from discosync.console import Console


@app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def runs(
    run_id: Annotated[
        str | None,
        typer.Argument(metavar="RUN_ID", help="Show this run's report and its changes."),
    ] = None,
    *,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Show at most N runs.")
    ] = 20,
    command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Show only runs of this command.")
    ] = None,
    seller: AnySeller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List past runs, newest first.

    Refused and failed runs are listed too.
    """
    from discosync.commands.runs import load_run, load_runs  # noqa: PLC0415 - heavy
    from discosync.database.runs.past_runs import RunFilter  # noqa: PLC0415 - heavy
    from discosync.render.past_runs import RUN_COLUMNS, run_row, trend_lines  # noqa: PLC0415

    with answering(as_json=as_json) as console:
        if run_id is not None:
            with load_run(config, run_id) as run:
                (_print_run if as_json else _show_run)(console, run)
            return
        past = load_runs(config, RunFilter(seller=seller, command=command, limit=limit))
        if as_json:
            console.show_json({"runs": [run.to_json() for run in past]})
            return
        rows = [run_row(run) for run in past]
        console.show_table(
            RUN_COLUMNS, rows, colours={"0 ok": "green", "3 ok_with_warnings": "yellow"}
        )
        # On stderr, so that a program which reads the table gets rows only.
        for name, line in trend_lines(past):
            console.note(f"{name:<10} {line}")
        if not past:
            console.note(f"there is no run{f' of {command}' if command else ''} yet")


def _print_run(console: "Console", run: "ShownRun") -> None:
    """Print the report as it is, with every change."""
    if run.changes is None:
        console.show_json(run.report)
    else:
        entries = (change.to_json() for change in run.changes)
        console.show_json_list(run.report, "changes", entries)


def _show_run(console: "Console", run: "ShownRun") -> None:
    from discosync.console.terminal import KIND_COLOURS  # noqa: PLC0415 - heavy
    from discosync.core.reporting.run_line import change_count_of  # noqa: PLC0415 - heavy
    from discosync.render.cells import MAX_SHOWN  # noqa: PLC0415 - heavy
    from discosync.render.past_runs import (  # noqa: PLC0415 - heavy
        ENTRY_COLUMNS,
        entry_rows,
        render_missing_changes,
    )

    console.show_readable_json(run.report)
    if run.changes is None:
        return
    shown = list(islice(run.changes, MAX_SHOWN))
    rest = sum(1 for _ in run.changes)
    if shown:
        console.show_table(ENTRY_COLUMNS, list(entry_rows(shown)), colours=KIND_COLOURS)
    if rest:
        console.note(f"… and {rest:,} more; --json shows all")
    if (lost := change_count_of(run.report) - len(shown) - rest) > 0:
        console.note(render_missing_changes(lost))
