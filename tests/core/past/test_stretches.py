"""The history cut into stretches, and which of the packed ones are read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from discosync.core.past.stretches import (
    cover,
    cut_runs,
    end_of_month,
    month_of_history,
    quarter_of_year,
    third_of_month,
)


def test_midnight_closes_the_quarter_before() -> None:
    """As it does the month: `as-of` the end of March is before what April's runs did."""
    assert quarter_of_year(datetime(2026, 4, 1, tzinfo=UTC)) == (2026, 0)
    assert quarter_of_year(datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC)) == (2026, 1)
    runs = [(number, datetime(2026, number, 2, tzinfo=UTC)) for number in range(1, 8)]
    spans = [(s.first_run, s.last_run) for s in cut_runs(runs, quarter_of_year)]
    assert spans == [(1, 3), (4, 6), (7, 7)]


def test_a_quarter_stands_for_its_thirds() -> None:
    """The newest first, the longest that fits; what it covers is not read again."""
    assert cover([(1, 3), (4, 6), (1, 6), (7, 9), (10, 12)]) == [(10, 12), (7, 9), (1, 6)]
    assert cover([(4, 6), (7, 9)]) == [(7, 9), (4, 6)]
    assert cover([]) == []


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), max_size=12))
def test_what_is_chosen_never_overlaps(starts: list[tuple[int, int]]) -> None:
    """A run is put back once, whatever lies in the table, and from the newest to the oldest."""
    chosen = cover([(first, first + length) for first, length in starts])
    for newer, older in pairwise(chosen):
        assert older[1] < newer[0]
    if starts:
        assert chosen[0][1] == max(first + length for first, length in starts)


def test_periods_end_with_their_midnight() -> None:
    """A change at midnight still belongs to the day before: `as-of` midnight shows it."""
    midnight = datetime(2025, 3, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert month_of_history(midnight) == (2025, 2)
    assert month_of_history(midnight + second) == (2025, 3)
    thirds = [
        third_of_month(datetime(2025, 3, d, 12, tzinfo=UTC))[2] for d in (1, 10, 11, 20, 21, 31)
    ]
    assert thirds == [0, 0, 1, 1, 2, 2]
    assert end_of_month((2025, 12)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert end_of_month((2025, 2, 1)) == midnight


def test_runs_out_of_order_stay_in_their_stretch() -> None:
    """A stretch is a range of runs: one that shows an earlier moment begins no new one."""
    days = {1: 2, 2: 9, 3: 12, 4: 10, 5: 13, 6: 25}
    runs = [(key, datetime(2025, 3, day, 12, tzinfo=UTC)) for key, day in days.items()]
    stretches = cut_runs(runs, third_of_month)
    assert [(s.first_run, s.last_run) for s in stretches] == [(1, 2), (3, 5), (6, 6)]
    assert cut_runs([], third_of_month) == []
