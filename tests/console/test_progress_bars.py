"""Progress as lines of text, and as a bar."""

import io

import pytest

from discosync.console.progress_bars import BarProgress, PlainProgress


def test_lines_come_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is quick says nothing; a log is not filled."""
    now = [0.0]
    monkeypatch.setattr("discosync.console.progress_bars.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.begin("pages", 3000)
    for now[0] in (1.0, 9.9, 10.0, 15.0, 20.0):
        progress.advance(500)
    progress.end()
    assert stream.getvalue() == "pages: 1,500 of 3,000\npages: 2,500 of 3,000\n"


def test_unknown_total_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a total only the count is told."""
    now = [0.0]
    monkeypatch.setattr("discosync.console.progress_bars.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.begin("rows", None)
    now[0] = 10.0
    progress.advance(5)
    assert stream.getvalue() == "rows: 5\n"


def test_bar_may_be_ended_before_it_began(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that fails early ends a bar that nobody has seen."""
    bar = BarProgress()
    bar.advance(1)
    bar.end()
    bar.begin("pages", 10)
    bar.advance(10)
    bar.begin("rows", None)
    bar.end()
    bar.end()
    assert capsys.readouterr().out == ""
