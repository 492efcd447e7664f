"""Ages and moments as people type them, and the moment that a run counts from."""

from datetime import UTC, datetime, timedelta

import pytest

from discosync.core.moments import moment_of_run, parse_age, parse_moment, parse_past_moment

NOW = datetime(2026, 3, 20, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("3h", 10_800), ("180d", 15_552_000), (" 2W ", 1_209_600)]
)
def test_ages(text: str, seconds: int) -> None:
    """A number and a unit."""
    assert parse_age(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0h", "3", "h", "-3h", "1.5h", "3 hours", "9999999d"])
def test_what_is_no_age(text: str) -> None:
    """Anything else is named as such."""
    with pytest.raises(ValueError, match="is not a length of time"):
        parse_age(text)


def test_moments() -> None:
    """ISO 8601, UTC when no zone is given, or an age before now."""
    assert parse_moment("2026-03-01", now=NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("2026-03-01T02:00+02:00", now=NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("1d", now=NOW) == NOW - timedelta(days=1)
    for text in ("999999d", "0001-01-01T00:00+23:00", "soon"):
        with pytest.raises(ValueError, match=r"is not a time|before the year"):
            parse_moment(text, now=NOW)


def test_a_runs_moment_is_its_snapshots() -> None:
    """Unless Discogs' whole second is that of the run's start, or there is no snapshot."""
    assert moment_of_run(NOW, MARCH_2) == MARCH_2
    assert moment_of_run(NOW, None) == NOW
    assert moment_of_run(NOW, NOW - timedelta(seconds=0.7)) == NOW


def test_a_past_moment_is_not_in_the_future() -> None:
    """The present is past enough; a second later is refused."""
    assert parse_past_moment("2026-03-20T00:00", now=NOW) == NOW
    with pytest.raises(ValueError, match="future"):
        parse_past_moment("2026-03-20T00:00:01", now=NOW)
