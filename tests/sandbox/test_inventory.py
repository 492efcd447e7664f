"""The made-up inventory is always the same, and drifts as a shop does."""

from discosync.core.inventory.listing import FOR_SALE
from discosync.sandbox.inventory import drift, make_inventory


def test_seed_decides_everything() -> None:
    """A rehearsal can be repeated, and another seed is another shop."""
    assert make_inventory(50) == make_inventory(50)
    assert make_inventory(50) == make_inventory(60)[:50]
    assert make_inventory(50) != make_inventory(50, seed=2)


def test_listings_have_the_shapes_of_real_ones() -> None:
    """Ids beyond 32 bits, sold and draft ones, quotes and line ends in comments."""
    shop = make_inventory(500)
    assert len({listing.listing_id for listing in shop}) == 500
    assert all(listing.listing_id > 2**32 for listing in shop)
    assert {listing.status for listing in shop} == {FOR_SALE, "Sold", "Draft", "Expired"}
    comments = "".join(listing.comments or "" for listing in shop)
    assert all(sign in comments for sign in ("'", '"', "\n", "💿", "Ü"))


def test_an_hour_changes_a_little() -> None:
    """Something is sold, priced anew, withdrawn and added; hours add up."""
    before = {listing.listing_id: listing for listing in make_inventory(100)}
    after = {listing.listing_id: listing for listing in drift(make_inventory(100), 1)}
    kept = before.keys() & after.keys()
    assert any(before[i].is_for_sale and after[i].status == "Sold" for i in kept)
    assert any(before[i].price_value > after[i].price_value for i in kept)
    assert before.keys() - after.keys()
    assert after.keys() - before.keys()
    assert sum(before[i] != after[i] for i in kept) < 12
    assert drift(make_inventory(100), 2) != drift(make_inventory(100), 1)
