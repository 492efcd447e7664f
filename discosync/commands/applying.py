"""The last step of a run that writes: schema, listings, history and record."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from discosync.commands.planning import Planned
from discosync.core.moments import moment_of_run
from discosync.core.parsed import ParsedBlock
from discosync.core.progress import Progress
from discosync.core.report import RunReport
from discosync.database.apply import apply_changes
from discosync.database.checkpoints import record_checkpoint
from discosync.database.engine import Database
from discosync.database.listing_rows import Stamp
from discosync.database.lock import SCHEMA_LOCK, Holder, hold_lock
from discosync.database.making import make_new
from discosync.database.marks import forget_mark, leaving_mark
from discosync.database.schema import SchemaState, require_usable
from discosync.database.session import Session, session_over
from discosync.database.store import finish_run, load_run_exists, record_run
from discosync.database.worth import load_inventory_value
from discosync.errors import StorageFailed
from discosync.runner import Run

if TYPE_CHECKING:
    from sqlalchemy import Connection


def make_schema(run: Run, database: Database) -> None:
    """Make the schema of an empty database, unless it has one."""
    if require_usable(database) is SchemaState.EMPTY:
        make_schema_of(database, command=f"discosync {run.request.command}")


def make_schema_of(database: Database, *, command: str) -> None:
    """Make the schema of an empty database: only one process at a time, whoever it is for."""
    holder = Holder(command=command, run_id="", started_at=datetime.now(UTC))
    with hold_lock(database, SCHEMA_LOCK, holder, wait_seconds=60):
        if require_usable(database) is SchemaState.EMPTY and not make_new(database):
            from discosync.database.migrating import walk_migrations  # noqa: PLC0415 - heavy

            walk_migrations(database)


def apply_plan(run: Run, database: Database, planned: Planned, *, is_sandbox: bool) -> None:
    """Write listings, history and the run's record, all or nothing."""
    snapshot = planned.snapshot
    stamp = Stamp(
        seller=str(run.seller),
        as_of=snapshot.as_of or run.started_at,
        now=run.started_at,
        sees=planned.sees,
    )

    def write(session: Session, key: int) -> None:
        with leaving_mark(session, stamp.seller, planned.left):
            if not planned.changes.writes_nothing:
                run.progress.begin("writing changes", len(planned.parsed) or None)
                blocks = _counted(planned.parsed.read(), run.progress)
                apply_changes(session, planned.changes, blocks, stamp=stamp, run_key=key)

    with _recording(run, database), database.session(writes=True) as session:
        report = _write_run(run, session, partial(write, session), is_sandbox=is_sandbox)
    run.committed = report


def _counted(blocks: Iterable[ParsedBlock], progress: Progress) -> Iterator[ParsedBlock]:
    for block in blocks:
        yield block
        progress.advance(len(block))


def commit_run(
    run: Run,
    database: Database,
    write: "Callable[[Connection, int], None]",
    *,
    is_sandbox: bool,
) -> None:
    """Write what a run does, and its record, in one transaction; `write` gets the record's key."""
    with _recording(run, database), database.writing() as connection:
        session = session_over(connection)
        # Whatever is written, only a sync knows what it leaves.
        forget_mark(session, str(run.seller))
        report = _write_run(run, session, partial(write, connection), is_sandbox=is_sandbox)
    run.committed = report


def _write_run(
    run: Run, session: Session, write: Callable[[int], None], *, is_sandbox: bool
) -> RunReport:
    key = record_run(session, run.report(), is_sandbox=is_sandbox)
    record_checkpoint(session, str(run.seller), key, _moment(run))
    write(key)
    if run.has_changes:
        run.inventory_value = load_inventory_value(session, str(run.seller))
    report = run.report()
    finish_run(session, key, report)
    run.reach_commit()
    return report


@contextmanager
def _recording(run: Run, database: Database) -> Iterator[None]:
    """See whether a run was committed whose commit nobody acknowledged."""
    try:
        yield
    except StorageFailed:
        # A lost acknowledgement: the record says whether the commit took place.
        if not (run.is_committing and was_committed(run, database, _is_recorded(run))):
            raise


def _moment(run: Run) -> datetime:
    snapshot = run.report().snapshot
    return moment_of_run(run.started_at, snapshot.as_of if snapshot else None)


_LOOKS = 5
_LOOK_EVERY_SECONDS = 1.0


def _is_recorded(run: Run) -> Callable[[Session], bool]:
    return lambda session: load_run_exists(session, run.run_id)


def was_committed(run: Run, database: Database, look: Callable[[Session], bool]) -> bool:
    """Look for what was committed; the server may still be busy with it, or be down for a moment.

    Raises `StorageFailed`, saying that nobody knows, when it does not answer.
    """
    unanswered: StorageFailed | None = None
    for attempt in range(_LOOKS):
        if attempt:
            time.sleep(_LOOK_EVERY_SECONDS)
        try:
            with database.session() as session:
                if look(session):
                    return True
            unanswered = None
        except StorageFailed as exc:
            unanswered = exc
    if unanswered is None:
        return False
    raise StorageFailed(
        f"the database did not say whether the commit took place: {unanswered.message}",
        hint=f"look for run_id {run.run_id} in sync_runs; running again is safe either way",
        code="commit_unknown",
    ) from unanswered
