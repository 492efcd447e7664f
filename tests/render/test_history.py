"""One listing's history in words."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from discosync.core.inventory.listing import FieldValue
from discosync.core.past.history import PastChange
from discosync.core.past.purge import Purged
from discosync.core.planning.changes import ACTIVE, FieldChange, Lifecycle
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from discosync.render.history import life_rows, render_now

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="sold", sold_at=NOON)


def _known(lifecycle: Lifecycle) -> KnownListing:
    values: dict[str, FieldValue] = {
        "artist_names": "The Hollow",
        "release_title": "Plain Tides",
        "price_value": Decimal("12.50"),
        "price_currency": "EUR",
    }
    return KnownListing(7, None, lifecycle, [values.get(name) for name in STORED_FIELDS])


def _change(kind: str, *fields: FieldChange) -> PastChange:
    return PastChange(
        listing_id=7, at=NOON, run_key=1, run_id="3f2c", command="sync", kind=kind, fields=fields
    )


@pytest.mark.parametrize(
    ("lifecycle", "changes", "said"),
    [
        (ACTIVE, (), "for sale"),
        (GONE, (_change("removed"),), "not for sale (sold) since 2026-03-02 12:00 UTC"),
        (GONE, (), "not for sale (sold) already at 2026-03-02 12:00 UTC"),
    ],
)
def test_listing_is_where_it_is(
    lifecycle: Lifecycle, changes: tuple[PastChange, ...], said: str
) -> None:
    """A listing that was gone before the first sync is not said to be gone since that sync."""
    shown = render_now(7, _known(lifecycle), None, changes)
    assert shown == f"7: The Hollow – Plain Tides · 12.50 EUR · {said}"


def test_purged_listing_names_its_archive() -> None:
    """The command that restores it can be typed as it stands."""
    purged = Purged(run_id="3f2c", archive="a.gz", file="my archives/a.gz", config=Path("x.toml"))
    shown = render_now(7, None, purged, ())
    assert shown.endswith("discosync restore --from-archive 'my archives/a.gz' --config x.toml")
    assert "another program" in render_now(7, None, None, ())


def test_change_of_several_fields_is_named_once() -> None:
    """The first row says what, when and which run; a change without fields has a row too."""
    fields = (
        FieldChange("price_value", Decimal(1), Decimal(2)),
        FieldChange("sold_at", None, NOON),
    )
    rows = list(life_rows([_change("updated", *fields), _change("added")]))
    head = ("2026-03-02 12:00:00", "sync 3f2c")
    assert rows == [
        ("updated", *head, "price_value", "1", "2"),
        ("", "", "", "sold_at", "–", "2026-03-02 12:00:00"),
        ("added", *head, "", "", ""),
    ]
