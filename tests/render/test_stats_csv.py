"""The figures of `stats` as CSV and as JSON hold the same."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

from discosync.core.past.stats import Group, Period
from discosync.render.stats_csv import render_stats_csv
from discosync.render.stats_json import stats_json
from tests.render.test_stats_tables import NOTHING

FIGURES = replace(
    NOTHING,
    sold=3,
    offered=9,
    never_offered={"draft": 2},
    months=[
        Period(name="2026-03", sold=3, amounts={"EUR": Decimal("7.5")}, removed={"missing": 1})
    ],
    by_label=[Group(name='a, "b"', sold=3, offered=9, days=12.34, amounts={"EUR": Decimal("7.5")})],
)


def test_each_figure_has_a_line_of_its_own() -> None:
    """A spreadsheet can filter by section, group, measure and currency."""
    rows = [tuple(row) for row in csv.reader(io.StringIO(render_stats_csv(FIGURES)))]
    assert rows[0] == ("section", "group", "measure", "currency", "value")
    assert ("total", "", "sell_through", "", "0.3333") in rows
    assert ("total", "", "never_offered draft", "", "2") in rows
    assert ("months", "2026-03", "amount", "EUR", "7.50") in rows
    assert ("months", "2026-03", "removed missing", "", "1") in rows
    assert ("by_label", 'a, "b"', "median_days_to_sell", "", "12.3") in rows


def test_amounts_are_text_in_json() -> None:
    """No cent is lost to a float, and a share has four digits."""
    shown = stats_json(FIGURES)
    assert shown["months"][0]["amounts"] == {"EUR": "7.50"}
    assert shown["sell_through"] == 0.3333
    assert shown["since"] == "2026-01-01T00:00:00Z"
