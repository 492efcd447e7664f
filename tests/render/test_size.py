"""Numbers of bytes and of things for people."""

import pytest

from discosync.render.size import render_count, render_size


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (2_345_678, "2.3 MB"),
        (5 * 10**12, "5,000.0 GB"),
    ],
)
def test_size_has_the_unit_that_reads_well(size_bytes: int, shown: str) -> None:
    """A thousand of one unit are one of the next; beyond GB there is none."""
    assert render_size(size_bytes) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 listings"), (1, "1 listing"), (2_000, "2,000 listings")]
)
def test_one_thing_has_no_s(count: int, shown: str) -> None:
    """A noun takes its "s" for every number but one."""
    assert render_count(count, "listing") == shown
