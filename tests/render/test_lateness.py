"""A mirror that is late says since when, and what to type."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from discosync.core.catalog.enrichment import Coverage
from discosync.core.reporting.run_line import RunLine
from discosync.core.reporting.status import InventoryCounts, PurgeOutlook, Status
from discosync.render.lateness import render_lateness, render_way_to_fresh
from tests.support.shop import NOON

RUN = RunLine(
    run_id="r1",
    command="sync",
    seller="my shop",
    started_at=NOON,
    finished_at=NOON,
    duration_seconds=2.0,
    exit_code=0,
    status="ok",
    source="export",
    snapshot_as_of=NOON,
    requests=5,
    changes={},
    error="",
)
STATUS = Status(
    now=NOON + timedelta(hours=5, minutes=1),
    seller="my shop",
    database="mirror.db",
    max_age=timedelta(hours=3),
    last_success=RUN,
    counts=InventoryCounts(active=0, inactive_by_reason={}),
    coverage=Coverage(),
    purge=PurgeOutlook(due=0, next_removed_at=None),
    retention_days=180,
    runs=[RUN],
    flags={},
)


def test_late_mirror_says_since_when_and_what_is_allowed() -> None:
    """One that was never synced says so."""
    assert render_lateness(STATUS) == (
        "the last success of my shop was 5 h 1 min ago; the limit is 3 h"
    )
    never = replace(STATUS, last_success=None)
    assert render_lateness(never) == "my shop has never been synced into mirror.db"


def test_way_to_a_fresh_one_can_be_typed() -> None:
    """Names are quoted; without any run there is none to look at."""
    assert render_way_to_fresh(STATUS, Path("d.toml")) == (
        "`discosync runs --config d.toml` shows why; "
        "then `discosync sync --seller 'my shop' --config d.toml`"
    )
    assert render_way_to_fresh(replace(STATUS, runs=[]), None) == (
        "run `discosync sync --seller 'my shop'`"
    )
