"""When a signal ends a run, and when it is too late for that.

SIGINT (Ctrl-C), SIGTERM and SIGHUP ask a run to end, and so does SIGALRM, which the run sets for
the end of its time budget. What a signal does depends on the stage that the run is in. A second
signal ends the process within a second, whatever the stage is.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from types import FrameType

from discosync.ending import STATUS_BY_SIGNAL, heeded_signals
from discosync.errors import (
    DiscosyncError,
    ExitStatus,
    Interrupted,
    Terminated,
    TimeBudgetUsedUp,
)
from discosync.runner.watchdog import watching


class Stage(Enum):
    """What a run is doing, as far as signals care."""

    STARTING = auto()
    """The story has not begun: a signal waits until it has."""

    RUNNING = auto()
    """Nothing is committed yet, or every part is: a signal ends the run at once."""

    COMMITTING_PART = auto()
    """One part of several is being committed: a signal waits until that is done."""

    COMMITTING = auto()
    """The run's only commit has begun: a signal comes too late to change how the run ends."""

    ENDING = auto()
    """The story is over, or a signal has cut it short: only the report is left to make."""


class StopRun(KeyboardInterrupt):
    """Carries an error of ours out of wherever the run happens to be.

    No library takes it for an error it could handle, and psycopg cancels its query for it. A story
    that works in parts may catch it, to commit the part that is whole: the stage is `ENDING` then,
    so no second signal interrupts that.
    """

    def __init__(self, error: DiscosyncError) -> None:
        super().__init__()
        self.error = error


_listening: list["Signals"] = []


class Signals:
    """The stage that one run is in, and the signals that it has received.

    `has_committed` says whether the run has changed the database, and knows it. `stopped_by` is the
    error that a signal has ended the run with; what is cut short may raise another one on its way.
    """

    def __init__(
        self,
        *,
        time_budget_seconds: float = 0.0,
        run_id: str = "",
        has_committed: Callable[[], bool] = lambda: False,
    ) -> None:
        self.stage = Stage.RUNNING
        self._time_budget_seconds = time_budget_seconds
        self._run_id = run_id
        self._has_committed = has_committed
        self._received: list[int] = []
        self.stopped_by: DiscosyncError | None = None

    @property
    def is_stop_wanted(self) -> bool:
        """Whether somebody wants the process to end; the end of a time budget ends one run only."""
        return any(number != signal.SIGALRM for number in self._received)

    def receive(self, number: int) -> None:
        """Take a signal: raise `StopRun` while the run may still be stopped, else remember it."""
        self._received.append(number)
        self._stop_if_running()

    def heed(self) -> None:
        """Raise `StopRun` for a signal that came while a part was being committed."""
        if self._received:
            self._stop_if_running()

    def _stop_if_running(self) -> None:
        if self.stage is Stage.RUNNING:
            # Before anything else, so that a second signal does not interrupt the ending.
            self.stage = Stage.ENDING
            self.stopped_by = self._reason(self._received[-1])
            raise StopRun(self.stopped_by)

    def reach_commit(self) -> None:
        """Let the commit that follows finish, and with it the run."""
        self.stage = Stage.COMMITTING

    @contextmanager
    def committing_part(self) -> Iterator[None]:
        """Let one part's commit finish; `heed` then says what came meanwhile."""
        before, self.stage = self.stage, Stage.COMMITTING_PART
        try:
            yield
        finally:
            # A part may be committed while the run is ending already: it goes on ending.
            self.stage = before

    def begin(self) -> None:
        """Say that the story begins: from now on a signal ends it."""
        for outer in _listening[:-1]:  # what came between the runs of one command
            self._received += outer._received  # noqa: SLF001 - its own kind
        self.stage = Stage.RUNNING
        self.heed()

    def end(self) -> None:
        """Say that the story is over."""
        self.stage = Stage.ENDING

    def missed(self) -> DiscosyncError | None:
        """Return the error to end with for a signal that came while no story listened."""
        return self._reason(self._received[-1]) if self._received else None

    @contextmanager
    def listening(self, *, seconds: float | None = None) -> Iterator[None]:
        """Receive signals from `begin` on, and one of our own when these seconds are over."""

        def receive(number: int, _frame: FrameType | None) -> None:
            self.receive(number)

        self.stage = Stage.STARTING
        _listening.append(self)
        caught = (*heeded_signals(), signal.SIGALRM)
        before = {number: signal.signal(number, receive) for number in caught}
        if seconds is not None:
            # 0 would set no alarm at all.
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        try:
            with watching(self._end_at_once):
                yield
        finally:
            _listening.remove(self)
            if seconds is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end_at_once(self, received: Sequence[int]) -> None:
        """End the process, which does not end by itself; called by a thread of its own."""
        status, said = self.last_words(received)
        with suppress(OSError):  # a terminal that is gone
            os.write(2, f"discosync: {said}\n".encode())
        os._exit(status)

    def last_words(self, received: Sequence[int]) -> tuple[ExitStatus, str]:
        """Return the status for a process that hangs, and what there is to say about it."""
        asked = [number for number in received if number != signal.SIGALRM]
        if self._has_committed():
            return ExitStatus.OK_WITH_WARNINGS, "ended at once; what was committed is kept"
        if self.stage in {Stage.COMMITTING, Stage.COMMITTING_PART}:
            look = f"`discosync runs {self._run_id}`" if self._run_id else "`discosync db current`"
            unknown = f"the database has not answered the COMMIT: {look} says whether it took place"
            if len(asked) < 2:
                return ExitStatus.STORAGE, f"ended at once (commit_unknown); {unknown}"
            return _status_of(asked), f"ended at once; {unknown}"
        said = "ended at once; nothing was changed"
        return (_status_of(asked) if asked else ExitStatus.TIME_BUDGET), said

    def _reason(self, number: int) -> DiscosyncError:
        if number == signal.SIGALRM:
            return TimeBudgetUsedUp(
                f"the run took longer than its time budget of {self._time_budget_seconds:g} "
                "seconds",
                hint="nothing was changed; the next run tries again, or raise --time-budget",
            )
        if number == signal.SIGINT:
            return Interrupted("interrupted", hint="nothing was changed")
        return Terminated("terminated", hint="nothing was changed")


def _status_of(asked: Sequence[int]) -> ExitStatus:
    return STATUS_BY_SIGNAL[signal.Signals(asked[-1])]
