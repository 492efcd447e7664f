"""How fresh a mirror is follows from its last success, and from nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from discosync.core.catalog.enrichment import Coverage
from discosync.core.reporting.run_line import RunLine
from discosync.core.reporting.status import InventoryCounts, PurgeOutlook, Status
from tests.support.shop import NOON

RUN = RunLine(
    run_id="r1",
    command="sync",
    seller="shop",
    started_at=NOON,
    finished_at=NOON,
    duration_seconds=2.0,
    exit_code=0,
    status="ok",
    source="export",
    snapshot_as_of=NOON - timedelta(hours=1),
    requests=5,
    changes={},
    error="",
)


def _status(now: datetime, last: RunLine | None = RUN, purge: PurgeOutlook | None = None) -> Status:
    return Status(
        now=now,
        seller="shop",
        database="mirror.db",
        max_age=timedelta(hours=3),
        last_success=last,
        counts=InventoryCounts(active=3, inactive_by_reason={"sold": 2, "expired": 1}),
        coverage=Coverage(),
        purge=purge or PurgeOutlook(due=0, next_removed_at=None),
        retention_days=180,
        runs=[],
        flags={},
    )


@pytest.mark.parametrize(("hours", "is_late"), [(3, False), (3.001, True)])
def test_late_is_older_than_allowed(hours: float, is_late: bool) -> None:  # noqa: FBT001 - a table
    """The age counts from the end of the last success."""
    assert _status(NOON + timedelta(hours=hours)).is_late == is_late


def test_never_synced_is_late_and_too_old_to_show() -> None:
    """There is no age of nothing."""
    status = _status(NOON, None)
    assert (status.is_late, status.is_too_old_to_show) == (True, True)
    assert (status.success_age, status.inventory_age) == (None, None)
    assert status.to_json()["last_success"] is None


def test_inventory_is_as_old_as_its_snapshot() -> None:
    """Not as the run that brought it: five hours after it, the inventory is six hours old."""
    status = _status(NOON + timedelta(hours=5))
    assert status.inventory_age == timedelta(hours=6)
    assert not status.is_too_old_to_show
    assert _status(NOON + timedelta(hours=5, seconds=1)).is_too_old_to_show


def test_file_without_discogs_own_name_has_no_age() -> None:
    """Any other run without a moment counts from its start."""
    undated = replace(RUN, snapshot_as_of=None)
    assert _status(NOON, replace(undated, source="file")).inventory_age is None
    assert _status(NOON, undated).inventory_age == timedelta(0)


def test_next_purge_follows_the_retention() -> None:
    """Now if something is due, else when the next one will have been gone for long enough."""
    removed_at = NOON - timedelta(days=100)
    due = PurgeOutlook(due=1, next_removed_at=removed_at)
    later = PurgeOutlook(due=0, next_removed_at=removed_at)
    assert _status(NOON, purge=due).next_purge_at == NOON
    assert _status(NOON, purge=later).next_purge_at == NOON + timedelta(days=80)
    assert _status(NOON).next_purge_at is None


def test_json_has_ages_in_seconds() -> None:
    """And the inactive ones, together and by reason."""
    shown = _status(NOON + timedelta(hours=1)).to_json()
    assert shown["last_success"]["age_seconds"] == 3600
    assert shown["inventory"]["age_seconds"] == 7200
    assert shown["listings"] == {
        "active": 3,
        "inactive": 3,
        "inactive_by_reason": {"sold": 2, "expired": 1},
    }
