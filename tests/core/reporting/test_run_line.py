"""A past run is read from its report."""

from typing import Any

import pytest

from discosync.core.reporting.run_line import change_count_of, parse_run_line

REPORT: dict[str, Any] = {
    "run_id": "r1",
    "command": "sync",
    "seller": "shop",
    "started_at": "2026-03-02T12:00:00Z",
    "finished_at": "2026-03-02T12:00:02Z",
    "duration_seconds": 2.0,
    "exit_code": 0,
    "status": "ok",
    "source": "export",
    "snapshot": {"as_of": "2026-03-02T11:59:00Z"},
    "api": {"requests": 5},
    "cache": {"hit_rate": 0.5},
    "listings": {"added": 2, "updated": 3, "removed": 1, "reactivated": 0, "unchanged": 9},
    "error": None,
}


def test_line_has_what_the_report_has() -> None:
    """And goes back to JSON with times in UTC."""
    line = parse_run_line(REPORT)
    assert line.change_count == change_count_of(REPORT) == 6
    shown = line.to_json()
    assert shown["started_at"] == "2026-03-02T12:00:00Z"
    assert shown["changes"] == {"added": 2, "updated": 3, "removed": 1, "reactivated": 0}
    assert (shown["requests"], shown["cache_hit_rate"], shown["error"]) == (5, 0.5, None)


@pytest.mark.parametrize("more", [{"exit_code": 13}, {"dry_run": True}])
def test_refused_and_dry_runs_changed_nothing(more: dict[str, Any]) -> None:
    """Whatever they would have changed."""
    assert parse_run_line(REPORT | more).change_count == 0


@pytest.mark.parametrize(
    ("command", "name"), [("purge-inactive", "purged"), ("restore", "restored")]
)
def test_archived_listings_count(command: str, name: str) -> None:
    """A purge moves them into an archive, and a restore takes them out of one."""
    report = REPORT | {"command": command, "listings": {}, "archive": {"listings": 7}}
    assert parse_run_line(report).changes[name] == 7


def test_report_of_an_earlier_version_is_read() -> None:
    """It lacks what was added later."""
    old = {k: v for k, v in REPORT.items() if k not in {"snapshot", "api", "cache", "listings"}}
    line = parse_run_line(old | {"error": {"message": "no"}, "seller": None})
    assert (line.snapshot_as_of, line.requests, line.cache_hit_rate) == (None, 0, None)
    assert (line.error, line.seller, line.change_count) == ("no", "", 0)


@pytest.mark.parametrize("without", ["run_id", "command", "started_at", "exit_code"])
def test_what_is_no_report_is_refused(without: str) -> None:
    """A key that every report has is missing."""
    with pytest.raises(KeyError, match=without):
        parse_run_line({k: v for k, v in REPORT.items() if k != without})
