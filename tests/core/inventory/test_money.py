"""Money is exact to the currency's minor unit, and shown as people write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.money import MAX_AMOUNT, parse_amount, render_amount


@given(st.integers(0, 10**12 - 1))
def test_every_cent_survives_a_float(cents: int) -> None:
    """SQLite keeps prices as floats; up to the largest amount no cent is lost."""
    amount = Decimal(cents) / 100
    assert Decimal(str(float(amount))).quantize(Decimal("0.01")) == amount
    assert parse_amount(str(float(amount))) == amount


@pytest.mark.parametrize("text", ["", "x", "-0.01", "NaN", "Infinity", "0.005", "1e99"])
def test_what_is_no_price(text: str) -> None:
    """A price that cannot be one is refused with the reason."""
    with pytest.raises(ValueError, match="price"):
        parse_amount(text)


def test_amounts_for_people() -> None:
    """An amount shows its currency's own digits."""
    assert render_amount(Decimal("1200.00"), "JPY") == "1200 JPY"
    assert render_amount(Decimal("12.5"), "EUR") == "12.50 EUR"
    assert parse_amount(str(MAX_AMOUNT)) == MAX_AMOUNT
