"""Check a sync's plan against the limits, after putting it into the report."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from discosync.commands.steps.refusing import refuse, render_way_out, tell_plan
from discosync.commands.syncing.fetching import FetchOptions
from discosync.commands.syncing.mirror import Mirror
from discosync.commands.syncing.planning import Planned
from discosync.commands.syncing.slow_check import note_slow_check
from discosync.core.inventory.snapshot import Snapshot, Source, is_too_old_to_show
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.drift import SlowCheck, check_drift
from discosync.core.planning.limits import (
    OLDER_SNAPSHOT,
    Allowances,
    Violation,
    check_age,
    check_limits,
)
from discosync.core.planning.other_sellers import check_shared, find_shared, is_first_load
from discosync.core.reporting.change_entry import ChangeEntry, describe_changes
from discosync.core.reporting.findings import Problem
from discosync.database.rows.sellers import count_shared, load_has_sandbox
from discosync.runner import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What `sync` was asked for."""

    fetch: FetchOptions = field(default_factory=FetchOptions)
    allowed: Allowances = field(default_factory=Allowances)
    allow_shared_listings: bool = False
    lock_wait_seconds: float = 0.0
    with_changes: bool = False


def judge(run: Run, planned: Planned, options: SyncOptions, mirror: Mirror) -> None:
    """Put a plan into the report, then check it; raise `LimitRefused` when a limit says no."""
    _note_age(run, planned.snapshot)
    tell(run, planned, options)
    slow_check, allowed = run.findings.slow_check or SlowCheck(), allowances_of(options, mirror)
    now = _now_at_discogs(run, planned.snapshot)
    older = check_age(planned.snapshot, mirror.last.as_of, now=now)
    violations = [
        *([older] if older else []),
        *check_limits(planned.changes, allowed),
        *_check_other_sellers(run, planned.changes, options, mirror),
    ]
    violations += check_drift(slow_check, allowed)
    refuse(violations, _way_out(run, options, violations, mirror, now=now))
    # Only now: a refused run fills in and corrects nothing.
    _note_completed(run, planned.changes)
    note_slow_check(run, slow_check)


def _check_other_sellers(
    run: Run, changes: ChangeSet, options: SyncOptions, mirror: Mirror
) -> Iterator[Violation]:
    """Look among the listings of other sellers, on a seller's first load only."""
    database = mirror.filled_database
    if database is None or not is_first_load(changes):
        return
    with database.session() as session:
        # Sellers of the sandbox are made up alike.
        if load_has_sandbox(session):
            return
        counts = count_shared(session, mirror.seller, changes.added)
    if shared := find_shared(changes, mirror.seller, counts):
        allowed = options.allow_shared_listings
        yield from check_shared(shared, allowed=allowed)
        is_warning = shared.are_many and not allowed
        run.findings.problems.append(
            Problem(code="shared_listings", text=str(shared), is_warning=is_warning)
        )


def _now_at_discogs(run: Run, snapshot: Snapshot) -> datetime:
    """Return the run's moment by Discogs' clock, which dates inventories, as far as it is known."""
    return run.started_at + snapshot.clock_offset


def allowances_of(options: SyncOptions, mirror: Mirror) -> Allowances:
    """Return what this run may do: the command line goes before the setting."""
    if options.allowed.max_removals is not None:
        return options.allowed
    return replace(options.allowed, max_removals=mirror.settings.max_removals)


def _note_age(run: Run, snapshot: Snapshot) -> None:
    """Say that the inventory is too old to be shown to others."""
    now = _now_at_discogs(run, snapshot)
    if snapshot.as_of is None or not is_too_old_to_show(snapshot.as_of, now=now):
        return
    hours = (now - snapshot.as_of).total_seconds() / 3600
    text = f"the inventory is {hours:,.0f} hours old; Discogs' terms allow showing it for six"
    # Somebody may sync an old file on purpose. An export should be fresh: an old one means that
    # Discogs made no new one.
    is_warning = snapshot.source is Source.EXPORT
    run.findings.problems.append(Problem(code="stale_snapshot", text=text, is_warning=is_warning))


def _note_completed(run: Run, changes: ChangeSet) -> None:
    """Note filled-in values: they are written but are no change, so no count shows them."""
    if filled := sum(completed.fills_in for completed in changes.completed):
        verb = "would be" if run.request.dry_run else "are"
        text = f"in {filled:,} unchanged listings, missing values {verb} filled in"
        run.findings.problems.append(Problem(code="completed", text=text, is_warning=False))


def tell(run: Run, planned: Planned, options: SyncOptions) -> None:
    """Put the plan into the report: counts always, every change where somebody reads it."""
    tell_plan(run, planned.changes)
    if run.request.dry_run or options.with_changes:
        run.findings.changes = _describe(planned)


def _describe(planned: Planned) -> tuple[ChangeEntry, ...]:
    """Describe every change; the records that are added were put aside while planning."""
    wanted = set(planned.changes.added)
    blocks = planned.parsed.read() if wanted else ()
    added = {
        record.listing_id: record.listing
        for block in blocks
        for record in block.records
        if record.listing_id in wanted
    }
    return tuple(describe_changes(planned.changes, added))


def _way_out(
    run: Run,
    options: SyncOptions,
    violations: Sequence[Violation],
    mirror: Mirror,
    *,
    now: datetime,
) -> str:
    """Say what to do about a refusal: the exact command for this seller, or when to try again."""
    # Only this seller's plan was refused: the command must allow nothing to the others.
    words = [word for word in run.request.arguments if word != "--all-sellers"]
    if words != list(run.request.arguments):
        words += ["--seller", mirror.seller]
    path, last_as_of = options.fetch.from_file, mirror.last.as_of
    if not any(violation.code == OLDER_SNAPSHOT for violation in violations):
        return render_way_out(words, violations)
    if path is None and last_as_of is not None and last_as_of > now:
        moment = f"{last_as_of:%Y-%m-%d %H:%M}"
        return f"the last applied snapshot is dated in the future; a sync after {moment} UTC passes"
    if path is None:
        return "the next run fetches a newer snapshot"
    # A file's name dates it: read from standard input it has no date, and so is not older.
    words = [word.replace(str(path), "-") for word in words]
    if "--seller" not in words:
        words += ["--seller", mirror.seller]
    return f"{render_way_out(words, violations)} < {shlex.quote(str(path))}"
