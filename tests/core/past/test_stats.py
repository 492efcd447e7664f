"""Figures: every one of these was worked out by hand."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from discosync.core.moments import moment_of_run, parse_age, parse_moment, render_age
from discosync.core.past.stats import StatRow, compute_stats
from discosync.core.past.value_history import RunFigures
from discosync.render.plots import render_bar, render_sparkline
from discosync.render.stats import render_amounts, render_stats_csv
from discosync.render.stats_page import render_stats_page
from discosync.render.svg_charts import bar_chart

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
    assert "1 were never for sale since discosync knows them" in render_stats_page(stats)


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
    """An empty shop has an empty page."""
    stats = compute_stats("shop", [], [], since=SINCE, until=NOW)
    assert (stats.sold, stats.sell_through, list(stats.weeks)) == (0, 0.0, [])
    assert "Nothing was sold" in render_stats_page(stats)
    assert render_stats_csv(stats).startswith("section,group,measure,currency,value\r\n")


def test_what_a_seller_wrote_is_escaped() -> None:
    """No name can become markup on the page."""
    row = _sold(MARCH_2, primary_label="<script>alert(1)</script>\n&, x", currency="<b>")
    page = render_stats_page(compute_stats("<i>shop", [row], [], since=SINCE, until=NOW))
    assert "<script" not in page
    assert "<b>" not in page.replace('<div class="figure"><b>', "")
    assert "<i>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("3h", 10_800), ("180d", 15_552_000), (" 2W ", 1_209_600)]
)
def test_ages(text: str, seconds: int) -> None:
    """A number and a unit."""
    assert parse_age(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0h", "3", "h", "-3h", "1.5h", "3 hours", "9999999d"])
def test_what_is_no_age(text: str) -> None:
    """Anything else is named as such."""
    with pytest.raises(ValueError, match="is no age"):
        parse_age(text)


def test_moments() -> None:
    """ISO 8601, UTC when no zone is given, or an age before now."""
    assert parse_moment("2026-03-01", now=NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("2026-03-01T02:00+02:00", now=NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("1d", now=NOW) == NOW - timedelta(days=1)
    for text in ("999999d", "0001-01-01T00:00+23:00", "soon"):
        with pytest.raises(ValueError, match=r"is no moment|before the calendar"):
            parse_moment(text, now=NOW)


def test_a_runs_moment_is_its_snapshots() -> None:
    """Unless Discogs' whole second is that of the run's start, or there is no snapshot."""
    assert moment_of_run(NOW, MARCH_2) == MARCH_2
    assert moment_of_run(NOW, None) == NOW
    assert moment_of_run(NOW, NOW - timedelta(seconds=0.7)) == NOW


def test_plots_and_ages_for_people() -> None:
    """The lowest is low, the highest high, nothing is nothing."""
    assert render_sparkline([0, 5, 10]) == "▁▅█"
    assert render_sparkline([]) == ""
    assert render_sparkline([0, 0]) == "▁▁"
    assert render_bar(10, 10, width=4) == "████"
    assert render_bar(0.001, 10, width=4) == "▏"
    assert render_bar(0, 10) == ""
    assert render_age(timedelta(seconds=90_061)) == "1 d 1 h"
    assert render_age(timedelta(0)) == "0 s"


def test_sums_are_written_with_thousands() -> None:
    """A sum is read, not typed."""
    assert render_amounts({"EUR": Decimal("1234567.5"), "JPY": Decimal(1200)}) == (
        "1,234,567.50 EUR + 1,200 JPY"
    )


def test_the_last_name_of_a_chart_stays_inside() -> None:
    """A period at the right edge is named to its left."""
    chart = bar_chart("t", [(f"2026-W{n:02}", 1.0) for n in range(1, 20)])
    labels = re.findall(r'class="tick" x="([\d.]+)" y="212" text-anchor="(\w+)">(2026-W\d+)', chart)
    for x, anchor, _ in labels:
        assert float(x) + (0 if anchor == "end" else 30) <= 720
    assert labels[-1][1:] == ("end", "2026-W19")
