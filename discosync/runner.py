"""The frame of every command: clock, signals, time budget, phases, and from error to report.

A command's story only tells what it does; how it ends is decided here, once.
"""

import logging
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from discosync.core.flags import Flag, FlagValue
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.progress import Progress
from discosync.core.reporting.change_entry import ChangeEntry
from discosync.core.reporting.report import Problem, RunReport, RunStatus
from discosync.core.reporting.report_parts import ApiUse, ArchiveUse, CacheUse, ListingCounts
from discosync.errors import (
    DiscosyncError,
    ExitStatus,
    Interrupted,
    LimitRefused,
    Stopped,
    Terminated,
    TimeBudgetUsedUp,
)
from discosync.files.disk import path_refused
from discosync.files.reports import save_report

if TYPE_CHECKING:
    from discosync.core.catalog.enrichment import EnrichmentUse
    from discosync.core.reporting.comparison import Comparison

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """How a run was asked for; `arguments` are what a person typed, and could type again."""

    command: str
    arguments: tuple[str, ...] = ()
    dry_run: bool = False
    exit_code_for_changes: bool = False
    time_budget_seconds: float = 2700.0
    report_path: Path | None = None
    report_dir: Path | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """One execution: its identity and clock, and what its story has found out so far."""

    request: RunRequest
    progress: Progress
    set_up_logging: Callable[[str], None] = lambda _log_format: None
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seller: str | None = None
    database: str = ""
    source: str | None = None
    source_reason: str | None = None
    fallback_from: str | None = None
    snapshot: Snapshot | None = None
    columns: tuple[str, ...] = ()
    counts: ListingCounts = field(default_factory=ListingCounts)
    has_changes: bool = False
    changes: tuple[ChangeEntry, ...] | None = None
    highlights: tuple[ChangeEntry, ...] = ()
    comparison: "Comparison | None" = None
    archive: ArchiveUse | None = None
    enrichment: "EnrichmentUse | None" = None
    inventory_value: dict[str, dict[str, Any]] | None = None
    price_changes: dict[str, dict[str, Any]] | None = None
    advice: str = ""
    database_variable: str = ""
    config_option: str = ""
    flags: dict[Flag, FlagValue] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    api_use: Callable[[], ApiUse] = ApiUse
    cache_use: Callable[[], CacheUse] = CacheUse
    is_ending: bool = False
    is_committing: bool = False
    is_stop_wanted: bool = False
    missed_signal: int | None = None
    committed: RunReport | None = None
    _phases: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _open_phase: tuple[str, float] | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase and log its end, with its API calls."""
        began, requests_before = time.monotonic(), self.api_use().requests
        self._open_phase = (name, began)
        try:
            yield
        finally:
            self.progress.end()
            self._open_phase = None
            seconds = time.monotonic() - began
            self._phases[name] = self._phases.get(name, 0.0) + seconds
            calls = self.api_use().requests - requests_before
            _log.info("%s: %.2f s, %d API calls", name, seconds, calls)

    def reach_commit(self) -> None:
        """Let the commit that follows finish: a signal that comes now is too late to matter."""
        self.is_committing = self.is_ending = True

    @contextmanager
    def committing_part(self) -> Iterator[None]:
        """Let one part's commit finish; a signal that comes meanwhile is kept for `heed`."""
        was_ending, self.is_ending = self.is_ending, True
        try:
            yield
        finally:
            self.is_ending = was_ending

    def heed(self) -> None:
        """Raise what a signal asked for while a part was committed."""
        if self.missed_signal is not None and not self.is_ending:
            self.is_ending = True
            raise StopRun(_reason_to_stop(self, self.missed_signal))

    def _phases_so_far(self) -> dict[str, float]:
        if self._open_phase is None:
            return dict(self._phases)
        name, began = self._open_phase
        return {**self._phases, name: self._phases.get(name, 0.0) + time.monotonic() - began}

    def remaining_seconds(self) -> float:
        """Say how much of the time budget is left."""
        return self.request.time_budget_seconds - (time.monotonic() - self._began)

    def report(self, error: DiscosyncError | None = None) -> RunReport:
        """Sum up the run as it stands."""
        status, exit_status = self._outcome(error)
        return RunReport(
            run_id=self.run_id,
            command=self.request.command,
            seller=self.seller,
            status=status,
            exit_status=exit_status,
            dry_run=self.request.dry_run,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            duration_seconds=time.monotonic() - self._began,
            source=self.source,
            source_reason=self.source_reason,
            fallback_from=self.fallback_from,
            phases=self._phases_so_far(),
            listings=self.counts,
            api=self.api_use(),
            cache=self.cache_use(),
            flags=self.flags,
            database=self.database,
            snapshot=self.snapshot,
            columns=self.columns,
            problems=tuple(self.problems),
            changes=self.changes,
            highlights=self.highlights,
            advice=self.advice,
            database_variable=self.database_variable,
            config_option=self.config_option,
            comparison=self.comparison,
            archive=self.archive,
            enrichment=self.enrichment,
            inventory_value=self.inventory_value,
            price_changes=self.price_changes,
            error=error,
        )

    def _outcome(self, error: DiscosyncError | None) -> tuple[RunStatus, ExitStatus]:
        if isinstance(error, LimitRefused):
            return RunStatus.REFUSED, error.exit_status
        if isinstance(error, Stopped):
            return RunStatus.INTERRUPTED, error.exit_status
        if error is not None:
            return RunStatus.FAILED, error.exit_status
        has_warnings = any(problem.is_warning for problem in self.problems)
        status = RunStatus.OK_WITH_WARNINGS if has_warnings else RunStatus.OK
        if self.request.exit_code_for_changes and self.has_changes:
            return status, ExitStatus.CHANGES
        return status, ExitStatus.OK_WITH_WARNINGS if has_warnings else ExitStatus.OK


