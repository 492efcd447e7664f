"""The last step of a sync: one transaction for listings, history, mark and the run's record."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial

from discosync.commands.steps.committing import as_committed, recording, write_run
from discosync.commands.steps.opening import Target
from discosync.commands.syncing.planning import Planned
from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.progress import Progress
from discosync.database.connection.session import Session
from discosync.database.rows.apply import apply_changes
from discosync.database.rows.listing_rows import Stamp
from discosync.runner import Run


def apply_plan(run: Run, target: Target, planned: Planned, *, is_sandbox: bool) -> None:
    """Write listings, history, mark and the run's record in one transaction."""
    snapshot, database = planned.snapshot, target.database
    stamp = Stamp(
        seller=target.seller,
        as_of=snapshot.as_of or run.started_at,
        now=run.started_at,
        sees=planned.sees,
    )

    nothing = planned.changes.writes_nothing
    with nullcontext() if nothing else database.session() as reading:
        around_write = planned.leave(reading, planned.changes)

    def write(session: Session, key: int) -> None:
        with around_write(session):
            if not planned.changes.writes_nothing:
                run.progress.begin("writing changes", len(planned.parsed) or None)
                blocks = _counted(planned.parsed.read(), run.progress)
                apply_changes(session, planned.changes, blocks, stamp=stamp, run_key=key)

    # One transaction: a run that is killed at any moment has written all of this, or nothing.
    with recording(run, database), database.session(writes=True) as session:
        report = write_run(
            run, session, target.seller, partial(write, session), is_sandbox=is_sandbox
        )
    run.committed = as_committed(run, report)


def _counted(blocks: Iterable[ParsedBlock], progress: Progress) -> Iterator[ParsedBlock]:
    for block in blocks:
        yield block
        progress.advance(len(block))
