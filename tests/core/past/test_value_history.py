"""The value of an inventory by week, and its price changes by month."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from discosync.core.past.value_history import RunFigures, follow_values, month_of, week_of

JAN_1 = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _run(at: datetime, value: str, difference: str, currency: str = "EUR") -> RunFigures:
    return RunFigures(
        at,
        {currency: {"listings": 2, "value": value}},
        {currency: {"raised": 1, "lowered": 0, "difference": difference}},
    )


@pytest.mark.parametrize(
    ("day", "week"),
    [("2026-01-01", "2026-W01"), ("2027-01-01", "2026-W53"), ("2026-03-02", "2026-W10")],
)
def test_weeks_are_those_of_iso_8601(day: str, week: str) -> None:
    """The first days of a year may belong to the last week of the year before."""
    assert week_of(datetime.fromisoformat(day).replace(tzinfo=UTC)) == week
    assert month_of(datetime.fromisoformat(day).replace(tzinfo=UTC)) == day[:7]


def test_changes_add_up_and_the_last_value_of_a_week_stays() -> None:
    """Currencies are never added up, and money is exact."""
    runs = [
        _run(JAN_1, "10.10", "0.10"),
        _run(JAN_1 + timedelta(days=1), "10.30", "0.20"),
        _run(JAN_1 + timedelta(days=2), "900", "1", "JPY"),
        _run(JAN_1 + timedelta(days=31), "10.00", "-0.30"),
    ]
    moves, values = follow_values(runs, since=JAN_1)
    assert [(m.month, m.currency, m.raised, m.difference) for m in moves] == [
        ("2026-01", "EUR", 2, Decimal("0.30")),
        ("2026-01", "JPY", 1, Decimal(1)),
        ("2026-02", "EUR", 1, Decimal("-0.30")),
    ]
    assert [(v.week, v.currency, v.value) for v in values] == [
        ("2026-W01", "EUR", Decimal("10.30")),
        ("2026-W01", "JPY", Decimal(900)),
        ("2026-W05", "EUR", Decimal("10.00")),
    ]


def test_runs_before_the_span_do_not_count() -> None:
    """The run at its very beginning does."""
    runs = [_run(JAN_1 - timedelta(seconds=1), "1", "1"), _run(JAN_1, "2", "2")]
    moves, values = follow_values(runs, since=JAN_1)
    assert ([m.raised for m in moves], [v.value for v in values]) == ([1], [Decimal(2)])
