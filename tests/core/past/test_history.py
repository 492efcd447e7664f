"""Past changes are parsed from the history, to the type."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from discosync.core.past.history import PastChange, lifecycle_with, parse_fields, values_before
from discosync.core.planning.changes import ACTIVE, FieldChange
from tests.support.shop import NOON


def _change(run_key: int, *fields: FieldChange) -> PastChange:
    return PastChange(
        listing_id=7,
        at=NOON,
        run_key=run_key,
        run_id=f"run {run_key}",
        command="sync",
        kind="updated",
        fields=fields,
    )


def test_values_have_the_types_of_their_fields() -> None:
    """Money is decimal, moments have a zone, and the rest is as JSON holds it."""
    fields = parse_fields(
        {
            "price_value": ["12.50", None],
            "removed_at": [None, "2026-03-02T12:00:00Z"],
            "is_active": [True, False],
            "release_id": [5, 6],
            "comments": ["", "12.50"],
        }
    )
    assert fields == (
        FieldChange("price_value", Decimal("12.50"), None),
        FieldChange("removed_at", None, datetime(2026, 3, 2, 12, tzinfo=UTC)),
        FieldChange("is_active", before=True, after=False),
        FieldChange("release_id", 5, 6),
        FieldChange("comments", "", "12.50"),
    )
    assert parse_fields(None) == ()


@pytest.mark.parametrize("fields", [{"price_value": ["1"]}, {"removed_at": ["soon", None]}])
def test_what_no_run_has_written_is_refused(fields: dict[str, list[object]]) -> None:
    """A history that somebody edited is not believed."""
    with pytest.raises(ValueError, match=r"unpack|isoformat"):
        parse_fields(fields)


def test_before_them_all_is_before_the_oldest() -> None:
    """In whatever order the changes come."""
    changes = [
        _change(2, FieldChange("price_value", Decimal(2), Decimal(3))),
        _change(1, FieldChange("price_value", Decimal(1), Decimal(2))),
        _change(3, FieldChange("comments", "a", "b")),
    ]
    assert values_before(changes) == {"price_value": Decimal(1), "comments": "a"}


def test_lifecycle_takes_what_is_named() -> None:
    """Fields that are no part of it are passed over."""
    gone = lifecycle_with(ACTIVE, {"is_active": False, "removal_reason": "sold", "comments": "x"})
    assert (gone.is_active, gone.removal_reason, gone.sold_at) == (False, "sold", None)


def test_change_as_history_shows_it() -> None:
    """Field → [before, after], the moment in UTC."""
    shown = _change(1, FieldChange("price_value", Decimal("1.50"), None)).to_json()
    assert shown == {
        "at": "2026-03-02T12:00:00Z",
        "run_id": "run 1",
        "command": "sync",
        "kind": "updated",
        "fields": {"price_value": ["1.50", None]},
    }
