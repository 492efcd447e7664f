"""How wrong a clock is, in words."""

from datetime import timedelta

import pytest

from discosync.core.inventory.clocks import TOLERANCE, describe_clock, is_off

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("sign", [1, -1])
def test_few_minutes_are_no_fault(sign: int) -> None:
    """Two clocks never agree; up to five minutes nothing is said."""
    assert not is_off(sign * TOLERANCE)
    assert is_off(sign * (TOLERANCE + SECOND))


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (timedelta(hours=3) - SECOND, "3 hours behind Discogs'"),
        (timedelta(minutes=10), "10 minutes behind Discogs'"),
        (timedelta(minutes=-61), "61 minutes ahead of Discogs'"),
        (timedelta(days=-463), "463 days ahead of Discogs'"),
    ],
)
def test_clock_is_described(offset: timedelta, words: str) -> None:
    """The words say which clock is wrong, by how much, and what sets it right."""
    assert describe_clock(offset) == f"this machine's clock is {words}: set it (timedatectl)"
