"""Values in the cells of a table."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from discosync.core.inventory.listing import FieldValue
from discosync.render.cells import render_cell, shorten


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (False, "False"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), "2026-03-02T12:00:00Z"),
        ("two\nlines", "two lines"),
    ],
)
def test_value_is_one_short_line(value: FieldValue, shown: str) -> None:
    """Nothing is a dash, zero is not; money is never written as 1E+3."""
    assert render_cell(value) == shown


def test_long_text_is_cut_at_the_width_of_a_cell() -> None:
    """Sixty characters stay whole; of sixty-one the last ones become an ellipsis."""
    assert shorten("x" * 60) == "x" * 60
    assert shorten("x" * 61) == "x" * 59 + "…"
