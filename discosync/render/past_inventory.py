"""The inventory of a past moment as rows of a table."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from discosync.core.inventory.listing import heading_of
from discosync.core.inventory.money import render_amount
from discosync.render.cells import render_cell

PAST_COLUMNS = ("listing", "status", "price", "condition", "record")


def past_row(listing: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the row of a listing."""
    price = listing["price_value"]
    return (
        str(listing["listing_id"]),
        render_cell(listing["status"]),
        render_amount(Decimal(price) if price else None, listing["price_currency"]),
        render_cell(listing["condition"]),
        render_cell(heading_of(listing["artist_names"], listing["release_title"])),
    )
