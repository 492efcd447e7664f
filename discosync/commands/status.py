"""`discosync status` and `discosync runs`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from discosync.commands.steps.directories import report_dir
from discosync.commands.steps.opening import Opened, opened, require_filled
from discosync.commands.steps.run_ids import only_run, refuse_empty_id
from discosync.core.flags import FlagContext, resolve_flags
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.past_runs import RUN_COMMANDS, RunLine, parse_run_line
from discosync.core.reporting.status import Status
from discosync.database.catalog.enrichment import load_coverage
from discosync.database.connection.engine import Database, open_database
from discosync.database.flags.states import load_flag_states
from discosync.database.past.history import load_entries_of_run
from discosync.database.rows.counts import load_counts, load_purge_outlook
from discosync.database.rows.sellers import resolve_seller
from discosync.database.runs.past_runs import (
    RunFilter,
    load_last_success,
    load_run_reports,
    load_runs_named,
)
from discosync.errors import UsageFault
from discosync.settings import Settings, current_environment, load_settings

_RUNS_SHOWN = 24
_FILES_READ = 60
"""Of the newest report files; what failed long ago is no longer news."""


def load_status(config: Path | None, *, seller: str | None, max_age: timedelta) -> Status:
    """Say how a seller's mirror stands now."""
    now = datetime.now(UTC)
    with opened(config, seller=seller, may_be_new=True) as at:
        session, days = at.session, at.settings.retention_days
        counts = load_counts(session, at.seller)
        wanted = RunFilter(seller=at.seller, command="sync", limit=_RUNS_SHOWN)
        return Status(
            now=now,
            seller=at.seller,
            database=at.database.shown,
            max_age=max_age,
            last_success=load_last_success(session, at.seller),
            counts=counts,
            coverage=load_coverage(session, at.seller),
            purge=load_purge_outlook(session, at.seller, now - timedelta(days=days)),
            retention_days=days,
            runs=_merge(load_run_reports(session, wanted), _saved(at), wanted),
            flags=_flags(at, now),
            cache_hit_rate=_last_hit_rate(at),
        )


def _last_hit_rate(at: Opened) -> float | None:
    """Say which share the cache answered in the last enrichment that asked it something."""
    wanted = RunFilter(seller=at.seller, command="enrich", limit=_RUNS_SHOWN)
    runs = _merge(load_run_reports(at.session, wanted), _saved(at), wanted)
    rates = (run.cache_hit_rate for run in runs)
    return next((rate for rate in rates if rate is not None), None)


def _flags(at: Opened, now: datetime) -> dict[str, bool]:
    states = load_flag_states(at.session)
    context = FlagContext(seller=at.seller, now=now)
    values = resolve_flags(at.settings.flags, states, context, asked={})
    return {flag.value: value.value for flag, value in values.items()}


def _saved(at: Opened) -> Iterator[dict[str, Any]]:
    return _saved_reports(at.settings, at.database)


def load_runs(config: Path | None, wanted: RunFilter) -> list[RunLine]:
    """Load the newest runs, newest first: recorded ones, and those that left only a report."""
    if wanted.command is not None and wanted.command not in RUN_COMMANDS:
        raise UsageFault(
            f"no runs are kept of {wanted.command!r}",
            hint=f"commands that make runs: {', '.join(RUN_COMMANDS)}",
            code="unknown_command",
        )
    settings, database = _open(config)
    saved = _saved_reports(settings, database)
    if not database.exists:
        return _merge([], saved, wanted)
    require_filled(database)
    with database.session() as session:
        if wanted.seller is not None:
            wanted = replace(wanted, seller=resolve_seller(session, wanted.seller))
        return _merge(load_run_reports(session, wanted), saved, wanted)


def _open(config: Path | None) -> tuple[Settings, Database]:
    settings = load_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    return settings, open_database(address, read_only=True, application="discosync")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """One run's whole report, and its changes as the history holds them, to go through once.

    `changes` is None for a run that never reached the database.
    """

    report: Mapping[str, Any]
    changes: Iterator[ChangeEntry] | None


@contextmanager
def load_run(config: Path | None, run_id: str) -> Iterator[ShownRun]:
    """Load one run by its id, or by how that begins."""
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
    saved = _saved_reports(settings, database, newest=10_000)
    reports = [report for report in saved if report["run_id"].startswith(run_id)]
    yield ShownRun(report=only_run(reports, run_id), changes=None)


def _merge(
    recorded: list[dict[str, Any]], saved: Iterator[dict[str, Any]], wanted: RunFilter
) -> list[RunLine]:
    # A report tells whole seconds: within one, runs keep the order in which they were written.
    in_order = {r["run_id"]: r for r in reversed(recorded)}
    by_id = {report["run_id"]: report for report in saved} | in_order
    lines = [
        _line for report in reversed(by_id.values()) if (_line := _readable(report)) is not None
    ]
    lines = [
        run
        for run in lines
        if wanted.command in {None, run.command}
        and (wanted.seller is None or wanted.seller.casefold() == run.seller.casefold())
    ]
    return sorted(lines, key=lambda run: run.started_at, reverse=True)[: wanted.limit]


def _readable(report: dict[str, Any]) -> RunLine | None:
    with suppress(KeyError, ValueError, TypeError, AttributeError):
        return parse_run_line(report)
    return None


def _written(path: Path) -> tuple[str, int, str]:
    """Order report files by the second in their names, then by when they were written."""
    with suppress(OSError):
        return path.name.split("-")[-2], path.stat().st_mtime_ns, path.name
    return path.name.split("-")[-2], 0, path.name


def _saved_reports(
    settings: Settings, database: Database, *, newest: int = _FILES_READ
) -> Iterator[dict[str, Any]]:
    """Read the newest report files: a run that was refused or failed leaves nothing else.

    Several databases may keep their reports in one directory: those of others are left out.
    """
    directory = report_dir(settings.report_dir, database)
    if directory is None or not directory.is_dir():
        return
    # NAME-COMMAND's own hyphens aside, a name ends with its moment and the run's id.
    by_moment = sorted(directory.glob("*-*Z-*.json"), key=_written)
    for path in by_moment[-newest:]:
        # Whatever else has such a name: a pipe would never end, and nested JSON is none of ours.
        with suppress(OSError, ValueError, RecursionError):
            if not path.is_file():
                continue
            report = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(report, dict) or not isinstance(report.get("run_id"), str):
                continue
            if report.get("database") in {None, "", database.shown}:
                yield report
