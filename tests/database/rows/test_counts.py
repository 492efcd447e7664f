"""How many listings a seller has, and why the rest are not for sale."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from discosync.database.connection.engine import Database
from discosync.database.rows.counts import load_counts, load_known_counts, load_purge_outlook
from discosync.database.rows.inventory_value import load_inventory_value

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


def test_listings_are_counted_by_the_reason_of_their_removal(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """What another program removed without a reason is counted as unknown."""
    insert_listing("1")
    for listing_id, reason in (("2", "sold"), ("3", "sold"), ("4", None)):
        insert_listing(listing_id, is_active=False, removal_reason=reason)
    insert_listing("5", seller="other")

    with filled.session() as session:
        counts, known = load_counts(session, "velvet"), load_known_counts(session, "velvet")

    assert (counts.active, counts.inactive_by_reason) == (1, {"sold": 2, "unknown": 1})
    assert (known.total, known.active) == (4, 1)


def test_purge_takes_what_went_at_the_cutoff_and_leaves_what_went_after(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """The edge counts as gone for long; the next one to go is the first after it."""
    second = timedelta(seconds=1)
    for number, removed_at in enumerate((CUTOFF - second, CUTOFF, CUTOFF + second)):
        held = f"{removed_at:%Y-%m-%d %H:%M:%S}.000000"
        insert_listing(str(number), is_active=False, removed_at=held)
    insert_listing("7", is_active=False)

    with filled.session() as session:
        outlook = load_purge_outlook(session, "velvet", CUTOFF)

    assert (outlook.due, outlook.next_removed_at) == (2, CUTOFF + second)


def test_value_is_added_up_by_currency_to_the_cent(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """Only what is for sale is worth something; prices that are no whole cents do not drift."""
    for number in range(10):
        insert_listing(str(number), price_value=0.1, price_currency="EUR")
    insert_listing("20", price_value=5, price_currency="USD")
    insert_listing("21", price_value=99, price_currency="USD", is_active=False)

    with filled.session() as session:
        value = load_inventory_value(session, "velvet")

    assert value == {
        "EUR": {"listings": 10, "value": "1.00"},
        "USD": {"listings": 1, "value": "5.00"},
    }
