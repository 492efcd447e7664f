"""The flags of a run, and how a run switches one off by itself."""

import getpass
import logging
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from discosync.commands.steps.committing import make_schema
from discosync.commands.steps.opening import Target
from discosync.core.flags import (
    Flag,
    FlagChange,
    FlagContext,
    FlagState,
    FlagValue,
    resolve_flags,
)
from discosync.core.reporting.findings import Problem
from discosync.database.connection.engine import Database
from discosync.database.flags.states import load_flag_states
from discosync.database.schema.state import SchemaState
from discosync.errors import StorageFailed
from discosync.render.scrubbing import hide
from discosync.runner import Run

_log = logging.getLogger(__name__)


def flags_of_run(
    run: Run, target: Target, state: SchemaState, *, asked: Mapping[Flag, FlagValue]
) -> dict[Flag, FlagValue]:
    """Return for every flag whether it is on in this run, and warn if that cannot be read.

    `asked` are the flags that the command line decides.
    """
    context = FlagContext(seller=target.seller, now=run.started_at)
    try:
        states = _load_states(target.database, state)
    except StorageFailed as exc:
        text = (
            "the flags cannot be read; using the defaults: pages, full comparison, no cache: "
            f"{exc.message}"
        )
        run.findings.problems.append(Problem(code="flags_unreadable", text=text))
        states = None
    return resolve_flags(target.settings.flags, states, context, asked=asked)


def _load_states(database: Database, state: SchemaState) -> Mapping[Flag, FlagState]:
    if state is SchemaState.EMPTY:
        return {}
    with database.session() as session:
        return load_flag_states(session)


def roll_back_by_itself(run: Run, database: Database, flag: Flag, reason: str) -> None:
    """Switch a flag off for this run and every later one, because of what this run met.

    A dry run does without the flag too, and leaves it as it is in the database.
    """
    is_dry = run.request.dry_run
    if not is_dry:
        from discosync.database.flags.changes import roll_back_flag  # noqa: PLC0415 - rare

        # The very first sync may get a bad export: then there is no table of flags yet.
        make_schema(run, database)
        with database.session(writes=True) as session:
            roll_back_flag(session, flag, change_now(reason, run=run))
    said = "would be rolled back" if is_dry else "is rolled back until somebody lifts it"
    _log.warning("%s %s: %s", flag.value, said, reason)
    run.findings.problems.append(
        Problem(
            code="flag_rolled_back",
            text=f"{flag.value} {said}: {reason} (to lift it: `discosync flags set {flag.value} "
            "on`)",
        )
    )
    run.findings.flags[flag] = FlagValue(value=False, why=f"rolled back in this run: {reason}")


def _user() -> str:
    try:
        return getpass.getuser()
    # A user id without a name, as containers have; newer Pythons raise OSError.
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def change_now(reason: str, *, run: Run | None = None) -> FlagChange:
    """Say who changes a flag, now and why."""
    who = f"{_user()}@{socket.gethostname()}"
    return FlagChange(
        changed_at=datetime.now(UTC),
        changed_by=f"discosync ({who})" if run else who,
        reason=hide(reason),
        run_id=run.run_id if run else None,
    )
