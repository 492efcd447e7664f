"""`discosync restore`: take back deactivations, or everything that one run did."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from discosync.commands.steps.committing import commit_run
from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.opening import open_target
from discosync.commands.steps.purged_listing import load_purged_listing
from discosync.commands.steps.refusing import refuse, render_way_out, tell_plan
from discosync.commands.steps.run_ids import only_run, refuse_empty_id
from discosync.core.past.history import PastChange
from discosync.core.past.restore import (
    RestorePlan,
    Skipped,
    Values,
    check_reactivations,
    plan_restore,
    target_of_change,
    target_of_listing,
)
from discosync.core.planning.known import KnownListing
from discosync.core.planning.limits import Allowances, Violation, check_limits
from discosync.core.reporting.change_entry import describe_known
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.past_runs import change_count_of
from discosync.database.connection.session import Session
from discosync.database.past.history import load_changes_of_listings, load_changes_of_run
from discosync.database.past.restoring import apply_restore
from discosync.database.rows.counts import load_known_counts
from discosync.database.rows.known import load_rows
from discosync.database.rows.sellers import load_has_sandbox
from discosync.database.runs.past_runs import load_runs_named
from discosync.errors import UsageFault
from discosync.render.past_runs import render_missing_changes
from discosync.runner import Run, RunRequest
from discosync.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What shall be taken back: listings, or what a run did."""

    run: RunRequest
    config: Path | None = None
    seller: str | None = None
    listing_ids: tuple[int, ...] = ()
    run_id: str | None = None
    allowed: Allowances = field(default_factory=Allowances)
    allow_mass_restore: bool = False
    lock_wait_seconds: float = 0.0


def restore(run: Run, request: RestoreRequest) -> None:
    """Take something back.

    1. Lock the seller.
    2. Find in the history what shall be again.
    3. Check the plan against the limits.
    4. Write rows, history and record in one transaction, unless this is a dry run.
    """
    target = open_target(run, request.config, named=request.seller)
    seller, database = target.seller, target.database
    with hold_run_locks(run, database, seller, wait_seconds=request.lock_wait_seconds):
        with run.phase("plan"), database.session() as session:
            plan = _plan(run, session, seller, request)
            is_sandbox = load_has_sandbox(session)
        _tell(run, plan)
        violations = list(_violations(plan, request, target.settings))
        refuse(violations, render_way_out(run.request.arguments, violations))
        if run.request.dry_run or plan.changes.is_empty:
            return

        def write(session: Session, key: int) -> None:
            apply_restore(session, plan, seller=seller, now=run.started_at, run_key=key)

        with run.phase("apply"):
            commit_run(run, target, write, is_sandbox=is_sandbox)


def _plan(run: Run, session: Session, seller: str, request: RestoreRequest) -> RestorePlan:
    known = load_known_counts(session, seller)
    if request.run_id is not None:
        changes = _changes_of_run(run, session, request.run_id, seller)
        by_id = {change.listing_id: change for change in changes}
        wanted = list(by_id)
        rows = {row.listing_id: row for row in load_rows(session, seller, wanted)}
        targets = _targets_of_run(run, by_id, rows)
    else:
        wanted = list(dict.fromkeys(request.listing_ids))
        rows = {row.listing_id: row for row in load_rows(session, seller, wanted)}
        _refuse_unknown(session, seller, [i for i in wanted if i not in rows], request.config)
        lives: dict[int, list[PastChange]] = {listing_id: [] for listing_id in wanted}
        for change in load_changes_of_listings(session, seller, wanted):
            lives[change.listing_id].append(change)
        targets = ((row, target_of_listing(row, lives[i])) for i, row in rows.items())
    plan = plan_restore(targets, known)
    plan.skipped += [
        Skipped(listing_id=i, why="the database does not hold it") for i in wanted if i not in rows
    ]
    return plan


def _refuse_unknown(session: Session, seller: str, unknown: list[int], config: Path | None) -> None:
    """Refuse a number that is no listing of this seller: all that was named, or nothing."""
    if not unknown:
        return
    purged = load_purged_listing(session, seller, unknown[0], config=config)
    raise UsageFault(
        f"{seller} has no listing {', '.join(map(str, unknown[:5]))}",
        hint="nothing was changed; check the number"
        if purged is None
        else f"nothing was changed; it was purged: {purged.way_back}",
        code="unknown_listing",
    )


def _targets_of_run(
    run: Run, changes: dict[int, PastChange], rows: dict[int, KnownListing]
) -> Iterator[tuple[KnownListing, Values | Skipped]]:
    for listing_id, row in rows.items():
        yield row, target_of_change(row, changes[listing_id], now=run.started_at)


def _changes_of_run(run: Run, session: Session, run_id: str, seller: str) -> list[PastChange]:
    refuse_empty_id(run_id)
    named = load_runs_named(session, run_id)
    if not named:
        raise UsageFault(
            f"no run that changed anything begins with {run_id!r}",
            hint="`discosync runs` lists them; what was refused or failed changed nothing",
            code="no_such_run",
        )
    found = only_run(named, run_id)
    if found.command == "purge-inactive":
        raise UsageFault(
            f"run {found.run_id} purged; what it took is in its archive",
            hint=f"`discosync runs {found.run_id}` names it: "
            "`discosync restore --from-archive FILE`",
            code="purged",
        )
    if found.seller != seller:
        raise UsageFault(
            f"run {found.run_id} is one of {found.seller}, not of {seller}",
            hint=f"add --seller {found.seller}",
            code="other_seller",
        )
    changes = load_changes_of_run(session, found.key)
    lost = change_count_of(found.report) - len(changes)
    if lost > 0:
        text = f"not all is taken back: {render_missing_changes(lost)}"
        run.findings.problems.append(Problem(code="not_in_history", text=text))
    return changes


def _tell(run: Run, plan: RestorePlan) -> None:
    tell_plan(run, plan.changes)
    # No snapshot was read, so no listing was seen in one.
    run.findings.listings = replace(run.findings.listings, seen=0)
    if run.request.dry_run:
        run.findings.changes = tuple(describe_known(plan.changes))
    for skipped in plan.skipped:
        run.findings.problems.append(
            Problem(
                code="not_restored",
                text=f"listing {skipped.listing_id} is left as it is: {skipped.why}",
                is_warning=skipped.is_warning,
                listing_id=skipped.listing_id,
            )
        )
    if plan.changes.reactivated:
        run.findings.advice = (
            "if Discogs still shows them as sold or gone, the next sync removes them again"
        )


def _violations(
    plan: RestorePlan, request: RestoreRequest, settings: Settings
) -> Iterator[Violation]:
    allowed = request.allowed
    if allowed.max_removals is None:  # the command line goes before the setting
        allowed = replace(allowed, max_removals=settings.max_removals)
    yield from check_limits(plan.changes, allowed)
    too_many = check_reactivations(plan.changes)
    if too_many is not None and not request.allow_mass_restore:
        yield too_many
