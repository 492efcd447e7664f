"""How a signal ends the process while no command listens: before one begins, and after it is over.

A command listens by itself (`discosync/runner/signals.py`). Around it there must be no moment at
which a signal could still change what the exit status says about the database.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from discosync.errors import ExitStatus

STATUS_BY_SIGNAL = {
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
    signal.SIGHUP: ExitStatus.TERMINATED,  # the terminal is gone: that is as a shutdown
}

GRACE_SECONDS = 1.0
"""How long what is going on may still take, once a signal wants the process to end at once."""

_settled: ExitStatus | None = None
_is_own_process = False


def heeded_signals() -> list[signal.Signals]:
    """Name the signals that ask the process to end; not SIGHUP under `nohup`, which ignores it."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in STATUS_BY_SIGNAL if not (is_nohup and number == signal.SIGHUP)]


def settle(status: int) -> None:
    """Say how the command ended: from now on no signal changes the exit status."""
    global _settled  # noqa: PLW0603 - a process ends once
    _settled = ExitStatus(status)


def take_signals() -> None:
    """Have signals end the process properly from now on, until a command listens, and afterwards.

    Before a command nothing has been done, and the process ends at once. Afterwards what is being
    printed has a second to get out: the reader of a pipe may have stopped reading.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        if _settled is None:
            os._exit(STATUS_BY_SIGNAL[signal.Signals(number)])
        hurry()

    global _is_own_process  # noqa: PLW0603 - a process begins once
    _is_own_process = True
    for number in heeded_signals():
        signal.signal(number, end)


def hurry() -> None:
    """End the process within a second, with the status that was settled, whatever it waits for."""
    if _is_own_process and _settled is not None:
        status = _settled
        signal.signal(signal.SIGALRM, lambda *_: os._exit(status))
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)


def leave_signals() -> None:
    """Ignore signals until the process is gone: Python puts back their defaults before that."""
    # This may block, so it comes while a signal can still end it. What fails here is told by those
    # who print.
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    for number in heeded_signals():
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Have each of the signals raise `KeyboardInterrupt`: for a server that only waits for one."""
    before = {n: signal.signal(n, signal.default_int_handler) for n in heeded_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
