"""`discosync purge-inactive`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import RUN_STATUSES, exit_statuses
from discosync.cli.frame import run_and_tell
from discosync.cli.options import (
    AsJson,
    Config,
    LockWait,
    NoBackup,
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    read_age,
    read_limit,
)
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus


@app.command(
    "purge-inactive",
    cls=PlainCommand,
    epilog=exit_statuses(RUN_STATUSES | {ExitStatus.LIMIT, ExitStatus.MIGRATION}),
)
def purge_inactive(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Purge listings inactive for longer than this (default: RETENTION_DAYS).",
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory of the archive (default: ARCHIVE_DIR)."),
    ] = None,
    max_purge: Annotated[
        str | None,
        typer.Option(metavar="N|N%", help="This run only: how many listings may be deleted."),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Archive and delete; without it the plan is only shown.")
    ] = False,
    no_backup: NoBackup = False,
    seller: Seller = None,
    lock_wait: LockWait = 0,
    time_budget: TimeBudget = 2700,
    report: Report = None,
    config: Config = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Archive, then delete, listings inactive for long.

    No other command deletes listings. The archive holds the rows and their whole history, and
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
