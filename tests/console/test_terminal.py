"""Lines and tables: in colour on a terminal, plain elsewhere."""

import io
from typing import Any

import pytest

from discosync.console.terminal import is_colourful, print_lines, print_table, say


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def _stdout_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard output a terminal of 60 columns that shows colours."""
    stream = Terminal()
    for name, value in {"NO_COLOR": "", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", stream)
    return stream


@pytest.mark.parametrize(
    ("stream", "environment", "colourful"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    stream: Any, environment: dict[str, str], colourful: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe, a dumb terminal and NO_COLOR each mean plain text; an empty NO_COLOR does not."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_colourful(stream) is colourful


def test_table_in_a_pipe_is_rows_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """`cut` can read it: no head, and a tab inside a cell is a blank."""
    print_table(("a", "b"), [("1", "two\twords"), ("3", "\x1b[1m")], colours={"1": "red"})
    assert capsys.readouterr().out == "1\ttwo words\n3\t\\x1b[1m\n"


def test_table_on_a_terminal_has_a_head_and_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first column's words have their colours."""
    terminal = _stdout_on_a_terminal(monkeypatch)
    print_table(("change", "record"), [("added", "x"), ("other", "y")], colours={"added": "green"})
    head, added, other = terminal.getvalue().splitlines()
    assert "change" in head
    assert "\x1b[32madded" in added
    assert "\x1b[32m" not in other


def test_table_breaks_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is wider than the terminal stays whole, so that it can be copied."""
    terminal = _stdout_on_a_terminal(monkeypatch)
    run_id = "0123456789" * 8
    print_table(("run", "text"), [(run_id, "some words that may be broken into lines " * 3)])
    assert run_id in terminal.getvalue()


def test_headline_of_a_warning_is_yellow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets in a text are text, not rich's markup."""
    terminal = _stdout_on_a_terminal(monkeypatch)
    print_lines("head", [("name", "[value]")], is_clean=False)
    assert "\x1b[1;33mhead" in terminal.getvalue()
    assert "[value]" in terminal.getvalue()


def test_lines_in_a_pipe_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The names stand in a column of their own."""
    print_lines("head", [("name", "[value]")], is_clean=False)
    assert capsys.readouterr().out == "head\n  name       [value]\n"


def test_words_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An escape sequence in a title is shown, not obeyed."""
    say("\x1b]0;x\x07")
    assert capsys.readouterr().out == "\\x1b]0;x\\x07\n"
