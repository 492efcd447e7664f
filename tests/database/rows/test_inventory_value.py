"""What is for sale is added up by currency."""

from collections.abc import Callable

from discosync.database.connection.engine import Database
from discosync.database.rows.inventory_value import load_inventory_value


def test_only_active_listings_of_the_seller_are_added_up(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """Each currency has a sum to the cent; a listing without a price counts as nothing."""
    insert_listing("1", price_value=0.1, price_currency="EUR")
    insert_listing("2", price_value=0.2, price_currency="EUR")
    insert_listing("3", price_value=1200, price_currency="JPY")
    insert_listing("4")
    insert_listing("5", price_value=99, price_currency="EUR", is_active=False)
    insert_listing("6", price_value=99, price_currency="EUR", seller="other")

    with filled.session() as session:
        value = load_inventory_value(session, "velvet")

    assert value == {
        "EUR": {"listings": 2, "value": "0.30"},
        "JPY": {"listings": 1, "value": "1200.00"},
        "": {"listings": 1, "value": "0.00"},
    }
