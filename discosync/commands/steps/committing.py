"""The last step of a run that writes: the schema, what it does, and its record."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from discosync.core.moments import moment_of_run
from discosync.core.reporting.report import RunReport
from discosync.database.connection.engine import Database
from discosync.database.connection.lock import SCHEMA_LOCK, Holder, hold_lock
from discosync.database.connection.session import Session, session_over
from discosync.database.past.checkpoints import record_checkpoint
from discosync.database.recall.marks import forget_mark
from discosync.database.rows.store import finish_run, load_run_exists, record_run
from discosync.database.rows.worth import load_inventory_value
from discosync.database.schema.state import SchemaState, require_usable
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
        # Another process may have made it while this one waited for the lock.
        if require_usable(database) is SchemaState.EMPTY:
            from discosync.database.schema.migrating import upgrade_schema  # noqa: PLC0415 - 0.3 s

            upgrade_schema(database)


def commit_run(
    run: Run,
    database: Database,
    write: "Callable[[Connection, int], None]",
    *,
    is_sandbox: bool,
) -> None:
    """Write what a run does, and its record, in one transaction; `write` gets the record's key."""
    with recording(run, database), database.writing() as connection:
        session = session_over(connection)
        # Whatever is written, only a sync knows what it leaves.
        forget_mark(session, str(run.seller))
        report = write_run(run, session, partial(write, connection), is_sandbox=is_sandbox)
    run.committed = report


def write_run(
    run: Run, session: Session, write: Callable[[int], None], *, is_sandbox: bool
) -> RunReport:
    """Write a run's record, and by `write`, which gets its key, what it does; say what is left."""
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
def recording(run: Run, database: Database) -> Iterator[None]:
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
