"""End a process that does not get to its own end, whatever it hangs in.

Python runs a signal's handler between two steps of the main thread: never while that hangs in the
library of a database, or in a disk that does not answer. So a thread of its own is told of each
signal by the system, and waits for it to be obeyed.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from discosync.ending import GRACE_SECONDS

OBEYED_WITHIN_SECONDS = 300.0
"""How long one signal may take to be obeyed: longer than all that is bounded by itself."""


@contextmanager
def watching(end: Callable[[Sequence[int]], None]) -> Iterator[None]:
    """Call `end` with the signals received so far, in a thread, if they are not obeyed.

    A second one that asks the process to end is obeyed within a second.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    thread = threading.Thread(target=_watch, args=(reader, end), daemon=True, name="watchdog")
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        thread.start()
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        thread.join()
        os.close(reader)


def _watch(reader: int, end: Callable[[Sequence[int]], None]) -> None:
    received: list[int] = []
    ends_at: float | None = None
    while True:
        left = None if ends_at is None else max(ends_at - time.monotonic(), 0.0)
        if not select.select([reader], [], [], left)[0]:
            end(received)
            return
        numbers = os.read(reader, 64)
        if not numbers:
            return
        received += numbers
        wanted = ends_at_after(received, now=time.monotonic())
        ends_at = wanted if ends_at is None else min(ends_at, wanted)


def ends_at_after(received: Sequence[int], *, now: float) -> float:
    """Return when a process that received these signals has to be gone."""
    # The end of a time budget is nobody's impatience.
    asked = sum(number != signal.SIGALRM for number in received)
    return now + (GRACE_SECONDS if asked > 1 else OBEYED_WITHIN_SECONDS)
