"""The figures of `stats` as CSV: one figure a line, for a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from discosync.core.inventory.guarded import guard
from discosync.core.past.stats import Stats
from discosync.render.stats_json import stats_json

_Figure = tuple[str, object, str, str, object]


def render_stats_csv(stats: Stats) -> str:
    """Write a header, then each figure with its section, group, measure and currency."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("section", "group", "measure", "currency", "value"))
    # Formats and labels are anybody's words; figures are numbers, and may be negative.
    writer.writerows(
        (section, guard(str(group)), guard(measure), currency, value)
        for section, group, measure, currency, value in _figures(stats_json(stats))
    )
    return buffer.getvalue()


def _figures(shown: Mapping[str, Any]) -> Iterator[_Figure]:
    for name in ("active", "offered", "sold", "sell_through", "sold_undated", "purged"):
        yield "total", "", name, "", shown[name]
    for reason, count in shown["never_offered"].items():
        yield "total", "", f"never_offered {reason}", "", count
    for section in ("weeks", "months"):
        for period in shown[section]:
            yield section, period["period"], "sold", "", period["sold"]
            yield from _amount_figures(section, period["period"], period["amounts"])
            for reason, count in period["removed"].items():
                yield section, period["period"], f"removed {reason}", "", count
    for section in ("by_format", "by_label", "by_price"):
        for group in shown[section]:
            for name in ("sold", "offered", "sell_through", "median_days_to_sell"):
                yield section, group["name"], name, "", group[name]
            yield from _amount_figures(section, group["name"], group["amounts"])
    yield from _flat_figures(
        "price_changes", "month", ("raised", "lowered", "difference"), shown["price_changes"]
    )
    yield from _flat_figures(
        "inventory_value", "week", ("listings", "value"), shown["inventory_value"]
    )


def _amount_figures(section: str, group: str, amounts: Mapping[str, str]) -> Iterator[_Figure]:
    for currency, amount in amounts.items():
        yield section, group, "amount", currency, amount


def _flat_figures(
    section: str, key: str, names: Sequence[str], points: Sequence[Mapping[str, Any]]
) -> Iterator[_Figure]:
    for point in points:
        for name in names:
            yield section, point[key], name, point["currency"], point[name]
