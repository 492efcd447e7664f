"""How a run ended, in lines."""

from typing import Any

import pytest

from discosync.core.reporting.report_parts import ApiUse, ArchiveUse, CacheUse, ListingCounts
from discosync.errors import ExitStatus
from discosync.render.run_summary import headline, summary_lines
from tests.support.reports import make_change, make_report


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "discosync sync · velvet-crates · ok in 1.2 s"),
        ({"exit_status": ExitStatus.OK_WITH_WARNINGS}, "ok, with warnings in 1.2 s"),
        (
            {"exit_status": ExitStatus.CHANGES, "dry_run": True},
            "changes in 1.2 s (dry run: nothing was written)",
        ),
    ],
)
def test_headline_says_how_it_ended(fields: dict[str, Any], said: str) -> None:
    """The command, the seller, the outcome and the time stand in one line."""
    assert headline(make_report(**fields)).endswith(said)


def _lines(**fields: Any) -> dict[str, str]:
    return dict(summary_lines(make_report(**fields)))


def test_summary_leaves_out_what_did_not_happen() -> None:
    """Without a request, a cache, an archive there is no line about one."""
    assert _lines() == {"changes": "0 added, 0 updated, 0 removed, 0 reactivated, 0 unchanged"}


def test_summary_says_what_discogs_was_asked() -> None:
    """Waiting under a second is not worth a word."""
    api = ApiUse(requests=1200, bytes=2_000_000, throttled_seconds=0.9)
    assert _lines(api=api)["Discogs"] == "1,200 requests, 2.0 MB"
    waited = ApiUse(requests=1, throttled_seconds=61.0)
    assert _lines(api=waited)["Discogs"] == "1 requests, 0 B, waited 61 s"
    assert _lines(cache=CacheUse(hits=3, misses=1))["cache"] == "3 of 4 answers (75%)"


@pytest.mark.parametrize(
    ("fields", "way"),
    [
        ({"dry_run": True}, "`--diff table`"),
        ({"dry_run": True, "command": "restore"}, "`--json`"),
        ({}, "`discosync runs 3f2c`"),
        (
            {"database_variable": "DATABASE_URL=x", "config_option": " --config y"},
            "`DATABASE_URL=x discosync runs 3f2c --config y`",
        ),
    ],
)
def test_rest_of_the_changes_can_be_seen(fields: dict[str, Any], way: str) -> None:
    """The command that shows the other changes exists, and looks at the same database."""
    report = make_report(
        listings=ListingCounts(updated=5), highlights=(make_change("updated"),), **fields
    )
    assert list(summary_lines(report))[-1] == ("", f"… and 4 more; {way} shows them")


def test_many_changes_of_a_dry_run_are_shown_as_json() -> None:
    """A table shows two hundred rows, so more are offered as JSON."""
    report = make_report(
        dry_run=True, listings=ListingCounts(updated=201), highlights=(make_change("updated"),)
    )
    assert "`--diff json`" in list(summary_lines(report))[-1][1]


def test_purge_says_what_it_would_take() -> None:
    """A purge that is only shown has no archive yet."""
    archive = ArchiveUse(listings=9, by_reason={"sold": 9})
    report = make_report(command="purge-inactive", dry_run=True, archive=archive)
    assert dict(summary_lines(report)) == {"listings": "9 would be purged"}
