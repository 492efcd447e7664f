"""Made-up listings, CSV files in the export's form, and planned changes to them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from discosync.core.inventory.listing import Listing
from discosync.sandbox.answers import render_csv

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SELLER = "velvet-crates"
FIRST_ID = 4_400_000_001


def make_listing(number: int = 0, **fields: Any) -> Listing:
    """Make one listing; `number` tells them apart."""
    listing = Listing(
        listing_id=FIRST_ID + number,
        status="For Sale",
        price_value=Decimal("12.50"),
        price_currency="EUR",
        release_id=500_000 + number,
        condition="Very Good Plus (VG+)",
        sleeve_condition="Not Graded",
        comments=f"No. {number}, it's fine",
        accept_offer=False,
        quantity=1,
        weight=Decimal(230),
        format_quantity=1,
        external_id="",
        location=f"{number:03}",
        artist_names=f"The Hollow {number}",
        release_title="Plain Tides",
        label_names="Orchard Recordings",
        catalog_number=f"ORC {number:03}",
        format_names="LP, Album",
        posted=NOON,
        uri=f"https://www.discogs.com/sell/item/{FIRST_ID + number}",
        resource_url=f"https://api.discogs.com/marketplace/listings/{FIRST_ID + number}",
        release_year=1984,
        release_resource_url=f"https://api.discogs.com/releases/{500_000 + number}",
        image_uri=f"https://i.discogs.com/made-up/{number}.jpeg",
        image_resource_url=f"https://i.discogs.com/made-up/{number}.jpeg",
        release_community_have=3,
        release_community_want=4,
    )
    return replace(listing, **fields)


def make_shop(count: int) -> list[Listing]:
    """Make that many listings that are for sale."""
    return [make_listing(number) for number in range(count)]


def with_changed(shop: list[Listing], number: int, **fields: Any) -> list[Listing]:
    """Change one listing of a shop."""
    return [replace(x, **fields) if i == number else x for i, x in enumerate(shop)]


def write_export(path: Path, shop: list[Listing]) -> Path:
    """Write a shop as a downloaded export."""
    path.write_bytes(render_csv(shop))
    return path
