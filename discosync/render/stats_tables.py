"""The figures of `stats` as lines and tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from discosync.core.inventory.money import render_amount
from discosync.core.past.stats import Group, Period, Stats
from discosync.render.plots import render_bar, render_sparkline

_PERIODS_SHOWN = 16
_GROUPS_SHOWN = 15


class StatsTable(NamedTuple):
    """One table; `left_out` says how many rows it leaves out."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    left_out: str = ""


def render_amounts(amounts: Mapping[str, Decimal]) -> str:
    """Write one sum per currency: `1,234.50 EUR`."""
    shown = [render_amount(amount, currency, sign=",") for currency, amount in amounts.items()]
    return " + ".join(shown) or "–"


def render_share(share: float) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.1f}%"


def render_days(days: float | None) -> str:
    """Write a number of days."""
    return "–" if days is None else f"{days:,.0f}"


def render_never_offered(by_reason: Mapping[str, int]) -> str:
    """Say how many listings the figures leave out because they were never for sale."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in by_reason.items())
    total = sum(by_reason.values())
    return f"{total:,} were never for sale while discosync knew them ({reasons})"


def summary_lines(stats: Stats) -> Iterator[tuple[str, str]]:
    """Return the main figures as named lines."""
    yield "sold", f"{stats.sold:,} listings for {render_amounts(stats.amounts)}"
    yield "for sale", f"{stats.active:,} listings worth {render_amounts(stats.value)}"
    yield "sell-thru", f"{render_share(stats.sell_through)} of what was on offer was sold"
    if stats.values:
        for currency in dict.fromkeys(point.currency for point in stats.values):
            points = [float(p.value) for p in stats.values if p.currency == currency]
            line = render_sparkline(points[-52:])
            yield "value", f"{line} {currency or 'no currency'}, by week"
    if stats.sold_undated:
        yield "undated", f"{stats.sold_undated:,} were sold before the first sync saw them"
    if stats.never_offered:
        yield "left out", render_never_offered(stats.never_offered)
    if stats.purged:
        yield "purged", f"{stats.purged:,} listings are in archives and not counted here"


def stats_tables(stats: Stats) -> Iterator[StatsTable]:
    """Return all tables."""
    yield _period_table("by month", stats.months)
    yield _period_table("by week", stats.weeks)
    yield _group_table("by format", stats.by_format)
    yield _group_table("by label", stats.by_label)
    yield _group_table("by price", stats.by_price)
    yield StatsTable(
        "price changes",
        ("month", "raised", "lowered", "difference"),
        [
            (m.month, f"{m.raised:,}", f"{m.lowered:,}", render_amount(m.difference, m.currency))
            for m in stats.price_moves
        ],
    )


def _period_table(title: str, periods: Sequence[Period]) -> StatsTable:
    # The newest periods are what people look for; CSV and JSON hold all.
    shown = periods[-_PERIODS_SHOWN:]
    most = max((period.sold for period in shown), default=0)
    rows = [
        (
            period.name,
            f"{period.sold:,}",
            render_bar(period.sold, most, width=16),
            render_amounts(period.amounts),
            ", ".join(f"{n:,} {reason}" for reason, n in period.removed.items()) or "–",
        )
        for period in shown
    ]
    columns = ("period", "sold", "", "for", "removed otherwise")
    return StatsTable(title, columns, rows, _left_out(len(periods) - len(rows), "earlier"))


def _group_table(title: str, groups: Sequence[Group]) -> StatsTable:
    rows = [
        (
            group.name,
            f"{group.sold:,}",
            f"{group.offered:,}",
            render_share(group.sell_through),
            render_bar(group.sell_through, 1, width=10),
            render_days(group.days),
            render_amounts(group.amounts),
        )
        for group in groups[:_GROUPS_SHOWN]
    ]
    columns = (title.removeprefix("by "), "sold", "on offer", "share", "", "days to sell", "for")
    return StatsTable(title, columns, rows, _left_out(len(groups) - len(rows), "more"))


def _left_out(count: int, word: str) -> str:
    return f"… and {count:,} {word}; `--csv` and `--json` hold all" if count else ""
