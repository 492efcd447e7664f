"""What a plan is told and judged by: the report's part of it, the limits, the way out."""

import shlex
from dataclasses import dataclass, field, replace
from itertools import islice

from discosync.commands.syncing.from_file import FetchOptions
from discosync.commands.syncing.planning import Planned
from discosync.core.inventory.snapshot import Snapshot, Source, is_too_old_to_show
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.limits import (
    OLDER_SNAPSHOT,
    Allowances,
    RemovalLimit,
    Violation,
    check_age,
    check_limits,
)
from discosync.core.reporting.change_entry import ChangeEntry, describe_changes, describe_known
from discosync.core.reporting.price_changes import count_price_changes
from discosync.core.reporting.report import Problem, count_listings
from discosync.database.rows.store import LastApplied
from discosync.errors import LimitRefused
from discosync.runner import Run

_MAX_HIGHLIGHTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What `sync` was asked for."""

    fetch: FetchOptions = field(default_factory=FetchOptions)
    allowed: Allowances = field(default_factory=Allowances)
    lock_wait_seconds: float = 0.0
    with_changes: bool = False


def judge(
    run: Run, planned: Planned, options: SyncOptions, *, last: LastApplied, setting: RemovalLimit
) -> None:
    """Put a plan into the report, then check it; raise `LimitRefused` when a limit says no.

    `setting` is the removal limit that holds unless the command line has another one.
    """
    _tell(run, planned, options)
    _refuse(run, options, _violations(run, planned, last, _allowances(options, setting)), last)


def _note_age(run: Run, snapshot: Snapshot) -> None:
    """Say that the inventory is too old to be shown to others."""
    if snapshot.as_of is None or not is_too_old_to_show(snapshot.as_of, now=run.started_at):
        return
    hours = (run.started_at - snapshot.as_of).total_seconds() / 3600
    text = f"the inventory is {hours:,.0f} hours old; Discogs' terms allow showing it for six"
    # A file may be old for a reason; an export that is, was adopted instead of a fresh one.
    is_warning = snapshot.source is Source.EXPORT
    run.problems.append(Problem(code="stale_snapshot", text=text, is_warning=is_warning))


def _note_completed(run: Run, changes: ChangeSet) -> None:
    """Say what no count shows: that unchanged listings know more than before."""
    if filled := sum(completed.fills_in for completed in changes.completed):
        verb = "would be" if run.request.dry_run else "is"
        text = f"in {filled:,} unchanged listings what was missing {verb} filled in"
        run.problems.append(Problem(code="completed", text=text, is_warning=False))


def _allowances(options: SyncOptions, setting: RemovalLimit) -> Allowances:
    """Let the command line's removal limit go before the setting's."""
    if options.allowed.max_removals is not None:
        return options.allowed
    return replace(options.allowed, max_removals=setting)


def _tell(run: Run, planned: Planned, options: SyncOptions) -> None:
    """Put the plan into the report: counts always, every change where somebody reads it."""
    _note_age(run, planned.snapshot)
    _note_completed(run, planned.changes)
    run.counts = count_listings(planned.changes)
    run.has_changes = not planned.changes.is_empty
    run.price_changes = count_price_changes(planned.changes.updated)
    run.highlights = tuple(islice(describe_known(planned.changes), _MAX_HIGHLIGHTS))
    if run.request.dry_run or options.with_changes:
        run.changes = _describe(planned)


def _describe(planned: Planned) -> tuple[ChangeEntry, ...]:
    """Describe every change; what is added was put aside."""
    wanted = set(planned.changes.added)
    blocks = planned.parsed.read() if wanted else ()
    added = {
        record.listing_id: record.listing
        for block in blocks
        for record in block.records
        if record.listing_id in wanted
    }
    return tuple(describe_changes(planned.changes, added))


def _violations(
    run: Run, planned: Planned, last: LastApplied, allowed: Allowances
) -> list[Violation]:
    older = check_age(planned.snapshot, last.as_of, now=run.started_at)
    return [*([older] if older else []), *check_limits(planned.changes, allowed)]


def _refuse(run: Run, options: SyncOptions, violations: list[Violation], last: LastApplied) -> None:
    if not violations:
        return
    raise LimitRefused(
        "; ".join(v.text for v in violations),
        hint=f"nothing was changed; {_way_out(run, options, violations, last)}",
        code=violations[0].code,
    )


def _way_out(run: Run, options: SyncOptions, violations: list[Violation], last: LastApplied) -> str:
    """Write the exact command that allows it once, for this seller only."""
    allowing = list(dict.fromkeys(v.option for v in violations if v.option))
    words = [w for w in run.request.arguments if w != "--all-sellers"]
    if words != list(run.request.arguments):
        words += ["--seller", str(run.seller)]
    path = options.fetch.from_file
    if not any(v.code == OLDER_SNAPSHOT for v in violations):
        return f"if this is right, allow it once: {shell(words + allowing)}"
    if path is None and last.as_of is not None and last.as_of > run.started_at:
        moment = f"{last.as_of:%Y-%m-%d %H:%M}"
        return f"the last one applied came from the future; a sync after {moment} UTC passes"
    if path is None:
        return "the next run fetches a newer one"
    # What has no name has no moment either.
    words = [w.replace(str(path), "-") for w in words]
    if "--seller" not in words:
        words += ["--seller", str(run.seller)]
    return f"if this is right, allow it once: {shell(words + allowing)} < {shlex.quote(str(path))}"


def shell(words: list[str]) -> str:
    """Write a command as it can be typed."""
    return shlex.join(["discosync", *words])
