"""Bars and sparklines in text."""

from discosync.render.plots import render_bar, render_sparkline


def test_plots() -> None:
    """The lowest is low, the highest high, nothing is nothing."""
    assert render_sparkline([0, 5, 10]) == "▁▅█"
    assert render_sparkline([]) == ""
    assert render_sparkline([0, 0]) == "▁▁"
    assert render_bar(10, 10, width=4) == "████"
    assert render_bar(0.001, 10, width=4) == "▏"
    assert render_bar(0, 10) == ""
