"""A comparison on the screen."""

from discosync.console.terminal import print_table, say
from discosync.core.reporting.comparison import Comparison
from discosync.render.comparison import difference_rows, render_verdict, side_rows


def print_comparison(comparison: Comparison) -> None:
    """Print both sides next to each other, then the differences and the verdict."""
    print_table(("", "export", "pages"), side_rows(comparison))
    if comparison.differences:
        columns = ("listing", "record", "what", "why")
        print_table(columns, difference_rows(comparison.differences))
    say(render_verdict(comparison))
