"""`discosync enrich`."""

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
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    read_age,
    refuse_contradictions,
)
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus

_EPILOG = exit_statuses(
    RUN_STATUSES | {ExitStatus.AUTH, ExitStatus.BAD_DATA, ExitStatus.SOURCE_UNAVAILABLE}
)


@app.command(cls=PlainCommand, epilog=_EPILOG)
def enrich(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Link at most N listings, newest first (default: ENRICHMENT_BATCH_SIZE).",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Link every listing that is not linked yet.")
    ] = False,
    from_dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read Discogs' monthly dump of releases; - is standard input. Sends no request.",
        ),
    ] = None,
    names_only: Annotated[
        bool,
        typer.Option(
            "--names-only", help="Link by the names in the listings themselves. Sends no request."
        ),
    ] = False,
    max_requests: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Send at most N requests to Discogs."),
    ] = None,
    refresh: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Look up again what was looked up longer ago than this (default: 180d).",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show how many requests it takes and how long; write nothing."
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
    """Link listings to their artists and labels.

    It sends one request per release, for the newest listings first. Each batch is committed, so the
    next run goes on where this one stopped.
    """
    from discosync.commands.enrich import enrich as link  # noqa: PLC0415 - heavy
    from discosync.commands.enriching.request import EnrichRequest  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    refuse_contradictions(
        {
            "--limit with --all": limit is not None and everything,
            "--from-dump with --names-only": from_dump is not None and names_only,
            "--max-requests with --from-dump or --names-only": max_requests is not None
            and (from_dump is not None or names_only),
        }
    )
    request = EnrichRequest(
        config=config,
        seller=seller,
        limit=limit,
        is_all=everything,
        # A dump is opened by its name, and standard input has one.
        dump=Path("/dev/stdin") if from_dump == Path("-") else from_dump,
        names_only=names_only,
        max_requests=max_requests,
        refresh=None if refresh is None else read_age(refresh, "--refresh"),
        lock_wait_seconds=lock_wait,
        run=RunRequest(
            command="enrich",
            arguments=tuple(sys.argv[1:]),
            dry_run=dry_run,
            time_budget_seconds=time_budget,
            report_path=report,
        ),
    )
    console = Console(verbosity=verbose, quiet=quiet, as_json=as_json)
    raise typer.Exit(run_and_tell(console, request.run, lambda run: link(run, request)))
