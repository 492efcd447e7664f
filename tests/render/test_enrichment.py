"""What an enrichment did, in lines."""

from discosync.core.catalog.enrichment import Coverage
from discosync.render.enrichment import render_coverage


def test_hundred_percent_means_all() -> None:
    """One listing that is not linked keeps the share below 100%."""
    coverage = Coverage(linked=99_999, total=100_000, waiting=1)
    assert render_coverage(coverage) == "99,999 of 100,000 listings (99.9%)"
    assert "(100.0%)" in render_coverage(Coverage(linked=3, total=3, waiting=0))
    assert render_coverage(Coverage(linked=0, total=0, waiting=0)) == "0 of 0 listings"
