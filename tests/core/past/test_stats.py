"""Figures: every one of these was worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from discosync.core.past.stats import StatRow, compute_stats
from discosync.core.past.value_history import RunFigures

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def _row(**more: object) -> StatRow:
    row = StatRow(
        is_active=True,
        removal_reason=None,
        removed_at=None,
        sold_at=None,
        price=Decimal("12.00"),
        currency="EUR",
        primary_format="LP",
        primary_label="Orchard",
        listed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return row._replace(**more)  # type: ignore[arg-type]


def _sold(day: datetime, **more: object) -> StatRow:
    return _row(is_active=False, removal_reason="sold", removed_at=day, sold_at=day, **more)


MARCH_2 = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, in week 10
ROWS = [
    _row(),
    _row(price=Decimal("4.99"), primary_format="CD"),
    _sold(MARCH_2),
    _sold(MARCH_2 + timedelta(days=6, hours=23), price=Decimal("30.01")),
    _sold(MARCH_2 + timedelta(days=7), price=Decimal(1200), currency="JPY"),
    _row(is_active=False, removal_reason="expired", removed_at=MARCH_2),
    _row(is_active=False, removal_reason="sold", removed_at=MARCH_2),  # no date: sold before
    _sold(datetime(2025, 12, 31, tzinfo=UTC)),  # before the span
]


def test_sales_are_counted_by_week_and_month_and_currency() -> None:
    """A week runs from Monday to Sunday in UTC; currencies are never added up."""
    stats = compute_stats("shop", ROWS, [], since=SINCE, until=NOW)
    weeks = {p.name: (p.sold, dict(p.amounts), dict(p.removed)) for p in stats.weeks}
    assert weeks["2026-W10"] == (2, {"EUR": Decimal("42.01")}, {"expired": 1})
    assert weeks["2026-W11"] == (1, {"JPY": Decimal(1200)}, {})
    assert [p.name for p in stats.weeks] == [f"2026-W{n}" for n in (10, 11, 12, 13, 14)]
    assert [(p.name, p.sold) for p in stats.months] == [("2026-03", 3)]
    assert (stats.sold, stats.sold_undated, stats.active) == (3, 1, 2)


def test_sell_through_and_days_to_sell() -> None:
    """What sold, of what was on offer in the span; the median of the days from listing to sale."""
    stats = compute_stats("shop", ROWS, [], since=SINCE, until=NOW)
    by_format = {g.name: (g.sold, g.offered, g.days) for g in stats.by_format}
    assert by_format["CD"] == (0, 1, None)
    assert by_format["LP"][:2] == (3, 5)
    assert by_format["LP"][2] == pytest.approx(60 + 6 + 23 / 24)
    assert stats.sell_through == pytest.approx(3 / 6)
    assert [g.name for g in stats.by_price] == [
        "under 5 EUR",
        "10 to 20 EUR",
        "20 to 50 EUR",
        "100 and more JPY",
    ]


def test_the_total_is_of_all_listings_however_many_groups() -> None:
    """No table's length decides the share that sold, and every group is in the figures."""
    prices = [Decimal(n) for n in (1, 7, 15, 30, 70, 300)]
    offers = [_row(price=price, currency=c) for price in prices for c in ("EUR", "GBP", "USD")]
    rows = [*offers, _sold(MARCH_2), _sold(MARCH_2, currency="USD")]
    stats = compute_stats("shop", rows, [], since=SINCE, until=NOW)
    assert len(stats.by_price) == 18
    assert stats.offered == 20
    assert stats.sell_through == pytest.approx(2 / 20)


def test_what_was_never_for_sale_is_counted_apart() -> None:
    """A draft that was there at the first load neither went in a period nor was on offer."""
    draft = _row(is_active=False, removal_reason="draft", removed_at=MARCH_2)
    rows = [*ROWS, draft._replace(was_offered=False), draft]
    stats = compute_stats("shop", rows, [], since=SINCE, until=NOW)
    assert dict(stats.months[0].removed) == {"draft": 1, "expired": 1}
    assert (stats.never_offered, stats.offered) == ({"draft": 1}, 7)


def test_price_changes_add_up_and_a_week_ends_with_its_last_value() -> None:
    """Differences are exact; of a week's values only the last one counts."""
    runs = [
        RunFigures(
            MARCH_2 + timedelta(hours=hour),
            {"EUR": {"listings": 2, "value": f"{100 + hour}.10"}},
            {"EUR": {"raised": 1, "lowered": 2, "difference": "-0.10"}},
        )
        for hour in range(3)
    ]
    stats = compute_stats("shop", [], runs, since=SINCE, until=NOW)
    (moves,) = stats.price_moves
    assert (moves.raised, moves.lowered, moves.difference) == (3, 6, Decimal("-0.30"))
    (point,) = stats.values
    assert (point.week, point.value) == ("2026-W10", Decimal("102.10"))


def test_no_listing_at_all_is_no_fault() -> None:
    """An empty shop has figures of zero."""
    stats = compute_stats("shop", [], [], since=SINCE, until=NOW)
    assert (stats.sold, stats.sell_through, list(stats.weeks)) == (0, 0.0, [])
