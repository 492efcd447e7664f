"""Discogs' clock, and the moment in the name of its files."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.pacific import (
    pacific_to_utc,
    parse_export_name,
    render_export_name,
    utc_to_pacific,
)


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


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_a_moment_survives_the_way_to_pacific_time_and_back(naive: datetime) -> None:
    """Outside the hour that November repeats, and there to the hour, no moment is moved."""
    moment = naive.replace(tzinfo=UTC)
    back = pacific_to_utc(utc_to_pacific(moment))
    assert (moment - back).total_seconds() in {0, 3600}
