"""`discosync sync`: mirror one seller's inventory."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from discosync.commands.applying import apply_plan, make_schema
from discosync.commands.fetch import Fetcher, FetchOptions, seller_of
from discosync.commands.planning import Planned, plan_snapshot
from discosync.commands.sandbox import SANDBOX_ADVICE, in_sandbox
from discosync.commands.spooling import open_spool
from discosync.core.change_entry import ChangeEntry, describe_changes, describe_known
from discosync.core.changes import ChangeSet
from discosync.core.limits import (
    OLDER_SNAPSHOT,
    Allowances,
    Violation,
    check_age,
    check_limits,
)
from discosync.core.listing import Listing
from discosync.core.report import Problem, count_listings
from discosync.core.snapshot import Snapshot, Source
from discosync.database.engine import Database, open_database
from discosync.database.lock import Holder, hold_lock
from discosync.database.schema import SchemaState, require_usable
from discosync.database.store import (
    LastApplied,
    load_has_sellers,
    load_last_applied,
    load_run_count,
    resolve_seller,
)
from discosync.errors import LimitRefused, NotReady
from discosync.runner import Run, RunRequest
from discosync.settings import Settings, current_environment, load_settings
from discosync.snapshot_file import open_snapshot

_MAX_SHOWN_AGE = timedelta(hours=6)
_MAX_HIGHLIGHTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What `sync` was asked for."""

    fetch: FetchOptions = field(default_factory=FetchOptions)
    allowed: Allowances = field(default_factory=Allowances)
    lock_wait_seconds: float = 0.0
    with_changes: bool = False


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
    run.set_up_logging(settings.log_format)
    with ExitStack() as stack:
        if request.is_sandbox:
            settings = stack.enter_context(in_sandbox(settings, named=request.seller))
            run.advice = SANDBOX_ADVICE
        options = request.options
        seller = seller_of(settings, options.fetch, named=request.seller)
        settings = settings.for_seller(seller)
        database = open_database(
            settings.database_url.reveal(),
            read_only=request.run.dry_run,
            application="discosync sync",
        )
        run.database = database.shown
        run.request = replace(request.run, report_dir=_report_dir(settings, database))
        mirror(run, settings, database, options, seller=seller)


def _report_dir(settings: Settings, database: Database) -> Path | None:
    """Keep every run's report beside a SQLite file, or where REPORT_DIR says."""
    if settings.report_dir is not None:
        return settings.report_dir
    return database.path.parent / "reports" if database.path else None


def mirror(
    run: Run, settings: Settings, database: Database, options: SyncOptions, *, seller: str
) -> None:
    """Mirror the seller's inventory.

    1. Lock the seller; see that the database is ready.
    2. Fetch a complete snapshot to disk.
    3. Compare it with what the database knows, and check the plan against the limits.
    4. Apply the plan in one transaction, unless this is a dry run.
    """
    run.seller, run.flags = seller, settings.flags
    with _lock(run, database, options, seller), open_spool(run, database, seller) as spool:
        state = require_usable(database)
        last = _load_last(run, database, state)
        fetcher = Fetcher(run, settings, options.fetch, last=last)
        with closing(fetcher), run.phase("fetch"):
            fetched = fetcher.fetch(run.seller, spool)
        run.snapshot = fetched.snapshot
        is_sandbox = _check_sandbox(run, database, state, is_sandbox=fetched.is_sandbox)
        planned = plan_snapshot(
            run,
            database if state is SchemaState.CURRENT else None,
            fetched.snapshot,
            last=last,
            trust_hash=settings.use_content_hash,
            count_again=lambda: fetcher.count_again(str(run.seller)),
        )
        _tell(run, planned, options)
        _refuse(run, options, _violations(run, planned, last, _allowances(options, settings)))
        if run.request.dry_run:
            return
        with run.phase("apply"):
            if state is SchemaState.EMPTY:
                make_schema(run, database)
            apply_plan(run, database, planned, is_sandbox=is_sandbox)


@contextmanager
def _lock(run: Run, database: Database, options: SyncOptions, seller: str) -> Iterator[None]:
    holder = Holder(
        command=f"discosync {run.request.command}", run_id=run.run_id, started_at=run.started_at
    )
    with hold_lock(database, seller, holder, wait_seconds=options.lock_wait_seconds):
        yield


