"""What a snapshot hides, and until when it may be shown to others."""

from datetime import timedelta

from discosync.core.inventory.listing import PRIVATE_FIELDS
from discosync.core.inventory.snapshot import MAX_SHOWN_AGE, hidden_fields, is_too_old_to_show
from tests.support.shop import NOON


def test_private_field_that_has_no_column_is_hidden() -> None:
    """Only private fields can be hidden: another column changes nothing."""
    one = next(iter(PRIVATE_FIELDS))
    assert hidden_fields(frozenset()) == PRIVATE_FIELDS
    assert hidden_fields(frozenset({one, "price"})) == PRIVATE_FIELDS - {one}
    assert hidden_fields(PRIVATE_FIELDS) == frozenset()


def test_inventory_may_be_shown_for_six_hours_exactly() -> None:
    """Discogs' terms name six hours; a second more is too old."""
    edge = NOON - timedelta(hours=6)
    assert timedelta(hours=6) == MAX_SHOWN_AGE
    assert not is_too_old_to_show(edge, now=NOON)
    assert is_too_old_to_show(edge - timedelta(seconds=1), now=NOON)
