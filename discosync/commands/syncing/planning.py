"""Compare a snapshot on disk with the database, and verify the plan that results."""

from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, replace

from discosync.commands.steps.recall import SnapshotRecall
from discosync.commands.syncing.fetching import Fetched
from discosync.commands.syncing.slow_check import SliceChecker, SlowCheckOptions
from discosync.commands.syncing.snapshot_comparison import Leave, SnapshotComparison
from discosync.core.flags import Flag
from discosync.core.inventory.header import Header
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.differences import find_conflicts
from discosync.core.planning.limits import check_conflicts, check_rejected, check_witness
from discosync.core.reporting.findings import Problem
from discosync.database.connection.engine import Database
from discosync.database.runs.last_applied import LastApplied
from discosync.files.parsed_file import ParsedFile
from discosync.files.snapshot import open_snapshot
from discosync.runner import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A verified plan, and what is needed to apply it.

    `sees` are the fields that the snapshot shows, `parsed` holds all records that the plan may
    write, and `leave` gives what must enclose the write (see `Compared`).
    """

    changes: ChangeSet
    snapshot: Snapshot
    sees: frozenset[str]
    parsed: ParsedFile
    leave: Leave


def plan_snapshot(
    run: Run,
    database: Database | None,
    fetched: Fetched,
    parsed: ParsedFile,
    *,
    last: LastApplied,
    slow_check: SlowCheckOptions | None = None,
) -> Planned:
    """Compare a snapshot with the database (None: with nothing), and verify it on the way.

    The records that the plan may write are put aside in `parsed`. `slow_check` has a slice of the
    other rows looked at, too.
    Raises `BadData` when the snapshot turns out to be incomplete or contradicts itself.
    """
    snapshot = fetched.snapshot
    trust_hash = run.findings.flags[Flag.USE_CONTENT_HASH].value
    with database.session() if database else nullcontext() as session:
        checker = slow_check and SliceChecker(session, snapshot, slow_check)
        recall = SnapshotRecall(session, snapshot, trust_hash=trust_hash)
        compared = SnapshotComparison(
            run, session, snapshot, parsed, trust_hash=trust_hash, recall=recall
        ).plan(extend=checker.extend if checker else None)
    changes = compared.changes
    run.findings.columns = compared.header.columns
    _note_columns(run, compared.header, last)
    _verify(changes, snapshot, fetched.count_again)
    _check_repeated(run, compared.repeated_ids, snapshot)
    _note_problems(run, changes, snapshot)
    run.findings.slow_check = checker.done if checker else None
    _note_currency(run, snapshot, compared.sees)
    return Planned(
        changes=changes,
        snapshot=snapshot,
        sees=compared.sees,
        parsed=parsed,
        leave=compared.leave,
    )


def _verify(changes: ChangeSet, snapshot: Snapshot, count_again: Callable[[], int] | None) -> None:
    """Apply the limits of bad records and of an incomplete snapshot; raise `BadData`."""
    # Bad records first: they may be why the count differs, and their message names a line.
    if fault := check_rejected(changes):
        raise fault
    fault = check_witness(changes, snapshot)
    # The shop may have sold something between the export and the count: count once more.
    if fault and count_again is not None:
        fault = check_witness(changes, replace(snapshot, expected_items=count_again()))
    if fault:
        raise fault


def _check_repeated(run: Run, repeated: Collection[int], snapshot: Snapshot) -> None:
    """Accept listings that are repeated alike; raise `BadData` for one with different contents.

    A walk through the pages has settled its own repetitions already.
    """
    # Walking the pages takes minutes: a listing that moves between two of them is seen twice.
    if not repeated or snapshot.source is Source.PAGES:
        return
    with open_snapshot(snapshot) as opened:
        if fault := check_conflicts(find_conflicts(opened.records, repeated)):
            raise fault
    text = f"{len(repeated)} listings are in the inventory more than once, with the same content"
    run.findings.problems.append(Problem(code="duplicate_records", text=text, is_warning=False))


def _note_columns(run: Run, header: Header, last: LastApplied) -> None:
    """Warn once of unknown columns: Discogs changed the export since the last sync."""
    # A warning each hour for a column that stays would hide the next real one.
    if header.unknown and header.columns != last.columns:
        text = f"columns that discosync does not know: {', '.join(header.unknown)[:300]}"
        run.findings.problems.append(Problem(code="new_column", text=text))


def _note_currency(run: Run, snapshot: Snapshot, sees: frozenset[str]) -> None:
    if "price_currency" not in sees and snapshot.currency is None:
        text = (
            "the prices have no currency, because a file names none: set DISCOGS_CURRENCY (for "
            "example EUR) and run again"
        )
        run.findings.problems.append(Problem(code="no_currency", text=text, is_warning=False))


def _note_problems(run: Run, changes: ChangeSet, snapshot: Snapshot) -> None:
    for rejected in changes.rejected:
        run.findings.problems.append(
            Problem(
                code="bad_record",
                text=rejected.reason,
                line=rejected.line,
                listing_id=rejected.listing_id,
            )
        )
    if snapshot.incomplete_because is not None:
        text = f"incomplete, so nothing is removed: {snapshot.incomplete_because}"
        run.findings.problems.append(Problem(code="incomplete_snapshot", text=text))
    elif changes.protected:
        text = f"{changes.protected} listings are kept: bad records may be theirs"
        run.findings.problems.append(Problem(code="held_back", text=text))
