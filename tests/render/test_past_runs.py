"""Past runs in rows, and their trend."""

from datetime import UTC, datetime, timedelta
from typing import Any

from discosync.core.reporting.run_line import RunLine
from discosync.render.past_runs import entry_rows, run_row, trend_lines
from tests.support.reports import make_change

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _run(**fields: Any) -> RunLine:
    usual: dict[str, Any] = {
        "run_id": "3f2c",
        "command": "sync",
        "seller": "velvet-crates",
        "started_at": NOON,
        "finished_at": NOON + timedelta(seconds=2),
        "duration_seconds": 2.0,
        "exit_code": 0,
        "status": "ok",
        "source": "export",
        "snapshot_as_of": NOON,
        "requests": 5,
        "changes": {"added": 0, "updated": 0},
        "error": "",
    }
    return RunLine(**{**usual, **fields})


def test_row_shows_changes_or_else_the_error() -> None:
    """A run that changed nothing and did not fail has a dash."""
    assert run_row(_run(changes={"added": 1200, "updated": 0}))[-2] == "1,200 added"
    assert run_row(_run(exit_code=14, status="failed", error="cut\nshort"))[-2] == "cut short"
    assert run_row(_run())[-2] == "–"


def test_one_sync_is_no_trend() -> None:
    """A trend needs two syncs; runs of other commands do not count."""
    assert list(trend_lines([_run(), _run(command="enrich")])) == []


def test_trend_runs_from_left_to_right() -> None:
    """Runs come newest first; the newest value is drawn last and written out."""
    lines = dict(trend_lines([_run(requests=10), _run(requests=0, exit_code=15)]))
    assert lines["calls"] == "▁█ 10 (last 2 syncs)"
    assert lines["failed"].startswith("1 of the last 2 syncs")


def test_run_with_warnings_has_not_failed() -> None:
    """Status 3 means that data was written."""
    assert "failed" not in dict(trend_lines([_run(), _run(exit_code=3)]))


def test_change_is_named_in_its_first_row() -> None:
    """The kind and the listing stand in the first row of a change only."""
    change = make_change("updated", ("comments", "a", "b"), ("location", "1", None))
    assert list(entry_rows([change])) == [
        ("updated", "7", "Plain Tides", "comments", "a", "b"),
        ("", "", "", "location", "1", "–"),
    ]
