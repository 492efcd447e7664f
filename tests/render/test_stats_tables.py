"""The figures of `stats` as lines and tables."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from discosync.core.past.stats import Group, Period, Stats, compute_stats
from discosync.render.stats_tables import (
    render_amounts,
    render_days,
    stats_tables,
    summary_lines,
)

NOTHING = compute_stats(
    "shop",
    [],
    [],
    since=datetime(2026, 1, 1, tzinfo=UTC),
    until=datetime(2026, 3, 31, tzinfo=UTC),
)


def _group(name: str) -> Group:
    return Group(name=name, sold=1, offered=4, days=None, amounts={})


def test_sums_are_written_with_thousands() -> None:
    """A sum is read, not typed; without any there is a dash."""
    assert render_amounts({"EUR": Decimal("1234567.5"), "JPY": Decimal(1200)}) == (
        "1,234,567.50 EUR + 1,200 JPY"
    )
    assert render_amounts({}) == "–"


def test_no_median_is_no_zero() -> None:
    """Sold on the day it was listed is 0; an unknown time is a dash."""
    assert (render_days(0.0), render_days(None)) == ("0", "–")


def test_long_table_is_cut_and_says_so() -> None:
    """Months keep the newest sixteen, groups the first fifteen."""
    months = [Period(name=f"month {n}", sold=n) for n in range(20)]
    stats: Stats = replace(NOTHING, months=months, by_label=[_group(str(n)) for n in range(17)])
    tables = {table.title: table for table in stats_tables(stats)}
    assert [row[0] for row in tables["by month"].rows] == [f"month {n}" for n in range(4, 20)]
    assert tables["by month"].left_out == "… and 4 earlier; `--csv` and `--json` hold all"
    assert len(tables["by label"].rows) == 15
    assert tables["by label"].left_out == "… and 2 more; `--csv` and `--json` hold all"
    assert tables["by week"].left_out == ""


def test_group_shows_its_share() -> None:
    """One of four is a quarter, in figures and as a bar of ten characters at most."""
    tables = {t.title: t for t in stats_tables(replace(NOTHING, by_price=[_group("0 to 10")]))}
    assert tables["by price"].rows == [("0 to 10", "1", "4", "25.0%", "██▌", "–", "–")]


def test_summary_names_what_is_not_counted() -> None:
    """Without such listings there is no line about them."""
    assert [name for name, _ in summary_lines(NOTHING)] == ["sold", "for sale", "sell-thru"]
    left_out = replace(NOTHING, sold_undated=2, never_offered={"draft": 3}, purged=4)
    lines = dict(summary_lines(left_out))
    assert lines["undated"].startswith("2 were sold")
    assert lines["left out"] == "3 were never for sale while discosync knew them (3 draft)"
    assert lines["purged"].startswith("4 listings")
