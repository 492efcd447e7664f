"""`discosync runs`: the newest runs, or one run's whole report."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from discosync.commands.steps.opening import require_filled
from discosync.commands.steps.run_ids import only_run, refuse_empty_id
from discosync.commands.steps.run_reports import load_run_lines, load_saved_reports
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.run_line import RUN_COMMANDS, RunLine
from discosync.database.connection.engine import Database, open_database
from discosync.database.past.history import load_entries_of_run
from discosync.database.rows.sellers import resolve_seller
from discosync.database.runs.past_runs import (
    RunFilter,
    load_runs_named,
)
from discosync.errors import UsageFault
from discosync.settings import Settings, current_environment, load_settings


def load_runs(config: Path | None, wanted: RunFilter) -> list[RunLine]:
    """Load the newest runs, newest first: recorded ones, and those that left only a report."""
    if wanted.command is not None and wanted.command not in RUN_COMMANDS:
        raise UsageFault(
            f"{wanted.command!r} is not a command that makes runs",
            hint=f"these make runs: {', '.join(RUN_COMMANDS)}",
            code="unknown_command",
        )
    settings, database = _open(config)
    if not database.exists:
        return load_run_lines(settings, database, None, wanted)
    require_filled(database)
    with database.session() as session:
        if wanted.seller is not None:
            wanted = replace(wanted, seller=resolve_seller(session, wanted.seller))
        return load_run_lines(settings, database, session, wanted)


def _open(config: Path | None) -> tuple[Settings, Database]:
    settings = load_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    return settings, open_database(address, read_only=True, application="discosync")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """One run's whole report, and its changes as the history holds them; they can be read once.

    `changes` is None for a run that never reached the database.
    """

    report: Mapping[str, Any]
    changes: Iterator[ChangeEntry] | None


@contextmanager
def load_run(config: Path | None, run_id: str) -> Iterator[ShownRun]:
    """Load one run by its id, or by the beginning of its id."""
    refuse_empty_id(run_id)
    settings, database = _open(config)
    if database.exists:
        require_filled(database)
        with database.session() as session:
            if found := load_runs_named(session, run_id):
                run = only_run(found, run_id)
                changes = load_entries_of_run(session, run.key)
                yield ShownRun(report=run.report, changes=changes)
                return
    # A run that failed or was refused has left only a report file. Somebody names this one, so all
    # files are looked at, however old they are.
    saved = load_saved_reports(settings, database, newest=10_000)
    reports = [report for report in saved if report["run_id"].startswith(run_id)]
    yield ShownRun(report=only_run(reports, run_id), changes=None)
