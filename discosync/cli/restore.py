"""`discosync restore`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import RUN_STATUSES, exit_statuses
from discosync.cli.frame import run_and_tell
from discosync.cli.options import (
    AllowMassChange,
    AsJson,
    Config,
    DryRun,
    LockWait,
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    read_limit,
)
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus


@app.command(
    cls=PlainCommand,
    epilog=exit_statuses(RUN_STATUSES | {ExitStatus.LIMIT, ExitStatus.BAD_DATA}),
)
def restore(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    listing_ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="LISTING_ID",
            min=1,
            show_default=False,
            help="Make these listings active again, as they were.",
        ),
    ] = None,
    *,
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN_ID", help="Undo everything that this run changed."),
    ] = None,
    from_archive: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Bring back the listings in this archive of a purge."),
    ] = None,
    dry_run: DryRun = False,
    max_removals: Annotated[
        str | None,
        typer.Option(metavar="N|N%", help="This run only: how many listings may go off sale."),
    ] = None,
    allow_mass_removal: Annotated[
        bool,
        typer.Option(
            "--allow-mass-removal",
            help="This run only: allow any number of listings to go off sale.",
        ),
    ] = False,
    allow_mass_change: AllowMassChange = False,
    allow_mass_restore: Annotated[
        bool,
        typer.Option(
            "--allow-mass-restore",
            help="This run only: allow any number of listings to be for sale again.",
        ),
    ] = False,
    seller: Seller = None,
    lock_wait: LockWait = 0,
    time_budget: TimeBudget = 2700,
    report: Report = None,
    config: Config = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Undo deactivations, or everything that one run changed.

    A listing that has changed again since then is left as it is, and named.
    """
    from discosync.commands.restore import restore as take_back  # noqa: PLC0415 - heavy
    from discosync.commands.restoring.request import RestoreRequest  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.core.planning.limits import Allowances  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    if sum((bool(listing_ids), run_id is not None, from_archive is not None)) != 1:
        raise typer.BadParameter(
            "name one thing: listings, or a run with --run, or an archive with --from-archive"
        )
    request = RestoreRequest(
        config=config,
        seller=seller,
        listing_ids=tuple(listing_ids or ()),
        run_id=run_id,
        archive=from_archive,
        allowed=Allowances(
            max_removals=read_limit(max_removals, "--max-removals"),
            mass_removal=allow_mass_removal,
            mass_change=allow_mass_change,
        ),
        allow_mass_restore=allow_mass_restore,
        lock_wait_seconds=lock_wait,
        run=RunRequest(
            command="restore",
            arguments=tuple(sys.argv[1:]),
            dry_run=dry_run,
            time_budget_seconds=time_budget,
            report_path=report,
        ),
    )
    console = Console(verbosity=verbose, quiet=quiet, as_json=as_json)
    raise typer.Exit(run_and_tell(console, request.run, lambda run: take_back(run, request)))
