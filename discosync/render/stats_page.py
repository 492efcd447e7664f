"""The figures of `stats` as one HTML page: no script, nothing to download, fit for printing."""

from collections.abc import Iterator, Sequence
from html import escape

from discosync import NOTICES
from discosync.core.past.stats import Stats
from discosync.render.stats_tables import (
    StatsTable,
    render_amounts,
    render_never_offered,
    render_share,
    stats_tables,
)
from discosync.render.svg_charts import bar_chart, line_chart

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1b19; --soft: #6d675f; --paper: #fbf9f6;
  --card: #fff; --rule: #e5dfd6; --accent: #b4532a; --wash: #b4532a22; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0ece6; --soft: #a8a096; --paper: #171513;
  --card: #211e1b; --rule: #38332d; --accent: #e58a5c; --wash: #e58a5c26; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
p.sub, footer { color: var(--soft); margin: 0 0 1.5rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; }
.figure, section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
  padding: 1rem 1.25rem; }
.figure b { display: block; font-size: 1.6rem; line-height: 1.25; }
.figure span { color: var(--soft); }
section { margin-top: 1.25rem; break-inside: avoid; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: .85rem; }
th, td { padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--rule); }
tr:last-child td { border-bottom: 0; }
td:not(:first-child), th:not(:first-child) { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 11px; }
.bar { fill: var(--accent); } .line { fill: none; stroke: var(--accent); stroke-width: 2; }
.area { fill: var(--wash); } .dot { fill: var(--accent); }
footer { margin-top: 2rem; font-size: .85rem; }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #ccc; }
  body { padding: 0; font-size: 11px; } .figure, section { border-radius: 0; }
  .scroll { overflow: visible; } }
"""


def render_stats_page(stats: Stats) -> str:
    """Render the whole page; texts of sellers and of Discogs are escaped."""
    span = f"{stats.since:%d %B %Y} to {stats.until:%d %B %Y}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(stats.seller)}: what sold</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(stats.seller)}</h1>"
        f'<p class="sub">What sold, and how fast: {span}</p>'
        f"{''.join(_parts(stats))}{_footer(stats)}</main></body></html>\n"
    )


def _parts(stats: Stats) -> Iterator[str]:
    yield _figures(stats)
    months = [(period.name, float(period.sold)) for period in stats.months]
    weeks = [(period.name, float(period.sold)) for period in stats.weeks[-53:]]  # a year
    if months:
        yield _section("Sold by month", bar_chart("Records sold by month", months))
        yield _section("Sold by week", bar_chart("Records sold by week", weeks))
    for currency in dict.fromkeys(point.currency for point in stats.values):
        points = [(p.week, float(p.value)) for p in stats.values if p.currency == currency]
        name = f"Value of what is for sale{', ' + currency if currency else ''}"
        yield _section(name, line_chart(name, points))
    for table in stats_tables(stats):
        if table.rows:
            yield _section(table.title.capitalize(), _table(table))
    if not months and not stats.active:
        yield _section("Nothing yet", "<p>Nothing was sold, and nothing is for sale.</p>")


def _figures(stats: Stats) -> str:
    shown = (
        (f"{stats.sold:,}", "records sold"),
        (render_amounts(stats.amounts), "taken in, at asking prices"),
        (render_share(stats.sell_through), "of what was on offer sold"),
        (f"{stats.active:,}", f"for sale, worth {render_amounts(stats.value)}"),
    )
    cards = [
        f'<div class="figure"><b>{escape(value)}</b><span>{escape(what)}</span></div>'
        for value, what in shown
    ]
    return f'<div class="figures">{"".join(cards)}</div>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(table: StatsTable) -> str:
    # A column without a name holds bars made of characters, for terminals only.
    kept = [index for index, name in enumerate(table.columns) if name]
    rows = f'<div class="scroll"><table>{_head(table, kept)}{_body(table, kept)}</table></div>'
    return rows + (f'<p class="sub">{escape(table.left_out)}</p>' if table.left_out else "")


def _head(table: StatsTable, kept: Sequence[int]) -> str:
    cells = "".join(f"<th>{escape(table.columns[index])}</th>" for index in kept)
    return f"<thead><tr>{cells}</tr></thead>"


def _body(table: StatsTable, kept: Sequence[int]) -> str:
    cells = ("".join(f"<td>{escape(row[index])}</td>" for index in kept) for row in table.rows)
    return f"<tbody>{''.join(f'<tr>{row}</tr>' for row in cells)}</tbody>"


def _footer(stats: Stats) -> str:
    notes = []
    if stats.sold_undated:
        notes.append(f"{stats.sold_undated:,} records were sold before the first sync saw them.")
    if stats.never_offered:
        notes.append(f"{render_never_offered(stats.never_offered)}.")
    if stats.purged:
        notes.append(f"{stats.purged:,} purged records are not counted.")
    lines = "<br>".join(escape(line) for line in (*notes, *NOTICES))
    return f"<footer>{lines}</footer>"
