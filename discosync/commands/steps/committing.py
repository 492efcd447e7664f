"""The last step of a run that writes: the schema, its changes, and its record."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from discosync.commands.steps.opening import Target
from discosync.commands.steps.recall import forget_mark
from discosync.core.moments import moment_of_run
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report import RunReport
from discosync.database.connection.commits import Commits, noticing_commits
from discosync.database.connection.engine import Database
from discosync.database.connection.failures import COMMIT_UNKNOWN
from discosync.database.connection.lock import SCHEMA_LOCK, Holder, hold_lock
from discosync.database.connection.session import Session
from discosync.database.past.checkpoints import record_checkpoint
from discosync.database.rows.inventory_value import load_inventory_value
from discosync.database.runs.records import finish_run, load_run_exists, record_run
from discosync.database.schema.state import SchemaState, require_usable
from discosync.errors import MigrationFailed, StorageFailed
from discosync.runner import Run
from discosync.runner.signals import Stage

if TYPE_CHECKING:
    from discosync.database.connection.alchemy import AlchemySession


def make_schema(run: Run, database: Database) -> None:
    """Make the schema of an empty database, unless it has one."""
    if require_usable(database) is SchemaState.EMPTY:
        make_schema_of(database, command=f"discosync {run.request.command}")


def make_schema_of(database: Database, *, command: str) -> None:
    """Make the schema of an empty database; only one process does so at a time."""
    holder = Holder(command=command, run_id="", started_at=datetime.now(UTC))
    with hold_lock(database, SCHEMA_LOCK, holder, wait_seconds=60), _no_migration():
        # Another process may have made it while this one waited for the lock.
        if require_usable(database) is SchemaState.EMPTY:
            from discosync.database.schema.making import make_new  # noqa: PLC0415 - 0.2 s

            if not make_new(database):
                from discosync.database.schema.migrating import walk_migrations  # noqa: PLC0415

                walk_migrations(database)


@contextmanager
def _no_migration() -> Iterator[None]:
    """Tell a full disk as what it is: who typed `sync` has asked for no migration."""
    try:
        yield
    except MigrationFailed as exc:
        if isinstance(exc.__cause__, StorageFailed):
            failed = exc.__cause__
            raise StorageFailed(exc.message, hint=failed.hint, code=failed.code) from exc
        raise


def commit_run(
    run: Run,
    target: Target,
    write: "Callable[[AlchemySession, int], None]",
    *,
    is_sandbox: bool,
) -> None:
    """Write what a run does, and its record, in one transaction; `write` gets the record's key."""
    database, seller = target.database, target.seller
    with recording(run, database), database.alchemy_session(writes=True) as session:
        # The mark says what a sync left: after any other write it would be wrong.
        forget_mark(session, seller)
        report = write_run(run, session, seller, partial(write, session), is_sandbox=is_sandbox)
    run.committed = as_committed(run, report)


def write_run(
    run: Run, session: Session, seller: str, write: Callable[[int], None], *, is_sandbox: bool
) -> RunReport:
    """Write a run's record and, by `write`, which gets the record's key, what the run does.

    Returns the report that is in the record.
    """
    # The record first, because rows of the history refer to it; `finish_run` completes it.
    key = record_run(session, run.report(), is_sandbox=is_sandbox)
    record_checkpoint(session, seller, key, _moment(run))
    write(key)
    if run.findings.has_changes:
        run.findings.inventory_value = load_inventory_value(session, seller)
    report = run.report()
    finish_run(session, key, report)
    run.signals.reach_commit()
    return report


@contextmanager
def recording(run: Run, database: Database) -> Iterator[None]:
    """Enclose a run's only transaction.

    Raises `StorageFailed` as the database does, but not when the commit took place and only the
    answer to it was lost.
    """
    with noticing_commits() as commits:
        try:
            yield
        except StorageFailed as exc:
            # The run's record says whether its transaction took place.
            is_tried = run.signals.stage is Stage.COMMITTING
            if not (is_tried and was_committed(run, database, _is_recorded(run), exc)):
                raise
    note_warnings(run, commits)


def note_warnings(run: Run, commits: Commits) -> None:
    """Put into the run's report what the database had to say about its commit."""
    run.findings.problems += [
        Problem(code="commit_not_replicated", text=text) for text in commits.warnings
    ]


def as_committed(run: Run, recorded: RunReport) -> RunReport:
    """Return the report of a run that is committed: the recorded one, unless more is known now."""
    is_all = len(recorded.findings.problems) == len(run.findings.problems)
    return recorded if is_all else run.report()


def _moment(run: Run) -> datetime:
    snapshot = run.findings.snapshot
    return moment_of_run(run.started_at, snapshot.as_of if snapshot else None)


_LOOKS = 3
_LOOK_EVERY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0


def _is_recorded(run: Run) -> Callable[[Session], bool]:
    return lambda session: load_run_exists(session, run.run_id)


def was_committed(
    run: Run, database: Database, look: Callable[[Session], bool], failed: StorageFailed
) -> bool:
    """Return whether a commit took place that ended with this error.

    Postgres itself has been asked by then, and did not say; SQLite cannot be asked. Looks several
    times: the server may be down for a moment. Raises `StorageFailed` with the code
    `commit_unknown` when nobody knows.
    """
    if not database.is_sqlite and failed.code != COMMIT_UNKNOWN:
        return False
    said = failed.message
    for attempt in range(_LOOKS):
        if attempt:
            time.sleep(_LOOK_EVERY_SECONDS)
        try:
            with database.session(answers_within=_ANSWER_SECONDS) as session:
                if look(session):
                    return True
                # On Postgres the transaction may still be in somebody's hands.
                if database.is_sqlite:
                    return False
        except StorageFailed as exc:
            said = exc.message
    raise StorageFailed(
        f"the database did not say whether the commit took place: {said}",
        hint=f"`discosync runs {run.run_id}` says whether it did; {failed.hint}"
        if failed.code == COMMIT_UNKNOWN
        else f"`discosync runs {run.run_id}` says whether it did; running again is safe either way",
        code=COMMIT_UNKNOWN,
    ) from failed
