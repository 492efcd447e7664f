"""`discosync sync`."""

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import RUN_STATUSES, exit_statuses
from discosync.cli.frame import run_and_tell, run_several
from discosync.cli.options import (
    AllowMassChange,
    AsJson,
    Config,
    DiffForm,
    DryRun,
    LockWait,
    Quiet,
    Report,
    Seller,
    TimeBudget,
    Verbose,
    read_limit,
    refuse_contradictions,
)
from discosync.cli.plain_values import PlainCommand
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.commands.sync import SyncRequest
    from discosync.console import Console


class SourceName(StrEnum):
    """What `--source` understands."""

    AUTO = "auto"
    EXPORT = "export"
    PAGES = "pages"


_EPILOG = exit_statuses(
    RUN_STATUSES
    | {
        ExitStatus.CHANGES,
        ExitStatus.AUTH,
        ExitStatus.LIMIT,
        ExitStatus.BAD_DATA,
        ExitStatus.SOURCE_UNAVAILABLE,
        ExitStatus.MIGRATION,
    }
)


@app.command(cls=PlainCommand, epilog=_EPILOG)
def sync(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    seller: Seller = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read a downloaded export: .csv, .csv.gz or .zip; - is standard input.",
        ),
    ] = None,
    source: Annotated[
        SourceName,
        typer.Option(
            help="auto takes the way with fewer requests; export and pages have no fallback."
        ),
    ] = SourceName.AUTO,
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="Read the shop as any visitor sees it: no token, For Sale only."
        ),
    ] = False,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Try it out: a made-up shop, in a database of its own."),
    ] = False,
    all_sellers: Annotated[
        bool,
        typer.Option(
            "--all-sellers", help="Sync each [sellers.NAME] of discosync.toml, one after another."
        ),
    ] = False,
    dry_run: DryRun = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="With --dry-run: exit with 4 if there are changes.")
    ] = False,
    diff: Annotated[
        DiffForm | None,
        typer.Option(help="Print the changes: json all of them, the others the first 200."),
    ] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="List every change in the report.")
    ] = False,
    max_removals: Annotated[
        str | None,
        typer.Option(
            metavar="N|N%",
            help="This run only: how many listings may be missing (default: MAX_REMOVALS).",
        ),
    ] = None,
    allow_mass_removal: Annotated[
        bool,
        typer.Option(
            "--allow-mass-removal",
            help="This run only: allow any number of listings to be missing.",
        ),
    ] = False,
    allow_mass_change: AllowMassChange = False,
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty",
            help="This run only: accept an empty inventory; all listings become inactive.",
        ),
    ] = False,
    allow_shared_listings: Annotated[
        bool,
        typer.Option(
            "--allow-shared-listings",
            help="This run only: a new seller may have listings that are known as another's.",
        ),
    ] = False,
    lock_wait: LockWait = 0,
    time_budget: TimeBudget = 2700,
    report: Report = None,
    config: Config = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Mirror a seller's inventory into the database.

    The whole inventory is fetched. What changed is written in one transaction, and no listing is
    deleted: one that is gone becomes inactive.
    """
    from discosync.commands.sync import SyncRequest  # noqa: PLC0415 - heavy
    from discosync.commands.syncing.fetching import FetchOptions  # noqa: PLC0415 - heavy
    from discosync.commands.syncing.judging import SyncOptions  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.core.inventory.snapshot import Source  # noqa: PLC0415 - heavy
    from discosync.core.planning.limits import Allowances  # noqa: PLC0415 - heavy
    from discosync.runner import RunRequest  # noqa: PLC0415 - heavy

    refuse_contradictions(
        {
            "--exit-code without --dry-run": exit_code and not dry_run,
            "--json with --diff table or markdown": as_json
            and diff in {DiffForm.TABLE, DiffForm.MARKDOWN},
            "--public with --source export": public and source is SourceName.EXPORT,
            "--public with --from-file": public and from_file is not None,
            "--source with --from-file": from_file is not None and source is not SourceName.AUTO,
            "--sandbox with --from-file or --public": sandbox and (public or from_file is not None),
            "--all-sellers with --seller, --from-file or --sandbox": all_sellers
            and (seller is not None or from_file is not None or sandbox),
            "--from-file with an empty name": from_file is not None
            and not from_file.name
            and str(from_file) != "-",
        }
    )
    options = SyncOptions(
        fetch=FetchOptions(
            from_file=from_file,
            source=None if source is SourceName.AUTO else Source(source.value),
            public=public,
        ),
        allowed=Allowances(
            max_removals=read_limit(max_removals, "--max-removals"),
            mass_removal=allow_mass_removal,
            mass_change=allow_mass_change,
            empty=allow_empty,
        ),
        allow_shared_listings=allow_shared_listings,
        lock_wait_seconds=lock_wait,
        with_changes=changes or diff is not None,
    )
    request = SyncRequest(
        config=config,
        seller=seller,
        is_sandbox=sandbox,
        options=options,
        run=RunRequest(
            command="sync",
            # A refusal prints the command that allows this run once, with the words as typed.
            arguments=tuple(sys.argv[1:]),
            dry_run=dry_run,
            exit_code_for_changes=exit_code,
            time_budget_seconds=time_budget,
            report_path=report,
        ),
    )
    console = Console(verbosity=verbose, quiet=quiet, as_json=as_json)
    run = _sync_all if all_sellers else _sync_one
    raise typer.Exit(run(request, console, diff))


def _sync_one(request: "SyncRequest", console: "Console", diff: DiffForm | None) -> int:
    from discosync.commands.sync import sync_seller  # noqa: PLC0415 - heavy

    return run_and_tell(
        console, request.run, lambda run: sync_seller(run, request), diff=diff and diff.value
    )


def _sync_all(request: "SyncRequest", console: "Console", diff: DiffForm | None) -> int:
    """Sync every configured seller; after a failed one the next has its turn all the same."""
    from discosync.commands.sync import (  # noqa: PLC0415 - heavy
        configured_sellers,
        request_for,
        sync_seller,
    )
    from discosync.core.reporting.report import combine_reports  # noqa: PLC0415 - heavy

    try:
        names = configured_sellers(request.config)
    except DiscosyncError as exc:
        # No run has begun, so no report tells of it.
        if console.as_json:
            console.show_json(combine_reports([], exc))
        console.show_error(exc)
        return int(exc.exit_status)
    # Each seller has a run, a lock and a report of its own; only the status is shared.
    requests = (request_for(request, name) for name in names)
    return run_several(
        console,
        ((own.run, partial(sync_seller, request=own)) for own in requests),
        combine_reports,
        path=request.run.report_path,
        diff=diff and diff.value,
    )
