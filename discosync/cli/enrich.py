"""`discosync enrich`."""

import sys
from pathlib import Path
from typing import Annotated

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
)
from discosync.errors import ExitStatus

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
    ExitStatus.INTERRUPTED,
    ExitStatus.TERMINATED,
)


@app.command(epilog=_EPILOG)
def enrich(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="That many listings, the newest (ENRICHMENT_BATCH_SIZE)."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every listing that is not linked yet.")
    ] = False,
    from_dump: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A monthly releases dump (- is stdin): no API call."),
    ] = None,
    names_only: Annotated[
        bool, typer.Option("--names-only", help="Link by the listings' own names: no API call.")
    ] = False,
    max_requests: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Send no more requests than that."),
    ] = None,
    refresh: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Look up again what was looked up longer ago (180d)."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many calls and how long; write nothing.")
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
    """Link listings to their artists and labels, by Discogs' ids.

    One request a release, the newest listings first; each batch is committed, and the next run
    goes on where this one stopped.
    """
    from discosync.commands.enrich import EnrichRequest  # noqa: PLC0415 - heavy
    from discosync.commands.enrich import enrich as link  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    if limit is not None and everything:
        raise typer.BadParameter("--limit with --all makes no sense")
    if from_dump is not None and names_only:
        raise typer.BadParameter("--from-dump with --names-only makes no sense")
    if max_requests is not None and (from_dump is not None or names_only):
        raise typer.BadParameter("--max-requests with --from-dump or --names-only makes no sense")
    request = EnrichRequest(
        config=config,
        seller=seller,
        limit=limit,
        is_all=everything,
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
