"""How the text of each column is read, and what no column takes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from discosync.core.inventory.columns import (
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_id,
    parse_ids,
    parse_listed,
)

GOOD: list[tuple[str, str, Any]] = [
    ("price_value", "12.50", Decimal("12.50")),
    ("price_currency", "EUR", "EUR"),
    ("price_currency", "", None),
    ("accept_offer", "Y", True),
    ("accept_offer", "N", False),
    ("quantity", "3", 3),
    ("quantity", "", None),
    ("weight", "230", Decimal(230)),
    ("weight", "", None),
    ("release_id", "77", 77),
]
BAD = [
    ("status", ""),
    ("price_value", "twelve"),
    ("price_value", "-1"),
    ("accept_offer", "maybe"),
    ("quantity", "-1"),
    ("weight", "heavy"),
    ("release_id", "0"),
]


@pytest.mark.parametrize(("field", "text", "value"), GOOD)
def test_a_text_is_read_as_its_column_means_it(field: str, text: str, value: object) -> None:
    """Each field has one reader, whatever the column is called."""
    assert READER_BY_FIELD[field](text, field) == value


@pytest.mark.parametrize(("field", "text"), BAD)
def test_an_impossible_text_is_refused(field: str, text: str) -> None:
    """The reader says what is wrong, so that the record is quarantined and not guessed."""
    with pytest.raises(ValueError, match=r"\w"):
        READER_BY_FIELD[field](text, field)


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1.0", "9223372036854775808"])
def test_what_is_no_id(text: str) -> None:
    """An id is a positive whole number of 64 bits, read alone or among many."""
    with pytest.raises(ValueError, match="listing_id"):
        parse_id(text, "listing_id")
    with pytest.raises(ValueError, match="listing_id"):
        parse_ids(["1", text], "listing_id")


def test_listed_is_pacific_time() -> None:
    """The export's `listed` has no zone: it is US Pacific time."""
    assert parse_listed("2026-08-25 07:04:23") == datetime(2026, 8, 25, 14, 4, 23, tzinfo=UTC)
    assert parse_listed("") is None


def test_every_column_has_a_field_of_its_own() -> None:
    """Two columns never fill one field, so that their order does not matter."""
    fields = [field for column, field in FIELD_BY_COLUMN.items() if column != "listed"]
    assert len(fields) == len(set(fields))
