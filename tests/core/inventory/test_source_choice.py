"""The source with the fewest requests is chosen, and the reason is said."""

import pytest

from discosync.core.flags import FlagValue
from discosync.core.inventory.snapshot import Source
from discosync.core.inventory.source_choice import choose_source, pages_of

ON = FlagValue(value=True, why="default")
OFF = FlagValue(value=False, why="environment")


def test_source_choice_says_why() -> None:
    """The cheaper way is taken, and the reason is for people."""
    assert choose_source(300, use_csv_export=ON).source is Source.PAGES
    choice = choose_source(90_000, use_csv_export=ON)
    assert choice.source is Source.EXPORT
    assert choice.reason == "90,000 listings: pages cost 901 requests, an export about 5"
    assert choose_source(90_000, use_csv_export=OFF).source is Source.PAGES


@pytest.mark.parametrize(("items", "pages"), [(0, 1), (1, 1), (100, 1), (101, 2), (74_220, 743)])
def test_pages_of_an_inventory(items: int, pages: int) -> None:
    """A page holds a hundred listings, and an empty inventory has a page, too."""
    assert pages_of(items) == pages


@pytest.mark.parametrize(("items", "source"), [(300, Source.PAGES), (301, Source.EXPORT)])
def test_the_edge_between_pages_and_export(items: int, source: Source) -> None:
    """Four requests are fewer than the five of an export; five are not."""
    assert choose_source(items, use_csv_export=ON).source is source
