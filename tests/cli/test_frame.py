"""How a command without a report ends."""

import json
import signal
from collections.abc import Callable, Iterator

import pytest
import typer

from discosync.cli.frame import answering, run_several
from discosync.console import Console
from discosync.core.reporting.report import combine_reports
from discosync.database.connection.commits import committing, warn_of_commit
from discosync.errors import StorageFailed
from discosync.runner import Run, RunRequest, Signals, StopRun


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (StorageFailed("the disk is full", hint="make room"), 16, "→ make room"),
        (IsADirectoryError(21, "Is a directory", "shop.csv"), 16, "cannot use shop.csv"),
    ],
)
def test_error_ends_a_command_with_its_status(
    fault: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """People read why on stderr; a program reads it as JSON on stdout."""
    with pytest.raises(typer.Exit) as ended, answering(as_json=True):
        raise fault
    shown = capsys.readouterr()
    assert ended.value.exit_code == status
    assert json.loads(shown.out)["exit_code"] == status
    assert said in shown.err


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_signal_ends_a_command_with_its_status(
    number: signal.Signals, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command without a report hears the same signals as a run, and says what they did."""
    with pytest.raises(typer.Exit) as ended, answering(as_json=True):
        signal.raise_signal(number)
    shown = capsys.readouterr()
    assert ended.value.exit_code == status
    assert json.loads(shown.out)["exit_code"] == status
    assert "nothing was changed" in shown.err


def test_signal_after_a_commit_changes_nothing() -> None:
    """From its COMMIT on a command goes on to its end, whoever wants it to stop."""
    with answering(as_json=False):
        with committing():
            pass
        signal.raise_signal(signal.SIGTERM)


def test_commit_that_is_not_as_it_should_be_is_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the database says of a commit is told, and the status is 3."""
    with pytest.raises(typer.Exit) as ended, answering(as_json=False), committing():
        warn_of_commit("the standby is gone")
    assert ended.value.exit_code == 3
    assert "warning: the standby is gone" in capsys.readouterr().err


def test_signal_between_two_runs_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """No other run begins, and the whole command ends with the signal's status."""
    begun: list[str] = []

    def runs() -> Iterator[tuple[RunRequest, Callable[[Run], None]]]:
        yield RunRequest(command="sync"), lambda _run: begun.append("first")
        signal.raise_signal(signal.SIGTERM)
        yield RunRequest(command="sync"), lambda _run: begun.append("second")

    status = run_several(Console(as_json=True), runs(), combine_reports, path=None, diff=None)

    assert (begun, status) == (["first"], 143)
    assert len(json.loads(capsys.readouterr().out)["sellers"]) == 1


def test_run_takes_over_what_came_before_it() -> None:
    """A signal that came while nothing listened but the command ends the next run at once."""
    outer, inner = Signals(), Signals()
    with outer.listening():
        signal.raise_signal(signal.SIGTERM)
        with inner.listening(), pytest.raises(StopRun):
            inner.begin()


def test_bug_is_not_hidden() -> None:
    """A fault that nobody foresaw keeps its traceback."""
    with pytest.raises(ZeroDivisionError), answering(as_json=False):
        _ = 1 / 0
    with pytest.raises(OSError, match="Invalid argument"), answering(as_json=False):
        raise OSError(22, "Invalid argument")
