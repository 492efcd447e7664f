"""`discosync compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import run_and_tell, run_once
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
    exit_statuses,
)
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.commands.compare import CompareRequest
    from discosync.console import Console
    from discosync.core.reporting.report import RunReport

_EPILOG = exit_statuses(
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.OK_WITH_WARNINGS,
    ExitStatus.NOT_READY,
    ExitStatus.LOCKED,
    ExitStatus.AUTH,
    ExitStatus.BAD_DATA,
    ExitStatus.SOURCE_UNAVAILABLE,
    ExitStatus.STORAGE,
    ExitStatus.TIME_BUDGET,
    ExitStatus.MISMATCH,
    ExitStatus.INTERRUPTED,
    ExitStatus.TERMINATED,
)


@app.command(epilog=_EPILOG)
def compare(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    seller: Seller = None,
    runs: Annotated[
        int, typer.Option(min=1, max=1000, help="Compare this often, one after the other.")
    ] = 1,
    diff: Annotated[DiffForm, typer.Option(help="Print the comparison in this form.")] = (
        DiffForm.TABLE
    ),
    lock_wait: LockWait = 0,
    time_budget: TimeBudget = 2700,
    report: Report = None,
    config: Config = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Fetch the inventory by export and by pages, and compare the two.

    Nothing of the inventory is written; each comparison is recorded as evidence for `flags set`.
    """
    from discosync.commands.compare import CompareRequest, compare_seller  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    if as_json and diff is DiffForm.MARKDOWN:
        raise typer.BadParameter("--json with --diff markdown makes no sense")
    request = CompareRequest(
        config=config,
        seller=seller,
        lock_wait_seconds=lock_wait,
        run=RunRequest(
            command="compare",
            time_budget_seconds=time_budget,
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
    """Compare several times; one that fails keeps no other from its turn."""
    from discosync.commands.compare import compare_seller  # noqa: PLC0415 - heavy
    from discosync.core.reporting.report import combine_reports  # noqa: PLC0415 - heavy

    reports: list[RunReport] = []
    for _ in range(runs):
        report, is_stop_wanted = run_once(
            console, request.run, lambda run: compare_seller(run, request)
        )
        reports.append(report)
        if not console.as_json:
            console.tell(report, diff=diff.value)
        if is_stop_wanted:
            break
    combined = combine_reports(reports, command="compare", key="runs")
    return int(console.tell_combined(combined, path=path))
