"""What a restore changes is decided from the row and its history alone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from discosync.core.inventory.listing import content_hash
from discosync.core.past.history import PastChange
from discosync.core.past.restore import (
    KnownCounts,
    Skipped,
    check_reactivations,
    find_deactivation,
    plan_restore,
    target_of_change,
    target_of_listing,
)
from discosync.core.planning.changes import (
    ACTIVE,
    ChangeSet,
    FieldChange,
    Lifecycle,
    Reactivated,
    Removed,
    Updated,
)
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from tests.support.shop import NOON, make_listing

GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="sold", sold_at=NOON)
COUNTS = KnownCounts(total=40, active=30)
SOLD = (
    FieldChange("is_active", before=True, after=False),
    FieldChange("status", "For Sale", "Sold"),
    FieldChange("removed_at", None, NOON),
    FieldChange("removal_reason", None, "sold"),
    FieldChange("sold_at", None, NOON),
)


def _row(lifecycle: Lifecycle, number: int = 0, **fields: object) -> KnownListing:
    listing = make_listing(number, **fields)
    values = [getattr(listing, name) for name in STORED_FIELDS]
    return KnownListing(listing.listing_id, content_hash(listing), lifecycle, values)


def _change(
    run_key: int, *fields: FieldChange, kind: str = "updated", listing_id: int = 0
) -> PastChange:
    return PastChange(
        listing_id=listing_id,
        at=NOON,
        run_key=run_key,
        run_id=f"run {run_key}",
        command="sync",
        kind=kind,
        fields=fields,
    )


HISTORY = [
    _change(1, kind="added"),
    _change(2, FieldChange("price_value", Decimal(10), Decimal("12.50"))),
    _change(3, *SOLD, kind="removed"),
    _change(4, FieldChange("comments", "kept for Ilse", "No. 0, it's fine")),
]


def test_deactivation_is_all_since_it_was_last_for_sale() -> None:
    """A listing that never was for sale has none."""
    assert find_deactivation(HISTORY) == HISTORY[2:]
    assert find_deactivation(HISTORY[:2]) == []
    assert find_deactivation([*HISTORY, *HISTORY[2:]]) == HISTORY[2:]


def test_sold_listing_goes_back_to_what_it_was() -> None:
    """Status, lifecycle and what changed while it was gone; not what changed before."""
    target = target_of_listing(_row(GONE, status="Sold"), HISTORY)
    assert target == {
        "is_active": True,
        "status": "For Sale",
        "removed_at": None,
        "removal_reason": None,
        "sold_at": None,
        "comments": "kept for Ilse",
    }


def test_listing_without_a_way_back_is_skipped() -> None:
    """One that is for sale is no surprise; one that never was is worth a warning."""
    active = target_of_listing(_row(ACTIVE), HISTORY)
    never = target_of_listing(_row(GONE), HISTORY[:2])
    assert isinstance(active, Skipped)
    assert isinstance(never, Skipped)
    assert (active.is_warning, never.is_warning) == (False, True)
    assert "never seen it for sale" in never.why


def test_change_is_undone_while_nothing_later_touched_its_fields() -> None:
    """Money is compared as an amount: 12.5 is 12.50; moments to the second."""
    row = _row(GONE._replace(removed_at=NOON + timedelta(seconds=0.4)), status="Sold")
    assert target_of_change(row, HISTORY[1], now=NOON) == {"price_value": Decimal(10)}
    assert not isinstance(target_of_change(row, HISTORY[2], now=NOON), Skipped)
    later = _row(GONE, status="Sold", price_value=Decimal(13))
    skipped = target_of_change(later, HISTORY[1], now=NOON)
    assert isinstance(skipped, Skipped)
    assert skipped.why == "price_value changed again since"


def test_added_listing_is_taken_off_sale_and_not_deleted() -> None:
    """One that is off sale already stays as it is."""
    target = target_of_change(_row(ACTIVE), HISTORY[0], now=NOON)
    assert target == {
        "is_active": False,
        "removed_at": NOON,
        "removal_reason": "missing",
        "sold_at": None,
    }
    assert isinstance(target_of_change(_row(GONE), HISTORY[0], now=NOON), Skipped)


def test_merged_change_is_not_undone() -> None:
    """It stands for other runs' changes, too."""
    skipped = target_of_change(_row(ACTIVE), replace(HISTORY[1], kind="merged"), now=NOON)
    assert isinstance(skipped, Skipped)
    assert "db compact" in skipped.why


def test_plan_sorts_by_kind_and_listing() -> None:
    """What comes back, what goes, what only changes, and what is already as it shall be."""
    targets = [
        (_row(GONE, 3, status="Sold"), target_of_listing(_row(GONE, 3, status="Sold"), HISTORY)),
        (_row(ACTIVE, 2), target_of_change(_row(ACTIVE, 2), HISTORY[0], now=NOON)),
        (_row(ACTIVE, 1), {"price_value": Decimal(10)}),
        (_row(ACTIVE, 0), {"price_value": Decimal("12.50")}),
        (_row(ACTIVE, 4), Skipped(listing_id=4, why="it is for sale")),
    ]
    plan = plan_restore(targets, COUNTS)
    first = make_listing(0).listing_id
    (updated,), (removed,), (reactivated,) = (
        plan.changes.updated,
        plan.changes.removed,
        plan.changes.reactivated,
    )
    assert (updated.listing_id, removed.listing_id, reactivated.listing_id) == (
        first + 1,
        first + 2,
        first + 3,
    )
    assert isinstance(updated, Updated)
    assert isinstance(removed, Removed)
    assert isinstance(reactivated, Reactivated)
    assert not removed.in_snapshot
    assert updated.fields == (FieldChange("price_value", Decimal("12.50"), Decimal(10)),)
    assert updated.content_hash == content_hash(make_listing(1, price_value=Decimal(10)))
    assert updated.expected_hash == content_hash(make_listing(1))
    assert plan.changes.unchanged == 37
    assert [skipped.listing_id for skipped in plan.skipped] == [4]
    assert plan.content_by_id.keys() == {first + 1, first + 2, first + 3}


@pytest.mark.parametrize(("count", "is_refused"), [(10, False), (11, True)])
def test_reactivations_have_the_limit_of_removals(count: int, is_refused: bool) -> None:  # noqa: FBT001 - a table
    """Ten of thirty active listings may come back at once, eleven may not."""
    one = plan_restore(
        [(_row(GONE, status="Sold"), target_of_listing(_row(GONE, status="Sold"), HISTORY))], COUNTS
    ).changes.reactivated[0]
    violation = check_reactivations(ChangeSet(reactivated=(one,) * count, known_active=30))
    assert (violation is not None) == is_refused
    if violation is not None:
        assert violation.option == "--allow-mass-restore"