def _load_last(run: Run, database: Database, state: SchemaState) -> LastApplied:
    if state is SchemaState.EMPTY:
        return LastApplied()
    with database.reading() as connection:
        run.seller = resolve_seller(connection, str(run.seller))
        return load_last_applied(connection, run.seller)


def _check_sandbox(
    run: Run, database: Database, state: SchemaState, *, is_sandbox: bool | None
) -> bool:
    """Keep made-up sellers and real ones apart; a file is as real as the seller it is for."""
    if state is SchemaState.EMPTY:
        return bool(is_sandbox)
    with database.reading() as connection:
        holds_sandbox = load_has_sellers(connection, is_sandbox=True)
        holds_real = load_has_sellers(connection, is_sandbox=False)
        is_known = load_run_count(connection, str(run.seller)) > 0
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


def _note_age(run: Run, snapshot: Snapshot) -> None:
    """Discogs' terms: what is shown must not be more than six hours behind."""
    if snapshot.as_of is None or run.started_at - snapshot.as_of <= _MAX_SHOWN_AGE:
        return
    hours = (run.started_at - snapshot.as_of).total_seconds() / 3600
    text = f"the inventory is {hours:,.0f} hours old; Discogs' terms allow showing it for six"
    # A file may be old for a reason; an export that is, was adopted instead of a fresh one.
    is_warning = snapshot.source is Source.EXPORT
    run.problems.append(Problem(code="stale_snapshot", text=text, is_warning=is_warning))


def _allowances(options: SyncOptions, settings: Settings) -> Allowances:
    """Let the command line's removal limit go before the setting's."""
    if options.allowed.max_removals is not None:
        return options.allowed
    return replace(options.allowed, max_removals=settings.max_removals)


def _tell(run: Run, planned: Planned, options: SyncOptions) -> None:
    """Put the plan into the report: counts always, every change where somebody reads it."""
    _note_age(run, planned.snapshot)
    run.counts = count_listings(planned.changes)
    run.has_changes = not planned.changes.is_empty
    run.highlights = tuple(islice(describe_known(planned.changes), _MAX_HIGHLIGHTS))
    if run.request.dry_run or options.with_changes:
        run.changes = _describe(planned.changes, planned.snapshot)


def _describe(changes: ChangeSet, snapshot: Snapshot) -> tuple[ChangeEntry, ...]:
    """Describe every change; what is added is read from the snapshot once more."""
    wanted = set(changes.added)
    added: dict[int, Listing] = {}
    if wanted:
        with open_snapshot(snapshot) as opened:
            for record in opened.records:
                if isinstance(record, Listing) and record.listing_id in wanted:
                    added.setdefault(record.listing_id, record)
    return tuple(describe_changes(changes, added))


def _violations(
    run: Run, planned: Planned, last: LastApplied, allowed: Allowances
) -> list[Violation]:
    older = check_age(planned.snapshot, last.as_of, now=run.started_at)
    return [*([older] if older else []), *check_limits(planned.changes, allowed)]


def _refuse(run: Run, options: SyncOptions, violations: list[Violation]) -> None:
    if not violations:
        return
    raise LimitRefused(
        "; ".join(v.text for v in violations),
        hint=f"nothing was changed; {_way_out(run, options, violations)}",
        code=violations[0].code,
    )


def _way_out(run: Run, options: SyncOptions, violations: list[Violation]) -> str:
    """Write the exact command that allows it once, for this seller only."""
    allowing = list(dict.fromkeys(v.option for v in violations if v.option))
    words = [w for w in run.request.arguments if w != "--all-sellers"]
    if words != list(run.request.arguments):
        words += ["--seller", str(run.seller)]
    path = options.fetch.from_file
    if not any(v.code == OLDER_SNAPSHOT for v in violations):
        return f"if this is right, allow it once: {_shell(words + allowing)}"
    if path is None:
        return "the next run fetches a newer one"
    # What has no name has no moment either.
    words = [w.replace(str(path), "-") for w in words]
    if "--seller" not in words:
        words += ["--seller", str(run.seller)]
    return f"if this is right, allow it once: {_shell(words + allowing)} < {shlex.quote(str(path))}"


def _shell(words: list[str]) -> str:
    return shlex.join(["discosync", *words])
