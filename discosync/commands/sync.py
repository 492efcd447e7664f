"""`discosync sync`: mirror one seller's inventory."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from discosync.commands.steps.committing import make_schema
from discosync.commands.steps.directories import report_dir
from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.run_flags import flags_of_run, roll_back_by_itself
from discosync.commands.syncing.applying import apply_plan
from discosync.commands.syncing.from_file import (
    Fetched,
    Fetcher,
    FetchOptions,
    FileFetcher,
    seller_of,
)
from discosync.commands.syncing.judging import SyncOptions, judge
from discosync.commands.syncing.planning import Planned, plan_snapshot
from discosync.commands.syncing.spooling import open_spool
from discosync.core.flags import Flag, FlagValue
from discosync.core.inventory.snapshot import Source
from discosync.core.reporting.hints import config_option
from discosync.database.connection.engine import Database, open_database
from discosync.database.rows.store import (
    LastApplied,
    load_has_real,
    load_has_sandbox,
    load_last_applied,
    load_run_count,
    resolve_seller,
)
from discosync.database.schema.state import SchemaState, require_usable
from discosync.discogs.inventory.spool import Spool
from discosync.errors import BadData, LimitRefused, NotReady, SourceUnavailable
from discosync.files.parsed import ParsedFile
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
    """Ask the same for one of several sellers; the reports are put together afterwards."""
    return replace(request, seller=seller, run=replace(request.run, report_path=None))


def sync_seller(run: Run, request: SyncRequest) -> None:
    """Find out who is meant and where it goes, then mirror; in the sandbox when asked."""
    settings = load_settings(config=request.config, environ=current_environment())
    run.config_option = config_option(request.config)
    run.set_up_logging(settings.log_format)
    with ExitStack() as stack:
        if request.is_sandbox:
            from discosync.commands.sandbox import (  # noqa: PLC0415 - rehearsals only
                SANDBOX_ADVICE,
                in_sandbox,
                render_database_variable,
            )

            settings = stack.enter_context(in_sandbox(settings, named=request.seller))
            run.advice = SANDBOX_ADVICE
            run.database_variable = render_database_variable(settings.database_url)
        options = request.options
        seller = seller_of(settings, options.fetch, named=request.seller)
        settings = settings.for_seller(seller)
        database = open_database(
            settings.database_url.reveal(),
            read_only=request.run.dry_run,
            application="discosync sync",
        )
        run.database = database.shown
        run.request = replace(request.run, report_dir=report_dir(settings.report_dir, database))
        mirror(run, settings, database, options, seller=seller)


def mirror(
    run: Run, settings: Settings, database: Database, options: SyncOptions, *, seller: str
) -> None:
    """Mirror the seller's inventory.

    1. Lock the seller; see that the database is ready.
    2. Fetch a complete snapshot to disk.
    3. Compare it with what the database knows, and check the plan against the limits.
    4. Apply the plan in one transaction, unless this is a dry run.
    """
    run.seller = seller
    wait_seconds = options.lock_wait_seconds
    with (
        hold_run_locks(run, database, seller, wait_seconds=wait_seconds),
        database.keeping_connection(),
        open_spool(run, database, seller) as spool,
    ):
        state = require_usable(database)
        last = _load_last(run, database, state)
        run.flags = flags_of_run(run, settings, database, state, asked=_asked(options.fetch))
        target = _Target(run, settings, database, options, state, last)
        planned, is_sandbox = target.plan(spool)
        if run.request.dry_run:
            return
        with run.phase("apply"):
            make_schema(run, database)
            apply_plan(run, database, planned, is_sandbox=is_sandbox)


@dataclass(frozen=True, slots=True)
class _Target:
    """One seller in one database, while a run looks at it."""

    run: Run
    settings: Settings
    database: Database
    options: SyncOptions
    state: SchemaState
    last: LastApplied

    def plan(self, spool: Spool) -> tuple[Planned, bool]:
        """Plan by what is fetched the usual way, or by the old way when that is not to be trusted.

        The new way's flag is then rolled back: it has shown something that a limit refuses.
        """
        seller = str(self.run.seller)
        fetcher = self._fetcher()
        problems = len(self.run.problems)
        with closing(fetcher):
            try:
                return self._attempt(fetcher, spool, lambda: fetcher.fetch(seller, spool))
            except (LimitRefused, BadData) as refused:
                if not fetcher.may_go_back:
                    raise
                del self.run.problems[problems:]
                return self._plan_the_old_way(fetcher, spool, refused)

    def _fetcher(self) -> Fetcher:
        options = self.options.fetch
        if options.from_file is not None:
            return FileFetcher(self.run, self.settings, options.from_file, last=self.last)
        from discosync.commands.syncing.from_api import ApiFetcher  # noqa: PLC0415 - a file needs no network

        return ApiFetcher(self.run, self.settings, options, last=self.last)

    def _plan_the_old_way(
        self, fetcher: Fetcher, spool: Spool, refused: LimitRefused | BadData
    ) -> tuple[Planned, bool]:
        seller, reason = str(self.run.seller), refused.message
        roll_back_by_itself(self.run, self.database, Flag.USE_CSV_EXPORT, reason)
        spool.clear()
        try:
            return self._attempt(
                fetcher, spool, lambda: fetcher.fetch_instead(seller, spool, reason=reason)
            )
        except SourceUnavailable as unavailable:
            refused.hint += f"; the pages could not be had either: {unavailable.message}"
            raise refused from unavailable

    def _attempt(
        self, fetcher: Fetcher, spool: Spool, fetch: Callable[[], Fetched]
    ) -> tuple[Planned, bool]:
        run = self.run
        with run.phase("fetch"):
            fetched = fetch()
        run.snapshot = fetched.snapshot
        is_sandbox = _check_sandbox(run, self.database, self.state, is_sandbox=fetched.is_sandbox)
        planned = plan_snapshot(
            run,
            self.database if self.state is SchemaState.CURRENT else None,
            fetched.snapshot,
            ParsedFile(spool.path("parsed")),
            last=self.last,
            count_again=lambda: fetcher.count_again(str(run.seller)),
        )
        judge(run, planned, self.options, last=self.last, setting=self.settings.max_removals)
        return planned, is_sandbox


def _asked(options: FetchOptions) -> dict[Flag, FlagValue]:
    """Say which flags the command line decides for this run."""
    if options.source is None:
        return {}
    value = options.source is Source.EXPORT
    return {Flag.USE_CSV_EXPORT: FlagValue(value=value, why=f"--source {options.source.value}")}


def _load_last(run: Run, database: Database, state: SchemaState) -> LastApplied:
    if state is SchemaState.EMPTY:
        return LastApplied()
    with database.session() as session:
        run.seller = resolve_seller(session, str(run.seller))
        return load_last_applied(session, run.seller)


def _check_sandbox(
    run: Run, database: Database, state: SchemaState, *, is_sandbox: bool | None
) -> bool:
    """Keep made-up sellers and real ones apart; a file is as real as the seller it is for."""
    if state is SchemaState.EMPTY:
        return bool(is_sandbox)
    with database.session() as session:
        holds_sandbox = load_has_sandbox(session)
        holds_real = load_has_real(session)
        is_known = load_run_count(session, str(run.seller)) > 0
    if is_sandbox is None:
        is_sandbox = holds_sandbox and is_known
    if (is_sandbox and holds_real) or (not is_sandbox and holds_sandbox):
        inside, outside = ("real", "sandbox") if is_sandbox else ("sandbox", "real")
        raise NotReady(
            f"{database.shown} holds a {inside} seller, this is a {outside} one: they must not mix",
            hint="name another database in DATABASE_URL",
            code="sandbox_mixed",
        )
    return is_sandbox
