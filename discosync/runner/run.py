"""One run: how it was asked for, its clock and phases, and its report at any moment."""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from discosync.core.progress import Progress
from discosync.core.reporting.findings import Findings
from discosync.core.reporting.report import RunReport, RunStatus
from discosync.core.reporting.report_parts import ApiUse, CacheUse
from discosync.errors import DiscosyncError, ExitStatus, LimitRefused, Stopped
from discosync.runner.signals import Signals

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


@dataclass(slots=True, kw_only=True)
class Run:
    """One execution of a command.

    The story fills `findings`. `api_use` and `cache_use` read the meters of whatever talks to
    Discogs and the cache. `report_dir` is where this database's reports are kept, as soon as that
    is known. `committed` is the report that was committed together with the data: once there is
    one, it says how the run ended, whatever happens afterwards.
    """

    request: RunRequest
    progress: Progress
    set_up_logging: Callable[[str], None] = lambda _log_format: None
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    findings: Findings = field(default_factory=Findings)
    signals: Signals = field(init=False)
    api_use: Callable[[], ApiUse] = ApiUse
    cache_use: Callable[[], CacheUse] = CacheUse
    report_dir: Path | None = None
    committed: RunReport | None = None
    _phases: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _open_phase: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        """Begin in the stage in which every signal counts."""
        self.signals = Signals(
            time_budget_seconds=self.request.time_budget_seconds,
            run_id=self.run_id,
            has_committed=lambda: self.committed is not None,
        )

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
            # A phase may come twice: a run that falls back to the pages fetches a second time.
            self._phases[name] = self._phases.get(name, 0.0) + seconds
            calls = self.api_use().requests - requests_before
            _log.info("%s: %.2f s, %d API calls", name, seconds, calls)

    def _phases_so_far(self) -> dict[str, float]:
        if self._open_phase is None:
            return dict(self._phases)
        name, began = self._open_phase
        return {**self._phases, name: self._phases.get(name, 0.0) + time.monotonic() - began}

    def remaining_seconds(self) -> float:
        """Return how much of the time budget is left."""
        return self.request.time_budget_seconds - (time.monotonic() - self._began)

    def report(self, error: DiscosyncError | None = None) -> RunReport:
        """Sum up the run as it stands; `error` is what ended it."""
        status, exit_status = outcome_of(self.request, self.findings, error)
        return RunReport(
            run_id=self.run_id,
            command=self.request.command,
            status=status,
            exit_status=exit_status,
            dry_run=self.request.dry_run,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            duration_seconds=time.monotonic() - self._began,
            phases=self._phases_so_far(),
            api=self.api_use(),
            cache=self.cache_use(),
            findings=self.findings.as_it_stands(),
            error=error,
        )


def outcome_of(
    request: RunRequest, findings: Findings, error: DiscosyncError | None
) -> tuple[RunStatus, ExitStatus]:
    """Return how a run ended: by its error, else by changes (if asked for), else by warnings.

    A limit that refuses and a signal that stops are no failures of the program.
    """
    if isinstance(error, LimitRefused):
        return RunStatus.REFUSED, error.exit_status
    if isinstance(error, Stopped):
        return RunStatus.INTERRUPTED, error.exit_status
    if error is not None:
        return RunStatus.FAILED, error.exit_status
    status = RunStatus.OK_WITH_WARNINGS if findings.has_warnings else RunStatus.OK
    # Only with `--exit-code`, whose caller asks one thing: would anything change?
    if request.exit_code_for_changes and findings.has_changes:
        return status, ExitStatus.CHANGES
    return status, ExitStatus.OK_WITH_WARNINGS if findings.has_warnings else ExitStatus.OK
