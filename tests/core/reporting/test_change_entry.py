"""Changes in the form of the report: exact, and in one order."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from discosync.core.inventory.listing import FieldValue
from discosync.core.planning.changes import (
    ACTIVE,
    ChangeSet,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Updated,
)
from discosync.core.reporting.change_entry import describe_changes, json_value
from tests.support.shop import NOON, make_listing

GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="sold", sold_at=NOON)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (NOON, "2026-03-02T12:00:00Z"),
        (
            datetime(2026, 3, 2, 21, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=9))),
            "2026-03-02T12:00:00Z",
        ),
        (True, True),
        ("", ""),
        (None, None),
    ],
)
def test_values_in_json(value: FieldValue, shown: object) -> None:
    """Money keeps its digits as text; moments are in UTC, to the second."""
    assert json_value(value) == shown


def test_every_change_has_an_entry() -> None:
    """Added ones first, with what people look for; then the known ones, kind by kind."""
    fields = (FieldChange("price_value", Decimal(1), Decimal(2)),)
    common = {"heading": "A - B", "fields": fields, "content_hash": "h", "expected_hash": "g"}
    changes = ChangeSet(
        added=[make_listing(9).listing_id],
        updated=(Updated(listing_id=1, lifecycle=ACTIVE, **common),),  # type: ignore[arg-type]
        removed=(Removed(listing_id=2, lifecycle=GONE, in_snapshot=True, **common),),  # type: ignore[arg-type]
        reactivated=(Reactivated(listing_id=3, lifecycle=ACTIVE, **common),),  # type: ignore[arg-type]
    )
    listing = make_listing(9)
    added, *known = describe_changes(changes, {listing.listing_id: listing})
    assert (added.kind, added.heading) == ("added", listing.heading)
    assert added.to_json()["fields"]["price_value"] == [None, "12.50"]
    assert [entry.kind for entry in known] == ["updated", "removed", "reactivated"]
    assert known[0].to_json() == {
        "kind": "updated",
        "listing_id": 1,
        "heading": "A - B",
        "fields": {"price_value": ["1", "2"]},
    }
