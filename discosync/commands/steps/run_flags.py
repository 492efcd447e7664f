"""Flags: which side a run is on, and a flag that a run switches off by itself."""

import getpass
import logging
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from discosync.commands.steps.committing import make_schema
from discosync.core.flags import (
    Flag,
    FlagChange,
    FlagContext,
    FlagState,
    FlagValue,
    resolve_flags,
)
from discosync.core.reporting.report import Problem
from discosync.database.connection.engine import Database
from discosync.database.flags.states import load_flag_states
from discosync.database.schema.state import SchemaState
from discosync.errors import StorageFailed
from discosync.runner import Run
from discosync.settings import Settings

_log = logging.getLogger(__name__)


def flags_of_run(
    run: Run,
    settings: Settings,
    database: Database,
    state: SchemaState,
    *,
    asked: Mapping[Flag, FlagValue],
) -> dict[Flag, FlagValue]:
    """Say for every flag which side this run is on; an unreadable store means the old way."""
    context = FlagContext(seller=str(run.seller), now=run.started_at)
    try:
        states = _load_states(database, state)
    except StorageFailed as exc:
        text = f"the flags cannot be read, so everything goes the old way: {exc.message}"
        run.problems.append(Problem(code="flags_unreadable", text=text))
        states = None
    return resolve_flags(settings.flags, states, context, asked=asked)


def _load_states(database: Database, state: SchemaState) -> Mapping[Flag, FlagState]:
    if state is SchemaState.EMPTY:
        return {}
    with database.session() as session:
        return load_flag_states(session)


def roll_back_by_itself(run: Run, database: Database, flag: Flag, reason: str) -> None:
    """Switch a flag off for this run and every later one, because of what this run met.

    A dry run goes the same way and leaves the flag as it is.
    """
    is_dry = run.request.dry_run
    if not is_dry:
        from discosync.database.flags.flags import roll_back_flag  # noqa: PLC0415 - rare

        make_schema(run, database)
        with database.writing() as connection:
            roll_back_flag(connection, flag, change_now(reason, run=run))
    said = "would be rolled back" if is_dry else "is rolled back until somebody lifts it"
    _log.warning("%s %s: %s", flag.value, said, reason)
    run.problems.append(
        Problem(
            code="flag_rolled_back",
            text=f"{flag.value} {said}: {reason} (to lift it: `discosync flags set {flag.value} "
            "on`)",
        )
    )
    run.flags[flag] = FlagValue(value=False, why=f"rolled back in this run: {reason}")


def change_now(reason: str, *, run: Run | None = None) -> FlagChange:
    """Say who changes a flag, now and why."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return FlagChange(
        changed_at=datetime.now(UTC),
        changed_by=f"discosync ({who})" if run else who,
        reason=reason,
        run_id=run.run_id if run else None,
    )
