"""The lines of `status`, and what is said about a late mirror."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from discosync.core.catalog.enrichment import Coverage
from discosync.core.reporting.run_line import RunLine
from discosync.core.reporting.status import InventoryCounts, PurgeOutlook, Status
from discosync.render.lateness import render_lateness, render_way_to_fresh
from discosync.render.status import status_lines

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RUN = RunLine(
    run_id="3f2c",
    command="sync",
    seller="velvet crates",
    started_at=NOW - timedelta(hours=1),
    finished_at=NOW - timedelta(hours=1),
    duration_seconds=2.0,
    exit_code=0,
    status="ok",
    source="export",
    snapshot_as_of=NOW - timedelta(hours=1),
    requests=5,
    changes={},
    error="",
)


def _status(**fields: Any) -> Status:
    usual: dict[str, Any] = {
        "now": NOW,
        "seller": "velvet crates",
        "database": "shop.db",
        "max_age": timedelta(hours=3),
        "last_success": RUN,
        "counts": InventoryCounts(active=10, inactive_by_reason={"sold": 2, "missing": 1}),
        "coverage": Coverage(),
        "purge": PurgeOutlook(due=0, next_removed_at=None),
        "retention_days": 180,
        "runs": [RUN],
        "flags": {"USE_CACHE": True, "USE_CSV_EXPORT": False},
    }
    return Status(**{**usual, **fields})


def test_lines_say_how_things_stand() -> None:
    """Reasons stand beside the count of inactive listings, flags are on or off."""
    lines = dict(status_lines(_status()))
    assert lines["last sync"] == "1 h ago (3f2c)"
    assert lines["inventory"] == "1 h old: fresh"
    assert lines["inactive"] == "3 (2 sold, 1 missing)"
    assert lines["flags"] == "USE_CACHE on, USE_CSV_EXPORT off"
    assert "cache" not in lines


def test_mirror_without_a_sync_has_no_age() -> None:
    """It says never, and no age of an inventory that it does not have."""
    lines = dict(status_lines(_status(last_success=None)))
    assert lines["last sync"] == "never"
    assert "inventory" not in lines


@pytest.mark.parametrize(
    ("purge", "said"),
    [
        (PurgeOutlook(due=0, next_removed_at=None), "nothing will be due (inactive for 180 days)"),
        (PurgeOutlook(due=0, next_removed_at=NOW), "nothing due before 2026-08-29"),
        (PurgeOutlook(due=4, next_removed_at=None), "4 listings inactive for 180 days: discosync"),
    ],
)
def test_purge_says_when_it_has_work(purge: PurgeOutlook, said: str) -> None:
    """The command stands there only when there is something to purge."""
    assert dict(status_lines(_status(purge=purge)))["purge"].startswith(said)


def test_late_mirror_says_since_when_and_what_to_type() -> None:
    """A seller's name is quoted, and `runs` is offered only when there are runs."""
    late = _status(now=NOW + timedelta(hours=9))
    assert render_lateness(late) == (
        "the last success of velvet crates was 10 h ago; the limit is 3 h"
    )
    assert render_way_to_fresh(late, Path("my shop.toml")) == (
        "`discosync runs --config 'my shop.toml'` shows why; then "
        "`discosync sync --seller 'velvet crates' --config 'my shop.toml'`"
    )
    never = _status(last_success=None, runs=[])
    assert render_lateness(never) == "velvet crates has never been synced into shop.db"
    assert render_way_to_fresh(never, None) == "run `discosync sync --seller 'velvet crates'`"
