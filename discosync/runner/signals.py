"""When a signal ends a run, and when it is too late for that.

SIGINT (Ctrl-C), SIGTERM and SIGHUP ask a run to end, and so does SIGALRM, which the run sets for
the end of its time budget. What a signal does depends on the stage that the run is in.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType

from discosync.errors import DiscosyncError, Interrupted, Terminated, TimeBudgetUsedUp


class Stage(Enum):
    """What a run is doing, as far as signals care."""

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


class Signals:
    """The stage that one run is in, and the signals that it has received."""

    def __init__(self, *, time_budget_seconds: float) -> None:
        self.stage = Stage.RUNNING
        self._time_budget_seconds = time_budget_seconds
        self._received: list[int] = []

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
            raise StopRun(self._reason(self._received[-1]))

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

    def end(self) -> None:
        """Say that the story is over."""
        self.stage = Stage.ENDING

    @contextmanager
    def listening(self, *, seconds: float) -> Iterator[None]:
        """Receive signals, and one of our own when these seconds are over."""

        def receive(number: int, _frame: FrameType | None) -> None:
            self.receive(number)

        # SIGHUP: the terminal is gone, which ends a run as a shutdown does.
        caught = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM)
        before = {number: signal.signal(number, receive) for number in caught}
        # 0 would set no alarm at all.
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

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


@contextmanager
def telling() -> Iterator[None]:
    """While a report is printed, let a signal stop the printing.

    The run itself is over by then, and its exit status stays.
    """
    caught = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
