"""The history cut into stretches of runs: by thirds of a month as it grows, by month once thinned.

What is long past is packed by quarter, too: a year is then put together from a few pieces.

A stretch is a range of runs in the order of their numbers. It begins with the first run that shows
a moment of a later period than all before it, exactly where `as-of` the end of the earlier period
begins to undo.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Period = tuple[int, ...]

_DAYS_PER_PART = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One seller's runs from the first to the last, both included."""

    period: Period
    first_run: int
    last_run: int


def month_of_history(moment: datetime) -> Period:
    """Name the UTC month whose history a moment belongs to; midnight closes the month before."""
    before = moment - timedelta(microseconds=1)
    return before.year, before.month


def third_of_month(moment: datetime) -> Period:
    """Name the third of a month: from the 1st, the 11th, the 21st."""
    before = moment - timedelta(microseconds=1)
    return before.year, before.month, min((before.day - 1) // _DAYS_PER_PART, 2)


def quarter_of_year(moment: datetime) -> Period:
    """Name the quarter whose history a moment belongs to."""
    before = moment - timedelta(microseconds=1)
    return before.year, (before.month - 1) // 3


def end_of_month(month: Period) -> datetime:
    """Say when a month ends, and the next one begins."""
    year, number = month[0], month[1]
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def cut_runs(
    runs: Iterable[tuple[int, datetime]], period_of: Callable[[datetime], Period]
) -> list[Stretch]:
    """Cut runs (key and moment, by key) into stretches; the last one may still be growing."""
    stretches: list[Stretch] = []
    for key, moment in runs:
        period = period_of(moment)
        if not stretches or period > stretches[-1].period:
            stretches.append(Stretch(period=period, first_run=key, last_run=key))
        else:
            last = stretches[-1]
            stretches[-1] = Stretch(period=last.period, first_run=last.first_run, last_run=key)
    return stretches


def cover(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose among overlapping spans of runs, first and last, newest first: the longest that fit.

    Of those that end where the last chosen one begins or earlier, always the one that ends latest,
    and of these the one that begins earliest.
    """
    chosen: list[tuple[int, int]] = []
    for first, last in sorted(spans, key=lambda span: (-span[1], span[0])):
        if not chosen or last < chosen[-1][0]:
            chosen.append((first, last))
    return chosen
