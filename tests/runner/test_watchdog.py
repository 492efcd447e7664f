"""A thread of its own ends a process that hears no signal."""

import signal
import threading

import pytest

from discosync.runner import watchdog
from discosync.runner.watchdog import OBEYED_WITHIN_SECONDS, ends_at_after, watching
from tests.support.waiting import HUNG_AFTER_SECONDS

TERM, INT, ALARM = signal.SIGTERM, signal.SIGINT, signal.SIGALRM


@pytest.mark.parametrize(
    ("received", "seconds"),
    [
        ([TERM], OBEYED_WITHIN_SECONDS),
        ([ALARM], OBEYED_WITHIN_SECONDS),
        ([ALARM, TERM], OBEYED_WITHIN_SECONDS),
        ([TERM, TERM], 1.0),
        ([INT, TERM], 1.0),
        ([ALARM, INT, INT], 1.0),
    ],
)
def test_second_wish_to_end_is_urgent(received: list[int], seconds: float) -> None:
    """One signal is given time; the second one is not; a used up budget is no wish of anybody."""
    assert ends_at_after(received, now=1000.0) == 1000.0 + seconds


def test_signals_that_are_not_obeyed_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ends the process learns which signals there were."""
    monkeypatch.setattr(watchdog, "OBEYED_WITHIN_SECONDS", 0.0)
    before = signal.signal(TERM, lambda *_: None)
    told: list[int] = []
    ended = threading.Event()

    def end(received: object) -> None:
        told.extend(received)  # type: ignore[arg-type]
        ended.set()

    try:
        with watching(end):
            signal.raise_signal(TERM)
            assert ended.wait(HUNG_AFTER_SECONDS)
    finally:
        signal.signal(TERM, before)
    assert told == [TERM]


def test_nothing_is_left_behind() -> None:
    """After a run there is no thread, and signals are told to whom they were told before."""
    threads = threading.active_count()

    with watching(lambda _received: None):
        assert threading.active_count() == threads + 1

    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1
