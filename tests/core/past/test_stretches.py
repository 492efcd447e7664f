"""The history cut into stretches, and which of the packed ones are read."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from discosync.core.past.stretches import cover, cut_runs, quarter_of_year


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
