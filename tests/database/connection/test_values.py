"""What a column holds comes back in the type of its field."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from discosync.database.connection.values import naive, read_field, read_json, read_moment


def test_json_is_read_from_either_form() -> None:
    """SQLite gives JSON as text, Postgres' driver has read it."""
    assert read_json('{"a": [1]}') == read_json({"a": [1]}) == {"a": [1]}
    assert read_json(None) is None


def test_moments_of_any_zone_are_held_in_utc() -> None:
    """A moment goes in without its zone and comes out in UTC, from text and from the driver."""
    there = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=9)))
    held = naive(there)

    assert held == datetime(2026, 3, 1, 14, 30)  # noqa: DTZ001 - as the tables hold it
    assert read_moment(held) == read_moment("2026-03-01 14:30:00.000000") == there
    assert read_moment(held).tzinfo is UTC
    assert (naive(None), read_moment(None)) == (None, None)


@pytest.mark.parametrize(
    ("name", "held", "expected"),
    [
        ("price_value", 12.9, Decimal("12.90")),
        ("price_value", 0.1 + 0.2, Decimal("0.30")),
        ("weight", 230.5, Decimal("230.5")),
        ("release_id", "4711", 4711),
        ("release_id", "abc", "abc"),
        ("accept_offer", 1, True),
        ("accept_offer", None, None),
        ("comments", "12.9", "12.9"),
    ],
)
def test_each_field_has_its_type(name: str, held: Any, expected: object) -> None:
    """Amounts have cents, numbers are numbers, flags are flags; what is no number stays text."""
    value = read_field(name, held)

    assert value == expected
    assert type(value) is type(expected)
