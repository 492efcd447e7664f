"""What a signal does in each stage of a run."""

import signal
from collections.abc import Callable

import pytest

from discosync.errors import ExitStatus
from discosync.runner.signals import Signals, Stage, StopRun


@pytest.fixture
def signals() -> Signals:
    """Give the signals of a run that has just begun."""
    return Signals(time_budget_seconds=90, run_id="r-1")


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, ExitStatus.INTERRUPTED),
        (signal.SIGTERM, ExitStatus.TERMINATED),
        (signal.SIGHUP, ExitStatus.TERMINATED),
        (signal.SIGALRM, ExitStatus.TIME_BUDGET),
    ],
)
def test_signal_ends_a_running_run_at_once(
    signals: Signals, number: int, status: ExitStatus
) -> None:
    """While nothing is being committed, each signal ends the run with its own status."""
    with pytest.raises(StopRun) as stopped:
        signals.receive(number)

    assert stopped.value.error.exit_status is status
    assert signals.stage is Stage.ENDING


def test_second_signal_does_not_interrupt_what_the_first_one_set_going(signals: Signals) -> None:
    """Once a signal has stopped a run, the next one is only remembered."""
    with pytest.raises(StopRun):
        signals.receive(signal.SIGTERM)

    signals.receive(signal.SIGINT)
    signals.heed()

    assert signals.stage is Stage.ENDING


@pytest.mark.parametrize("enter", [Signals.reach_commit, Signals.end])
def test_signal_comes_too_late_for_a_commit_and_for_the_end(
    signals: Signals, enter: Callable[[Signals], None]
) -> None:
    """From the commit on, a signal changes nothing about how the run ends."""
    enter(signals)
    stage = signals.stage

    signals.receive(signal.SIGTERM)
    signals.heed()

    assert signals.stage is stage
    assert signals.is_stop_wanted


def test_signal_waits_for_a_part_to_be_committed(signals: Signals) -> None:
    """While a part is committed a signal waits; `heed` raises it as soon as that is done."""
    with signals.committing_part():
        signals.receive(signal.SIGINT)
        signals.heed()

    with pytest.raises(StopRun):
        signals.heed()


def test_heed_does_nothing_without_a_signal(signals: Signals) -> None:
    """A run that received no signal goes on after each part."""
    with signals.committing_part():
        pass

    signals.heed()

    assert signals.stage is Stage.RUNNING


def test_part_that_an_ending_run_commits_leaves_it_ending(signals: Signals) -> None:
    """The last part of a stopped run is committed, and the run still ends."""
    with pytest.raises(StopRun):
        signals.receive(signal.SIGTERM)

    with signals.committing_part():
        pass

    assert signals.stage is Stage.ENDING


def test_commit_of_a_part_that_fails_lets_signals_through_again(signals: Signals) -> None:
    """An error out of a part's commit leaves no run that hears no signal."""
    with pytest.raises(ZeroDivisionError), signals.committing_part():
        raise ZeroDivisionError

    assert signals.stage is Stage.RUNNING


def test_time_budget_ends_one_run_and_not_the_process(signals: Signals) -> None:
    """When one seller's time is used up, the next seller still has a turn."""
    with pytest.raises(StopRun):
        signals.receive(signal.SIGALRM)

    assert not signals.is_stop_wanted


def test_handlers_are_put_back_after_a_run(signals: Signals) -> None:
    """A run listens only while it lasts, and then sets off its own alarm no more."""
    before = signal.getsignal(signal.SIGTERM)

    with signals.listening(seconds=60):
        assert signal.getsignal(signal.SIGTERM) is not before
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0

    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_signal_of_the_system_reaches_the_run(signals: Signals) -> None:
    """What the system delivers ends the run like a call of `receive`."""
    with signals.listening(seconds=60):
        signals.begin()
        with pytest.raises(StopRun):
            signal.raise_signal(signal.SIGTERM)


def test_signal_before_the_story_waits_for_it(signals: Signals) -> None:
    """What comes while a run is being set up ends the run, and not what sets it up."""
    with signals.listening():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(StopRun):
            signals.begin()


def test_hangup_that_nohup_ignores_stays_ignored(signals: Signals) -> None:
    """A run that was started with `nohup` survives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.listening():
            signals.begin()
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signals.missed() is None


TERM, INT, ALARM = signal.SIGTERM, signal.SIGINT, signal.SIGALRM


@pytest.mark.parametrize(
    ("stage", "received", "status", "said"),
    [
        (Stage.RUNNING, [TERM], 143, "nothing was changed"),
        (Stage.ENDING, [INT, INT], 130, "nothing was changed"),
        (Stage.ENDING, [ALARM], 18, "nothing was changed"),
        (Stage.COMMITTING, [TERM], 16, "commit_unknown"),
        (Stage.COMMITTING, [ALARM], 16, "commit_unknown"),
        (Stage.COMMITTING, [TERM, TERM], 143, "`discosync runs r-1` says whether it took place"),
        (Stage.COMMITTING_PART, [TERM, INT], 130, "says whether it took place"),
    ],
)
def test_process_that_hangs_ends_with_what_is_known(
    signals: Signals, stage: Stage, received: list[int], status: int, said: str
) -> None:
    """Who ends a process that does not end by itself says what became of the database."""
    signals.stage = stage

    ends_with, words = signals.last_words(received)

    assert ends_with == status
    assert said in words


def test_process_that_hangs_after_its_commit_has_changed_data() -> None:
    """Whatever hangs afterwards: 0 and 3 are the only statuses of changed data."""
    signals = Signals(has_committed=lambda: True)
    signals.end()

    assert signals.last_words([TERM, TERM])[0] is ExitStatus.OK_WITH_WARNINGS
