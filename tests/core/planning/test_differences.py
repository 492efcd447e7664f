"""What differs between a row and a record, and between two records of one listing."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.planning.changes import ACTIVE
from discosync.core.planning.differences import content_changes, find_conflicts
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from tests.support.shop import make_listing

ROW = KnownListing(1, None, ACTIVE, tuple(getattr(make_listing(), f) for f in STORED_FIELDS))


@pytest.mark.parametrize(
    "fields",
    [
        {"price_value": Decimal("12.5")},
        {"comments": " No. 0, it&#39;s fine "},
        {"format_names": "(LP, Album)"},
        {"artist_names": make_listing().artist_names},
    ],
)
def test_a_difference_of_form_is_no_change(fields: dict[str, Any]) -> None:
    """The same fact in another form is equal: zeros, entities, white space, parentheses."""
    record = ParsedRecord.of(replace(make_listing(), **fields))
    assert content_changes(ROW, record, CONTENT_FIELDS) == ()


def test_only_the_fields_that_the_source_shows_are_compared() -> None:
    """A field that the source does not show cannot have changed."""
    record = ParsedRecord.of(make_listing(price_value=Decimal(1), location="cellar"))
    changes = content_changes(ROW, record, {"price_value"})
    assert [(c.field, c.before, c.after) for c in changes] == [
        ("price_value", Decimal("12.50"), Decimal(1))
    ]


def test_what_the_row_lacks_is_no_change() -> None:
    """A value that was not known yet is filled in."""
    lacking = ROW._replace(values=tuple(None for _ in ROW.values))
    assert content_changes(lacking, ParsedRecord.of(make_listing()), CONTENT_FIELDS) == ()


def test_repeated_listings_conflict_when_their_contents_differ() -> None:
    """Two equal records of one listing are no conflict, and nobody asked about the third."""
    records = [
        *(make_listing(1), make_listing(1)),
        *(make_listing(2), make_listing(2, price_value=Decimal(1))),
        *(make_listing(3), make_listing(3, price_value=Decimal(1))),
    ]
    first, second = make_listing(1).listing_id, make_listing(2).listing_id
    assert find_conflicts(records, {first, second}) == [second]
