"""Money, Discogs' clock, file names, and the choice of the source."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.flags import FlagValue
from discosync.core.inventory.money import MAX_AMOUNT, parse_amount, render_amount
from discosync.core.inventory.pacific import pacific_to_utc, parse_export_name, render_export_name
from discosync.core.inventory.snapshot import Source
from discosync.core.inventory.source_choice import choose_source

ON = FlagValue(value=True, why="default")
OFF = FlagValue(value=False, why="environment")


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


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-08-25T07:04:23", "2026-08-25T14:04:23"),
        ("2026-01-15T07:04:23", "2026-01-15T15:04:23"),
        ("2026-11-01T01:30:00", "2026-11-01T08:30:00"),
    ],
)
def test_pacific_time(local: str, utc: str) -> None:
    """Summer, winter, and the earlier one of the hour that November repeats."""
    assert pacific_to_utc(datetime.fromisoformat(local)) == datetime.fromisoformat(utc + "Z")


def test_export_names_are_read_and_written() -> None:
    """A name of Discogs' tells seller and moment; any other tells nothing."""
    moment = datetime(2026, 8, 25, 14, 4, tzinfo=UTC)
    name = render_export_name("my-inventory-shop", moment)
    assert name == "my-inventory-shop-inventory-20260825-0704.csv"
    for ending in ("", ".gz", ".zip"):
        assert parse_export_name(name + ending) == ("my-inventory-shop", moment)
    for other in ("inventory.csv", "shop-inventory-20261325-0704.csv", "-"):
        assert parse_export_name(other) is None


def test_source_choice_says_why() -> None:
    """The cheaper way is taken, and the reason is for people."""
    assert choose_source(300, use_csv_export=ON).source is Source.PAGES
    choice = choose_source(90_000, use_csv_export=ON)
    assert choice.source is Source.EXPORT
    assert choice.reason == "90,000 listings: pages cost 901 requests, an export about 5"
    assert choose_source(90_000, use_csv_export=OFF).source is Source.PAGES
