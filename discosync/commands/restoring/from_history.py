"""`discosync restore`: take back what was done to some listings, or all that one run did."""

from collections.abc import Iterator
from dataclasses import replace

from discosync.commands.restoring.planning import plan_from_history
from discosync.commands.restoring.request import RestoreRequest
from discosync.commands.steps.committing import commit_run
from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.opening import open_target
from discosync.commands.steps.refusing import refuse, render_way_out, tell_plan
from discosync.core.past.restore import (
    RestorePlan,
    check_reactivations,
)
from discosync.core.planning.limits import Violation, check_limits
from discosync.core.reporting.change_entry import describe_known
from discosync.core.reporting.findings import Problem
from discosync.database.connection.session import Session
from discosync.database.past.restoring import apply_restore
from discosync.database.rows.sellers import load_has_sandbox
from discosync.runner import Run
from discosync.settings import Settings


def restore_from_history(run: Run, request: RestoreRequest) -> None:
    """Take back what was done to listings, or what one run did.

    1. Lock the seller.
    2. Find in the history the values that the listings get back.
    3. Check the plan against the limits.
    4. Write rows, history and record in one transaction, unless this is a dry run.
    """
    target = open_target(run, request.config, named=request.seller)
    seller, database = target.seller, target.database
    with hold_run_locks(run, database, seller, wait_seconds=request.lock_wait_seconds):
        with run.phase("plan"), database.session() as session:
            plan = plan_from_history(run, session, seller, request)
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
