"""`discosync restore` and `discosync purge-inactive`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import run_and_tell
from discosync.cli.options import (
    AsJson,
    Config,
    LockWait,
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    exit_statuses,
    read_age,
    read_limit,
)
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.runner import Run

_STATUSES = (
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.OK_WITH_WARNINGS,
    ExitStatus.NOT_READY,
    ExitStatus.LOCKED,
    ExitStatus.LIMIT,
    ExitStatus.BAD_DATA,
    ExitStatus.STORAGE,
    ExitStatus.TIME_BUDGET,
    ExitStatus.INTERRUPTED,
    ExitStatus.TERMINATED,
)
_PURGE_STATUSES = sorted({*_STATUSES, ExitStatus.MIGRATION} - {ExitStatus.BAD_DATA})


@app.command("purge-inactive", epilog=exit_statuses(*_PURGE_STATUSES))
def purge_inactive(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Gone for that long, such as 180d (RETENTION_DAYS)."),
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the archive goes (ARCHIVE_DIR).")
    ] = None,
    max_purge: Annotated[
        str | None, typer.Option(metavar="N|N%", help="How many listings may go, this run.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this the plan is only shown.")
    ] = False,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Make none first; you have your own way back.")
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
    """Archive, then delete, listings that have been inactive for long.

    The only hard delete. The archive holds the rows and their whole history, and
    `restore --from-archive` brings them back.
    """
    from discosync.commands.purge_inactive import PurgeRequest, purge  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    request = PurgeRequest(
        config=config,
        seller=seller,
        older_than=None if older_than is None else read_age(older_than, "--older-than"),
        archive=archive,
        max_purge=read_limit(max_purge, "--max-purge"),
        without_backup=no_backup,
        lock_wait_seconds=lock_wait,
        run=RunRequest(
            command="purge-inactive",
            arguments=tuple(sys.argv[1:]),
            dry_run=not apply,
            time_budget_seconds=time_budget,
            report_path=report,
        ),
    )
    console = Console(verbosity=verbose, quiet=quiet, as_json=as_json)
    raise typer.Exit(run_and_tell(console, request.run, lambda run: purge(run, request)))


@app.command(epilog=exit_statuses(*_STATUSES))
def restore(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    listing_ids: Annotated[
        list[int] | None, typer.Argument(metavar="[LISTING_ID]...", min=1, show_default=False)
    ] = None,
    *,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="Undo everything that it did.")
    ] = None,
    from_archive: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bring back what a purge put there.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    max_removals: Annotated[
        str | None,
        typer.Option(metavar="N|N%", help="How many listings may stop being for sale, this run."),
    ] = None,
    allow_mass_removal: Annotated[
        bool, typer.Option("--allow-mass-removal", help="Once: any number may stop.")
    ] = False,
    allow_mass_change: Annotated[
        bool,
        typer.Option("--allow-mass-change", help="Once: a field, or the currency, may change."),
    ] = False,
    allow_mass_restore: Annotated[
        bool,
        typer.Option("--allow-mass-restore", help="Once: any number may be for sale again."),
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
    """Take back that listings were deactivated, or everything that one run did.

    What has changed again since is left as it is, and named.
    """
    from discosync.commands.restore import RestoreRequest  # noqa: PLC0415 - heavy
    from discosync.commands.restore import restore as take_back  # noqa: PLC0415 - heavy
    from discosync.commands.restore_archive import restore_from_archive  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.core.planning.limits import Allowances  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    if sum((bool(listing_ids), run_id is not None, from_archive is not None)) != 1:
        raise typer.BadParameter("name listings, or a run with --run, or an archive: one of them")
    request = RestoreRequest(
        config=config,
        seller=seller,
        listing_ids=tuple(listing_ids or ()),
        run_id=run_id,
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

    def story(run: "Run") -> None:
        if from_archive is not None:
            restore_from_archive(run, request, from_archive)
        else:
            take_back(run, request)

    raise typer.Exit(run_and_tell(console, request.run, story))
