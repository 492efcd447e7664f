"""`discosync sync`: mirror one seller's inventory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from discosync.commands.steps.committing import make_schema
from discosync.commands.steps.directories import report_dir
from discosync.commands.steps.run_flags import flags_of_run
from discosync.commands.steps.soundness import check_file
from discosync.commands.syncing.applying import apply_plan
from discosync.commands.syncing.attempts import Attempts
from discosync.commands.syncing.fetching import FetchOptions
from discosync.commands.syncing.judging import SyncOptions
from discosync.commands.syncing.mirror import Mirror, open_mirror, seller_of
from discosync.commands.syncing.spooling import open_spool
from discosync.core.flags import Flag, FlagValue
from discosync.core.inventory.snapshot import Source
from discosync.core.reporting.hints import config_option
from discosync.database.connection.engine import open_database
from discosync.errors import NotReady
from discosync.runner import Run, RunRequest
from discosync.settings import Settings, current_environment, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """A whole `sync`: whose inventory, with which settings, and how."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    is_sandbox: bool = False
    options: SyncOptions = field(default_factory=SyncOptions)


def configured_sellers(config: Path | None) -> list[str]:
    """Name the sellers of `discosync.toml`; raise `NotReady` when there is none."""
    names = list(load_settings(config=config, environ=current_environment()).sellers)
    if not names:
        raise NotReady(
            "there is no [sellers.NAME] table in discosync.toml",
            hint="add one for each seller, with its token_env",
            code="no_sellers",
        )
    return names


def request_for(request: SyncRequest, seller: str) -> SyncRequest:
    """Return the request for one of several sellers.

    Its run writes no report of its own: `--report` gets one file with the reports of all.
    """
    return replace(request, seller=seller, run=replace(request.run, report_path=None))


def sync_seller(run: Run, request: SyncRequest) -> None:
    """Mirror a seller's inventory.

    1. Find out who is meant and into which database; lock the seller.
    2. Once a day, see that the database's file is not damaged.
    3. Fetch a complete snapshot to disk.
    4. Compare it with what the database knows, and check the plan against the limits.
    5. Apply the plan in one transaction, unless this is a dry run.
    """
    options = request.options
    with (
        _opened(run, request) as mirror,
        open_spool(run, mirror.database, mirror.seller) as spool,
    ):
        check_file(run, mirror, last_sync_at=mirror.last.synced_at)
        run.findings.flags = flags_of_run(
            run, mirror, mirror.state, asked=_flags_asked(options.fetch)
        )
        planned, is_sandbox = Attempts(run, mirror, options, spool).plan()
        if run.request.dry_run:
            return
        with run.phase("apply"):
            # Not before: a run that fails or is refused leaves no database behind.
            make_schema(run, mirror.database)
            apply_plan(run, mirror, planned, is_sandbox=is_sandbox)


@contextmanager
def _opened(run: Run, request: SyncRequest) -> Iterator[Mirror]:
    """Lock the seller in the database of the settings.

    With `--sandbox`, serve a sandbox meanwhile, and use that one's own database.
    """
    settings = load_settings(config=request.config, environ=current_environment())
    run.findings.config_option = config_option(request.config)
    run.set_up_logging(settings.log_format)
    with ExitStack() as stack:
        if request.is_sandbox:
            settings = _enter_sandbox(run, settings, stack, named=request.seller)
        file = request.options.fetch.from_file
        seller = seller_of(settings, named=request.seller, file=file)
        settings = settings.for_seller(seller)
        database = open_database(
            settings.database_url.reveal(),
            read_only=request.run.dry_run,
            application="discosync sync",
        )
        run.report_dir = report_dir(settings.report_dir, database)
        wait_seconds = request.options.lock_wait_seconds
        yield stack.enter_context(
            open_mirror(run, settings, database, seller, wait_seconds=wait_seconds)
        )


def _enter_sandbox(
    run: Run, settings: Settings, stack: ExitStack, *, named: str | None
) -> Settings:
    from discosync.commands.syncing.rehearsal import (  # noqa: PLC0415 - rehearsals only
        SANDBOX_ADVICE,
        in_sandbox,
        render_database_variable,
    )

    settings = stack.enter_context(in_sandbox(settings, named=named))
    run.findings.advice = SANDBOX_ADVICE
    run.findings.database_variable = render_database_variable(settings.database_url)
    return settings


def _flags_asked(options: FetchOptions) -> dict[Flag, FlagValue]:
    """Return which flags the command line decides for this run."""
    if options.source is None:
        return {}
    value = options.source is Source.EXPORT
    return {Flag.USE_CSV_EXPORT: FlagValue(value=value, why=f"--source {options.source.value}")}
