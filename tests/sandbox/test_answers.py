"""Export and pages show one listing in Discogs' two forms, which mean the same."""

import csv
import io

from discosync.core.inventory.columns import EXPORT_COLUMNS
from discosync.sandbox.answers import for_sale, render_csv, render_page
from tests.support.shop import SELLER, make_listing, make_shop

LISTING = make_listing(1, comments="7\" sleeve, it's worn", accept_offer=True)


def test_export_has_discogs_form() -> None:
    """CRLF, quotes only where needed, a float for the price, Y for offers, Pacific time."""
    content = render_csv([LISTING]).decode()
    assert content.endswith("\r\n")
    assert '"7"" sleeve, it\'s worn"' in content
    header, row = csv.reader(io.StringIO(content))
    shown = dict(zip(header, row, strict=True))
    assert tuple(header) == tuple(EXPORT_COLUMNS)
    assert (shown["price"], shown["accept_offer"]) == ("12.5", "Y")
    assert shown["listed"] == "2026-03-02 04:00:00"


def test_page_has_discogs_form() -> None:
    """Entities in comments, the price with its currency, private fields for the owner only."""
    own = render_page([LISTING], seller=SELLER, page=1, per_page=100, is_owner=True)
    (shown,) = own["listings"]
    assert shown["comments"] == "7&#34; sleeve, it&#39;s worn"
    assert shown["original_price"]["curr_abbr"] == "EUR"
    assert shown["location"] == "001"
    other = render_page([LISTING], seller=SELLER, page=1, per_page=100, is_owner=False)
    assert "location" not in other["listings"][0]


def test_empty_inventory_has_one_page() -> None:
    """And no listing on it."""
    page = render_page([], seller=SELLER, page=1, per_page=100, is_owner=True)
    assert (page["pagination"]["pages"], page["listings"]) == (1, [])


def test_status_is_filtered_as_the_owner_asks() -> None:
    """In any case; `All` is everything, and nothing asked is what is For Sale."""
    shop = [*make_shop(2), make_listing(2, status="Sold")]
    assert for_sale(shop, "ALL") == shop
    assert for_sale(shop, "sold") == shop[2:]
    assert for_sale(shop, "") == shop[:2]
