"""An archived listing is looked at before it goes back."""

from typing import Any

import pytest

from discosync.core.past.archived import check_archived

ROW: dict[str, Any] = {
    "listing_id": "7",
    "is_active": False,
    "posted": "2026-03-02T12:00:00Z",
    "price_value": "12.50",
    "weight": None,
}
CHANGES = [{"kind": "added"}, {"kind": "merged"}, {"kind": "removed"}]


def test_what_a_purge_writes_is_accepted() -> None:
    """So is a row without fields of later versions."""
    check_archived({"row": ROW, "changes": CHANGES})
    check_archived({"row": {"listing_id": "7", "is_active": False}, "changes": []})


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ({"listing_id": 7}, "added", "7 is not the number of a listing"),
        ({"listing_id": "seven"}, "added", "'seven' is not the number of a listing"),
        ({"listing_id": "٧"}, "added", "number"),
        ({"is_active": True}, "added", "for sale"),
        ({"sold_at": "yesterday"}, "added", "isoformat"),
        ({"price_value": "NaN"}, "added", "price_value"),
        ({"weight": "inf"}, "added", "weight"),
        ({}, "invented", "kind 'invented'"),
    ],
)
def test_what_somebody_edited_is_refused(row: dict[str, Any], kind: str, said: str) -> None:
    """The message says what is wrong with which listing."""
    with pytest.raises(ValueError, match=said):
        check_archived({"row": ROW | row, "changes": [*CHANGES, {"kind": kind}]})
