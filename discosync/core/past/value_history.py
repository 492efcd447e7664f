"""The value of an inventory over time, and changes of prices, from what each run noted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class RunFigures(NamedTuple):
    """What one run noted: the value of the active listings and its price changes, by currency."""

    at: datetime
    value: Mapping[str, Mapping[str, object]]
    price_changes: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMoves:
    """A month's price changes in one currency."""

    month: str
    currency: str
    raised: int
    lowered: int
    difference: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePoint:
    """How many listings were active at the end of a week, and their value in one currency."""

    week: str
    currency: str
    listings: int
    value: Decimal


def week_of(moment: datetime) -> str:
    """Return the ISO week of a moment in UTC, such as `2026-W10`."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def month_of(moment: datetime) -> str:
    """Return the month of a moment in UTC, such as `2026-03`."""
    return f"{moment:%Y-%m}"


def follow_values(
    runs: Iterable[RunFigures], *, since: datetime
) -> tuple[list[PriceMoves], list[ValuePoint]]:
    """Add up price changes by month, and keep the last value of each week, from `since` on."""
    raised: dict[tuple[str, str], int] = defaultdict(int)
    lowered: dict[tuple[str, str], int] = defaultdict(int)
    difference: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    values: dict[tuple[str, str], ValuePoint] = {}
    for run in runs:
        if run.at < since:
            continue
        for currency, moves in run.price_changes.items():
            key = (month_of(run.at), currency)
            raised[key] += int(str(moves["raised"]))
            lowered[key] += int(str(moves["lowered"]))
            difference[key] += Decimal(str(moves["difference"]))
        for currency, worth in run.value.items():
            week = week_of(run.at)
            # Runs come in the order of time, so the last one of a week stays.
            values[week, currency] = ValuePoint(
                week=week,
                currency=currency,
                listings=int(str(worth["listings"])),
                value=Decimal(str(worth["value"])),
            )
    moves_by_month = [
        PriceMoves(
            month=key[0],
            currency=key[1],
            raised=raised[key],
            lowered=lowered[key],
            difference=difference[key],
        )
        for key in sorted(difference)
    ]
    return moves_by_month, [values[key] for key in sorted(values)]
