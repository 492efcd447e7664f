"""`discosync status` and `discosync runs`."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import AsJson, Config, Seller, exit_statuses, read_age
from discosync.cli.past import EPILOG
from discosync.errors import ExitStatus, LimitRefused

if TYPE_CHECKING:
    from discosync.commands.status import ShownRun
    from discosync.console import Console

_EPILOG = exit_statuses(
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.NOT_READY,
    ExitStatus.LIMIT,
    ExitStatus.STORAGE,
    ExitStatus.INTERRUPTED,
)


@app.command(epilog=_EPILOG)
def status(
    *,
    seller: Seller = None,
    max_age: Annotated[
        str, typer.Option(metavar="AGE", help="How old the last success may be, else end with 13.")
    ] = "3h",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say how fresh the mirror is, what it holds, and how its last runs went.

    A monitoring check: it ends with 13 when the last success is too old.
    """
    from discosync.commands.status import load_status  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.render.lateness import (  # noqa: PLC0415 - heavy
        render_lateness,
        render_way_to_fresh,
    )
    from discosync.render.status import status_lines  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        stands = load_status(config, seller=seller, max_age=read_age(max_age, "--max-age"))
        if as_json:
            console.show_json(stands.to_json())
        else:
            is_clean = not (stands.is_late or stands.is_too_old_to_show)
            word = "late" if stands.is_late else "ok" if is_clean else "too old to show"
            headline = f"discosync · {stands.seller} · {word}"
            console.show_lines(headline, list(status_lines(stands)), is_clean=is_clean)
    if stands.is_late:
        console.show_error(
            LimitRefused(render_lateness(stands), hint=render_way_to_fresh(stands, config))
        )
        raise typer.Exit(int(ExitStatus.LIMIT))
    if stands.is_too_old_to_show:
        console.note(
            "discosync: warning: Discogs' terms do not allow showing an inventory that is, or may "
            "be, more than six hours old"
        )


@app.command(epilog=EPILOG)
def runs(
    run_id: Annotated[
        str | None,
        typer.Argument(metavar="[RUN_ID]", help="Show its report and its changes."),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, at most.")] = 20,
    command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Only runs of this command.")
    ] = None,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List past runs, newest first; refused and failed ones, too."""
    from discosync.commands.status import load_run, load_runs  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.database.past.overview import RunFilter  # noqa: PLC0415 - heavy
    from discosync.render.status import RUN_COLUMNS, run_row, trend_lines  # noqa: PLC0415

    console = Console(as_json=as_json)
    with telling_errors(console):
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
    from discosync.core.reporting.past_runs import change_count_of  # noqa: PLC0415 - heavy
    from discosync.render.diff import MAX_SHOWN  # noqa: PLC0415 - heavy
    from discosync.render.history import ENTRY_COLUMNS, entry_rows  # noqa: PLC0415 - heavy
    from discosync.render.past_runs import render_missing_changes  # noqa: PLC0415 - heavy

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
