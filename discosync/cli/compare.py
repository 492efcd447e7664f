"""`discosync compare`."""

from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import RUN_STATUSES, exit_statuses
from discosync.cli.frame import run_and_tell, run_several
from discosync.cli.options import (
    AsJson,
    Config,
    DiffForm,
    LockWait,
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    refuse_contradictions,
)
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.commands.compare import CompareRequest
    from discosync.console import Console

_EPILOG = exit_statuses(
    RUN_STATUSES
    | {
        ExitStatus.AUTH,
        ExitStatus.BAD_DATA,
        ExitStatus.SOURCE_UNAVAILABLE,
        ExitStatus.MISMATCH,
    }
)


@app.command(cls=PlainCommand, epilog=_EPILOG)
def compare(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    seller: Seller = None,
    runs: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=1000, help="How many comparisons, one after another."),
    ] = 1,
    diff: Annotated[DiffForm, typer.Option(help="How to print the comparison.")] = (DiffForm.TABLE),
    lock_wait: LockWait = 0,
    time_budget: TimeBudget = 2700,
    report: Report = None,
    config: Config = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Fetch the inventory in both ways and compare them.

    One way is the export, the other the pages. No listing is written. Each comparison is recorded:
    `flags set` shows the last ones before it switches a flag on.
    """
    from discosync.commands.compare import CompareRequest, compare_seller  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    refuse_contradictions({"--json with --diff markdown": as_json and diff is DiffForm.MARKDOWN})
    request = CompareRequest(
        config=config,
        seller=seller,
        lock_wait_seconds=lock_wait,
        run=RunRequest(
            command="compare",
            time_budget_seconds=time_budget,
            # Several comparisons have one report together, written after the last.
            report_path=report if runs == 1 else None,
        ),
    )
    wants_json = as_json or diff is DiffForm.JSON
    console = Console(verbosity=verbose, quiet=quiet, as_json=wants_json)
    if runs == 1:
        status = run_and_tell(
            console, request.run, lambda run: compare_seller(run, request), diff=diff.value
        )
        raise typer.Exit(status)
    raise typer.Exit(_compare_often(request, console, diff, runs=runs, path=report))


def _compare_often(
    request: "CompareRequest",
    console: "Console",
    diff: DiffForm,
    *,
    runs: int,
    path: Path | None,
) -> int:
    """Compare several times; after a failed comparison the next one is made all the same."""
    from discosync.commands.compare import compare_seller  # noqa: PLC0415 - heavy
    from discosync.core.reporting.report import combine_reports  # noqa: PLC0415 - heavy

    return run_several(
        console,
        repeat((request.run, lambda run: compare_seller(run, request)), runs),
        partial(combine_reports, command="compare", key="runs"),
        path=path,
        diff=diff.value,
    )
