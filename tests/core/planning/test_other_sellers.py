"""A seller's first load with another seller's listings is refused or warned of."""

from array import array
from dataclasses import replace

import pytest

from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.other_sellers import check_shared, find_shared, is_first_load

FIRST = ChangeSet(added=array("q", [1, 2, 3]))


def test_only_a_load_of_an_unknown_seller_is_a_first_one() -> None:
    """Something was known, or nothing comes: it is none."""
    assert is_first_load(FIRST)
    assert not is_first_load(ChangeSet())
    for known in (
        replace(FIRST, known_active=1),
        replace(FIRST, compared=1),
        replace(FIRST, left_purged=1),
    ):
        assert not is_first_load(known)


def _load(count: int) -> ChangeSet:
    return ChangeSet(added=array("q", range(count)))


@pytest.mark.parametrize(
    ("count", "counts", "is_refused"),
    [
        (60, {"velvet": 57}, True),
        (50, {"velvet": 50}, True),
        # Fewer than fifty, or no more than half, are told but not refused.
        (49, {"velvet": 49}, False),
        (120, {"velvet": 60}, False),
        (119, {"velvet": 60}, True),
    ],
)
def test_one_shop_under_two_names_is_refused(
    count: int, counts: dict[str, int], *, is_refused: bool
) -> None:
    """Most listings, and at least fifty, are another seller's: the option allows it once."""
    shared = find_shared(_load(count), "velvt", counts)
    assert shared is not None
    assert bool(list(check_shared(shared, allowed=False))) is is_refused
    assert shared.are_many is (shared.listings >= 50)
    assert list(check_shared(shared, allowed=True)) == []


def test_the_most_likely_seller_is_named() -> None:
    """The text shows its arithmetic, and the seller who shares the most."""
    shared = find_shared(FIRST, "velvt", {"elsewhere": 1, "velvet": 2, "nobody": 0})
    assert "2 of 3 listings are known as those of velvet: velvt may be" in str(shared)
    assert find_shared(FIRST, "velvt", {"nobody": 0}) is None
