"""How runs are told: to people and to programs, and when output fails."""

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from discosync.console import Console
from discosync.console.progress_bars import BarProgress, PlainProgress
from discosync.core.progress import NoProgress
from discosync.core.reporting.findings import Problem
from discosync.core.reporting.report import RunStatus
from discosync.errors import BadData, ExitStatus, LimitRefused
from tests.console.test_terminal import Terminal
from tests.support.reports import make_change, make_report

REFUSED: dict[str, Any] = {
    "error": LimitRefused("remove 9 of 10", hint="type this"),
    "exit_status": ExitStatus.LIMIT,
    "status": RunStatus.REFUSED,
}


def test_json_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads one object; what went wrong is on stderr for people too."""
    status = Console(as_json=True).tell(make_report(**REFUSED))
    shown = capsys.readouterr()
    assert status is ExitStatus.LIMIT
    assert json.loads(shown.out)["error"]["hint"] == "type this"
    assert shown.err.splitlines() == [
        "discosync: remove 9 of 10",
        "  → type this",
        "  exit status 13 (limit: refused, nothing was changed)",
    ]


def test_quiet_run_says_only_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """With -q a clean run prints nothing, a note is left out, a warning is not."""
    problems = (
        Problem(code="a", text="look", line=3),
        Problem(code="b", text="fyi", is_warning=False),
    )
    Console(quiet=True).tell(make_report())
    assert capsys.readouterr() == ("", "")
    Console(quiet=True).tell(make_report(problems=problems))
    assert capsys.readouterr() == ("", "discosync: warning: look (line 3)\n")
    Console().show_report(make_report(problems=problems))
    assert "discosync: note: fyi" in capsys.readouterr().err


def test_many_problems_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten are shown; the report holds all."""
    Console(quiet=True).tell(make_report(problems=(Problem(code="a", text="look"),) * 12))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "discosync: … and 2 more, see the report"


@pytest.mark.parametrize(
    ("diff", "starts"), [("json", "{"), ("markdown", "### discosync"), ("table", "updated\t7")]
)
def test_diff_has_the_form_that_was_asked_for(
    diff: str, starts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON, Markdown or a table."""
    Console().tell(make_report(changes=(make_change("updated"),)), diff=diff)
    assert capsys.readouterr().out.startswith(starts)


def test_table_of_a_run_without_a_plan_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that failed before the comparison does not claim that nothing changed."""
    failed = make_report(error=BadData("cut short"), exit_status=ExitStatus.BAD_DATA)
    Console().tell(failed, diff="table")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        (OSError(28, "No space left on device"), ExitStatus.OK_WITH_WARNINGS, "No space left"),
        (BrokenPipeError(32, "Broken pipe"), ExitStatus.OK, ""),
        (KeyboardInterrupt(), ExitStatus.OK, ""),
    ],
)
def test_output_that_fails_does_not_undo_the_run(
    fault: BaseException,
    status: ExitStatus,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What was committed stays: a full disk is a warning, a reader who has gone is nothing."""

    class Failing(io.StringIO):
        def write(self, _text: str) -> int:
            raise fault

        def fileno(self) -> int:
            return spare

    spare = os.dup(1)
    monkeypatch.setattr("sys.stdout", Failing())
    assert Console().tell(make_report()) is status
    os.close(spare)
    assert told in capfd.readouterr().err


def test_report_that_cannot_be_written_is_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Several sellers were synced; their common report had no directory to go to."""
    missing = tmp_path / "missing" / "report.json"
    missing.parent.write_text("a file")
    combined = {"exit_code": 0, "reports": []}
    assert Console().tell_combined(combined, path=missing) is ExitStatus.OK_WITH_WARNINGS
    assert "output failed" in capfd.readouterr().err
    assert Console().tell_combined(combined, path=tmp_path / "x.json") is ExitStatus.OK


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), (" YES \n", True), ("\n", False), ("n\n", False)]
)
def test_only_yes_is_yes(answer: str, agreed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever only presses Enter has not agreed."""
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())
    assert Console().confirm("Set it?") is agreed


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script's command line is its answer."""
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert Console().confirm("Set it?")


def test_progress_fits_who_is_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar on a terminal, lines in a log, nothing with -q; the log of -v would cut a bar."""
    assert isinstance(Console(quiet=True).progress(), NoProgress)
    assert isinstance(Console().progress(), PlainProgress)
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert isinstance(Console().progress(), BarProgress)
    assert isinstance(Console(verbosity=1).progress(), PlainProgress)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The program's logger, which is put back afterwards."""
    found = logging.getLogger("discosync")
    before = (found.handlers[:], found.propagate, found.level)
    yield found
    found.handlers[:], found.propagate, found.level = before


@pytest.mark.parametrize(
    ("verbosity", "level"), [(0, "WARNING"), (1, "INFO"), (2, "DEBUG"), (9, "DEBUG")]
)
def test_each_v_says_more(logger: logging.Logger, verbosity: int, level: str) -> None:
    """More than two make no difference."""
    Console(verbosity=verbosity).set_up_logging("text")
    assert logging.getLevelName(logger.level) == level


def test_long_list_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """It is written piece by piece, and is JSON all the same."""
    Console().show_json_list({"a": 1}, "items", iter([{"b": 2}, {"b": 3}]))
    assert json.loads(capsys.readouterr().out) == {"a": 1, "items": [{"b": 2}, {"b": 3}]}
    Console().show_json_list({"a": 1}, "items", iter([]))
    assert json.loads(capsys.readouterr().out) == {"a": 1, "items": []}
