"""Stretches: the history of a seller, cut into ranges of runs by period.

The newest history is cut by thirds of a month, thinned history by month, and what is long past also
by quarter, so that a year is put together from a few pieces.

A stretch is a range of runs in the order of their numbers. It begins with the first run that shows
a moment of a later period than all runs before it. There `as-of`, asked for the end of the earlier
period, begins to undo.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Period = tuple[int, ...]

_DAYS_PER_PART = 10
"""The days of a third of a month; the last third takes what is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One seller's runs of a period, by number, the first and the last included."""

    period: Period
    first_run: int
    last_run: int


def month_of_history(moment: datetime) -> Period:
    """Return year and month (UTC) of a moment; midnight still belongs to the month before."""
    before = moment - timedelta(microseconds=1)
    return before.year, before.month


def third_of_month(moment: datetime) -> Period:
    """Return year, month and third (0 to 2): from the 1st, the 11th and the 21st."""
    before = moment - timedelta(microseconds=1)
    return before.year, before.month, min((before.day - 1) // _DAYS_PER_PART, 2)


def quarter_of_year(moment: datetime) -> Period:
    """Return year and quarter (0 to 3) of a moment; midnight belongs to the quarter before."""
    before = moment - timedelta(microseconds=1)
    return before.year, (before.month - 1) // 3


def end_of_month(month: Period) -> datetime:
    """Return the moment at which a month ends and the next one begins."""
    year, number = month[0], month[1]
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def cut_runs(
    runs: Iterable[tuple[int, datetime]], period_of: Callable[[datetime], Period]
) -> list[Stretch]:
    """Cut runs, given as number and moment in the order of numbers, into stretches.

    The last stretch may still grow.
    """
    stretches: list[Stretch] = []
    for key, moment in runs:
        period = period_of(moment)
        # A file may show an earlier moment than the run before it: it begins no new stretch.
        if not stretches or period > stretches[-1].period:
            stretches.append(Stretch(period=period, first_run=key, last_run=key))
        else:
            last = stretches[-1]
            stretches[-1] = Stretch(period=last.period, first_run=last.first_run, last_run=key)
    return stretches


def cover(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose spans of runs, given as first and last, that do not overlap; newest first.

    Next is always the span that ends latest among those that end before the last chosen one begins;
    of several such spans, the longest.
    """
    chosen: list[tuple[int, int]] = []
    # Of those that end together the longest first: fewer spans are quicker to put together.
    for first, last in sorted(spans, key=lambda span: (-span[1], span[0])):
        if not chosen or last < chosen[-1][0]:
            chosen.append((first, last))
    return chosen
