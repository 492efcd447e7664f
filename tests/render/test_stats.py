"""Figures as text."""

from decimal import Decimal

from discosync.render.stats_tables import render_amounts


def test_sums_are_written_with_thousands() -> None:
    """A sum is read, not typed."""
    assert render_amounts({"EUR": Decimal("1234567.5"), "JPY": Decimal(1200)}) == (
        "1,234,567.50 EUR + 1,200 JPY"
    )
