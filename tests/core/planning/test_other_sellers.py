"""A seller's first load with listings of another seller is refused once."""

from array import array
from dataclasses import replace

from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.other_sellers import check_other_sellers, is_first_load

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


def test_one_shared_listing_is_enough_and_the_most_likely_seller_is_named() -> None:
    """The refusal shows its arithmetic; the option allows it."""
    shared = {"elsewhere": 1, "velvet": 2, "nobody": 0}
    (violation,) = check_other_sellers(FIRST, "velvt", shared, allowed=False)
    assert "2 of 3 listings are known as those of velvet: velvt may be" in violation.text
    assert list(check_other_sellers(FIRST, "velvt", {"nobody": 0}, allowed=False)) == []
    assert list(check_other_sellers(FIRST, "velvt", shared, allowed=True)) == []