class StopRun(KeyboardInterrupt):
    """Carries an error of ours out of wherever the run happens to be.

    No library takes it for an error it could handle, and psycopg cancels its query for it. A story
    that works in parts may catch it, to commit the part that is whole; no signal is heard then.
    """

    def __init__(self, error: DiscosyncError) -> None:
        super().__init__()
        self.error = error


def execute(run: Run, story: Callable[[Run], None]) -> RunReport:
    """Tell the story; whatever happens, return a report of it, and save it where asked."""
    with _signals(run):
        error = _end_of(run, story)
        run.is_ending = True
        run.progress.end()
        return _save(run.request, run.committed or run.report(error))


def _end_of(run: Run, story: Callable[[Run], None]) -> DiscosyncError | None:
    try:
        story(run)
    except StopRun as stop:
        return stop.error
    except DiscosyncError as exc:
        return exc
    except OSError as exc:
        return path_refused(exc) or _bug(exc)
    except Exception as exc:  # noqa: BLE001 - the last line of defence: a bug must end in a report
        return _bug(exc)
    return None


def _bug(exc: Exception) -> DiscosyncError:
    _log.exception("this is a bug in discosync")
    return DiscosyncError(
        f"{type(exc).__name__}: {exc}",
        hint="this is a bug in discosync; please report it with the output of -v",
    )


@contextmanager
def _signals(run: Run) -> Iterator[None]:
    """Turn signals, and the end of the time budget, into errors that end the run at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            run.is_stop_wanted = True
        run.missed_signal = number
        if not run.is_ending:  # from the commit on, it comes too late to matter
            run.is_ending = True
            raise StopRun(_reason_to_stop(run, number))

    # SIGHUP: the terminal is gone, which ends a run as a shutdown does.
    caught = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM)
    before = {number: signal.signal(number, stop) for number in caught}
    signal.setitimer(signal.ITIMER_REAL, max(run.remaining_seconds(), 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def telling() -> Iterator[None]:
    """Let a signal cut short what is told after a run, and not change how the run ended."""
    caught = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason_to_stop(run: Run, number: int) -> DiscosyncError:
    if number == signal.SIGALRM:
        budget = run.request.time_budget_seconds
        return TimeBudgetUsedUp(
            f"the run took longer than its time budget of {budget:g} seconds",
            hint="nothing was changed; the next run tries again, or raise --time-budget",
        )
    if number == signal.SIGINT:
        return Interrupted("interrupted", hint="nothing was changed")
    return Terminated("terminated", hint="nothing was changed")


def _save(request: RunRequest, report: RunReport) -> RunReport:
    directory = None if request.dry_run else request.report_dir
    return save_report(report, path=request.report_path, directory=directory)
