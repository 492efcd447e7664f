"""Charts as SVG."""

import re

from discosync.render.svg_charts import bar_chart


def test_the_last_name_of_a_chart_stays_inside() -> None:
    """A period at the right edge is named to its left."""
    chart = bar_chart("t", [(f"2026-W{n:02}", 1.0) for n in range(1, 20)])
    labels = re.findall(r'class="tick" x="([\d.]+)" y="212" text-anchor="(\w+)">(2026-W\d+)', chart)
    for x, anchor, _ in labels:
        assert float(x) + (0 if anchor == "end" else 30) <= 720
    assert labels[-1][1:] == ("end", "2026-W19")
