"""What a plan counts, and whether it changes or writes anything."""

from datetime import UTC, datetime
from typing import Any

from discosync.core.inventory.header import RejectedRecord
from discosync.core.planning.changes import (
    ACTIVE,
    ChangeSet,
    Completed,
    Lifecycle,
    Reactivated,
    Removed,
    Updated,
)

GONE = Lifecycle(
    is_active=False,
    removed_at=datetime(2026, 3, 1, tzinfo=UTC),
    removal_reason="missing",
    sold_at=None,
)


def _state(listing_id: int, lifecycle: Lifecycle = ACTIVE) -> dict[str, Any]:
    return {
        "listing_id": listing_id,
        "heading": "",
        "fields": (),
        "lifecycle": lifecycle,
        "content_hash": "a",
        "expected_hash": "a",
    }


SOLD = Removed(**_state(1, GONE), in_snapshot=True)
MISSING = Removed(**_state(2, GONE), in_snapshot=False)
COMPLETED = Completed(**_state(3), fills_in=True)


def test_missing_value_that_is_filled_in_is_written_and_is_no_change() -> None:
    """A run that only completes rows says that nothing changed, and still writes."""
    changes = ChangeSet(completed=(COMPLETED,))
    assert changes.is_empty
    assert not changes.writes_nothing
    assert changes.to_write == 1
    assert list(changes.of_known) == []


def test_each_kind_of_change_makes_a_plan_that_is_not_empty() -> None:
    """A record that was rejected changes nothing."""
    for changes in (
        ChangeSet(added=(1,)),
        ChangeSet(updated=(Updated(**_state(1)),)),
        ChangeSet(removed=(SOLD,)),
        ChangeSet(reactivated=(Reactivated(**_state(1)),)),
    ):
        assert not changes.is_empty
        assert changes.to_write == 1
    assert ChangeSet(rejected=(RejectedRecord(line=2, reason="no price"),)).writes_nothing


def test_only_a_removal_without_a_record_is_missing() -> None:
    """A record that says Sold is evidence."""
    assert ChangeSet(removed=(SOLD, MISSING)).missing == (MISSING,)


def test_active_listings_after_a_plan_are_counted_and_not_read() -> None:
    """Those before it, with what was added for sale and came back, without what was removed."""
    changes = ChangeSet(
        added=(7, 8, 9),
        added_active=2,
        known_active=10,
        removed=(SOLD, MISSING),
        reactivated=(Reactivated(**_state(4)),),
        records=12,
        rejected=(RejectedRecord(line=2, reason="no price"),),
    )
    assert changes.active_after == 11
    assert changes.seen == 13
