"""Whether a listing is for sale, since when and why not: how that begins and goes on."""

from datetime import timedelta

import pytest

from discosync.core.planning.changes import ACTIVE, Lifecycle
from discosync.core.planning.lifecycle import (
    lifecycle_after,
    lifecycle_of_adopted,
    lifecycle_of_new,
)
from tests.support.shop import NOON

EARLIER = NOON - timedelta(days=3)
MISSING = Lifecycle(is_active=False, removed_at=EARLIER, removal_reason="missing", sold_at=None)
DRAFT = MISSING._replace(removal_reason="draft")
SOLD = MISSING._replace(removal_reason="sold", sold_at=EARLIER)


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        (ACTIVE, "For Sale", ACTIVE),
        (SOLD, "For Sale", ACTIVE),
        (ACTIVE, "Sold", Lifecycle(False, NOON, "sold", NOON)),
        (ACTIVE, "Draft", Lifecycle(False, NOON, "draft", None)),
        (SOLD, "Sold", SOLD),
        (MISSING, "Sold", Lifecycle(False, EARLIER, "sold", EARLIER)),
        (DRAFT, "Sold", Lifecycle(False, EARLIER, "sold", NOON)),
        (MISSING, "Expired", Lifecycle(False, EARLIER, "expired", None)),
    ],
)
def test_how_a_known_listing_goes_on(before: Lifecycle, status: str, after: Lifecycle) -> None:
    """A sale that was first missed happened then; another reason keeps the moment of removal."""
    assert lifecycle_after(before, status, as_of=NOON) == after


def test_a_listing_that_is_first_seen_sold_has_no_moment_of_sale() -> None:
    """Nobody knows when it was sold."""
    new = lifecycle_of_new("Sold", is_for_sale=False, as_of=NOON)
    assert new == Lifecycle(False, NOON, "sold", None)
    assert lifecycle_of_new("For Sale", is_for_sale=True, as_of=NOON) == ACTIVE


@pytest.mark.parametrize("status", [None, "", "For Sale", "for sale", " FOR SALE "])
def test_a_row_of_the_old_shop_counts_as_for_sale(status: str | None) -> None:
    """The old shop kept only what is for sale, however it wrote that."""
    assert lifecycle_of_adopted(status, now=NOON) == ACTIVE


def test_a_row_of_the_old_shop_may_be_sold() -> None:
    """Another status is believed."""
    assert lifecycle_of_adopted("Sold", now=NOON) == Lifecycle(False, NOON, "sold", None)
