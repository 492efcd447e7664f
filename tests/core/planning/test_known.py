"""What is known of listings: arrays side by side, found by listing id."""

from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.listing import HASH_VERSION
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.known import IS_ACTIVE, IS_PURGED, KnownListings

ids = st.lists(st.integers(1, 2**63 - 1), unique=True, max_size=30)


@given(ids)
def test_listings_are_found_in_whatever_order_they_came(listing_ids: list[int]) -> None:
    """Flags and hashes stay with their listing when the arrays are sorted."""
    rows = [(i, i % 8, f"{HASH_VERSION}:{i:032x}") for i in listing_ids]
    known = KnownListings.of(rows)
    assert list(known.ids) == sorted(listing_ids)
    for listing_id, flags, _ in rows:
        position = known.find(listing_id)
        assert position is not None
        assert known.flags[position] == flags
        assert known.hash_at(position) == listing_id.to_bytes(16, "big")


@given(ids, st.integers(1, 2**63 - 1))
def test_a_stranger_is_not_found(listing_ids: list[int], other: int) -> None:
    """Only a known id has a position."""
    known = KnownListings.of((i, 0, None) for i in listing_ids)
    assert (known.find(other) is not None) == (other in listing_ids)


def test_a_hash_of_another_version_settles_nothing() -> None:
    """It counts as no hash at all."""
    known = KnownListings.of([(1, 0, "0:" + "a" * 32), (2, 0, None), (3, 0, f"{HASH_VERSION}:zz")])
    assert known.hashes == NO_DIGEST * 3


def test_only_the_active_flag_makes_a_listing_active() -> None:
    """A purged listing is not active."""
    known = KnownListings.of([(1, IS_ACTIVE, None), (2, IS_PURGED, None), (3, 0, None)])
    assert list(known.are_active) == [1, 0, 0]
