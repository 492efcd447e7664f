"""A comparison in rows and as Markdown."""

from datetime import UTC, datetime

from discosync.core.planning.changes import FieldChange
from discosync.core.reporting.comparison import Comparison, Difference, Side
from discosync.core.reporting.report_parts import ApiUse, ListingCounts
from discosync.render.comparison import (
    difference_rows,
    render_comparison_markdown,
    render_verdict,
    side_rows,
)

SIDE = Side(
    source="export",
    as_of=datetime(2026, 3, 2, 12, tzinfo=UTC),
    for_sale=1200,
    is_complete=True,
    api=ApiUse(requests=5, bytes=4000),
    seconds=2.5,
    would=ListingCounts(added=1),
)
BY_TIME = Difference(
    listing_id=7, heading="A", kind="only_pages", fields=(), explained_by="it was sold meanwhile"
)
PRICE = Difference(
    listing_id=8,
    heading="B | C",
    kind="differs",
    fields=(FieldChange("comments", "x", None),),
    explained_by=None,
)


def _compared(*differences: Difference) -> Comparison:
    return Comparison(export=SIDE, pages=SIDE, compared=1200, differences=differences)


def test_verdict_counts_only_what_time_does_not_explain() -> None:
    """A shop that changed between the two ways of reading it is no mismatch."""
    assert render_verdict(_compared()) == "1,200 listings compared: they agree"
    assert "they agree, 1 differ because" in render_verdict(_compared(BY_TIME))
    assert "1 differ and nothing explains it" in render_verdict(_compared(PRICE))


def test_unexplained_differences_come_first() -> None:
    """What somebody must look at stands at the top."""
    assert list(difference_rows([BY_TIME, PRICE])) == [
        ("8", "B | C", "comments: export x, pages –", "nothing explains it"),
        ("7", "A", "only on the pages", "it was sold meanwhile"),
    ]


def test_sides_stand_next_to_each_other() -> None:
    """Each fact has one value per side."""
    facts = {name: (export, pages) for name, export, pages in side_rows(_compared())}
    assert facts["For Sale"] == ("1,200", "1,200")
    assert facts["transferred"] == ("4.0 kB", "4.0 kB")
    assert facts["sync would"][0] == "add 1, update 0, remove 0, reactivate 0"


def test_markdown_keeps_a_sellers_words_in_their_cell() -> None:
    """A bar in a title ends no cell."""
    assert r"| 8 | B \| C |" in render_comparison_markdown(_compared(PRICE), seller="x")
