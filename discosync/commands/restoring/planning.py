"""Plan a restore from the history: which listings get which values back."""

from collections.abc import Iterator
from pathlib import Path

from discosync.commands.restoring.request import RestoreRequest
from discosync.commands.steps.purged_listing import load_purged_listing
from discosync.commands.steps.run_ids import only_run, refuse_empty_id
from discosync.core.past.history import PastChange
from discosync.core.past.restore import (
    RestorePlan,
    Skipped,
    Values,
    plan_restore,
    target_of_change,
    target_of_listing,
)
from discosync.core.planning.known import KnownListing
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.run_line import change_count_of
from discosync.database.connection.session import Session
from discosync.database.past.history import load_changes_of_listings, load_changes_of_run
from discosync.database.rows.counts import load_known_counts
from discosync.database.rows.known import load_rows
from discosync.database.runs.past_runs import load_runs_named
from discosync.errors import UsageFault
from discosync.render.past_runs import render_missing_changes
from discosync.runner import Run


def plan_from_history(
    run: Run, session: Session, seller: str, request: RestoreRequest
) -> RestorePlan:
    """Plan to take back what was asked for, by the history of the listings.

    Raises `UsageFault` for a listing or a run that is not there, or not this seller's.
    """
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
    # A run may have changed listings that were purged since.
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
            hint="`discosync runs` lists the runs; one that was refused or failed changed nothing",
            code="no_such_run",
        )
    found = only_run(named, run_id)
    # A purge deletes the history of its listings too: only the archive has it.
    if found.command == "purge-inactive":
        raise UsageFault(
            f"run {found.run_id} was a purge; what it deleted is in its archive",
            hint=f"`discosync runs {found.run_id}` names it: "
            "`discosync restore --from-archive FILE`",
            code="purged",
        )
    if found.seller != seller:
        raise UsageFault(
            f"run {found.run_id} is a run of {found.seller}, not of {seller}",
            hint=f"add --seller {found.seller}",
            code="other_seller",
        )
    changes = load_changes_of_run(session, found.key)
    lost = change_count_of(found.report) - len(changes)
    # Thinning and purges have taken some of them out of the history since.
    if lost > 0:
        text = f"not everything is restored: {render_missing_changes(lost)}"
        run.findings.problems.append(Problem(code="not_in_history", text=text))
    return changes
