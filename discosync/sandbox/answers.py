"""Exports and inventory pages in Discogs' own shapes (recorded in August 2026)."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from discosync.core.inventory.columns import EXPORT_COLUMNS
from discosync.core.inventory.listing import FOR_SALE, Listing
from discosync.core.inventory.pacific import utc_to_pacific

Json = dict[str, Any]

_TOTALS = {"rating": "99.8", "stars": 5.0, "total": 1234}


def render_csv(inventory: Sequence[Listing]) -> bytes:
    """Return an export's bytes: UTF-8, CRLF after every record, quotes only where needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(EXPORT_COLUMNS)
    writer.writerows(_csv_row(listing) for listing in inventory)
    return text.getvalue().encode()


def _csv_row(listing: Listing) -> list[object]:
    posted = utc_to_pacific(listing.posted or datetime.now(UTC))
    return [
        listing.listing_id,
        listing.artist_names,
        listing.release_title,
        listing.label_names,
        listing.catalog_number,
        listing.format_names,
        listing.release_id,
        listing.status,
        float(listing.price_value),
        posted.strftime("%Y-%m-%d %H:%M:%S"),
        listing.comments,
        listing.condition,
        listing.sleeve_condition,
        "Y" if listing.accept_offer else "N",
        listing.external_id,
        None if listing.weight is None else int(listing.weight),
        listing.format_quantity,
        listing.location,
        listing.quantity,
    ]


def render_page(
    inventory: Sequence[Listing], *, seller: str, page: int, per_page: int, is_owner: bool
) -> Json:
    """Return one page of `GET /users/{username}/inventory`, with more fields for the owner."""
    start = (page - 1) * per_page
    shown = inventory[start : start + per_page]
    return {
        "pagination": {
            "page": page,
            "pages": max(1, -(-len(inventory) // per_page)),
            "per_page": per_page,
            "items": len(inventory),
            "urls": {},
        },
        "listings": [_page_listing(x, seller=seller, is_owner=is_owner) for x in shown],
    }


def render_listing(listing: Listing, *, seller: str, is_owner: bool) -> Json:
    """Return the answer of `GET /marketplace/listings/{id}`: as on a page of the inventory."""
    return _page_listing(listing, seller=seller, is_owner=is_owner)


def _entities(text: str | None) -> str:
    """Write quotes in comments as HTML entities, as the JSON API does (observed, May 2026)."""
    return (text or "").replace("'", "&#39;").replace('"', "&#34;")


def _page_listing(listing: Listing, *, seller: str, is_owner: bool) -> Json:
    posted = (listing.posted or datetime.now(UTC)).isoformat()
    value = float(listing.price_value)
    shown: Json = {
        "id": listing.listing_id,
        "resource_url": listing.resource_url,
        "uri": listing.uri,
        "status": listing.status,
        "condition": listing.condition,
        "sleeve_condition": listing.sleeve_condition,
        "comments": _entities(listing.comments),
        "ships_from": "Germany",
        "posted": posted,
        "allow_offers": bool(listing.accept_offer),
        "offer_submitted": False,
        "audio": False,
        "price": {"value": value, "currency": listing.price_currency},
        "original_price": {
            "curr_abbr": listing.price_currency,
            "curr_id": 3,
            "formatted": f"{value:.2f}",
            "value": value,
        },
        "shipping_price": {},
        "original_shipping_price": {},
        "seller": {"id": 1, "username": seller, "stats": _TOTALS},
        "release": _page_release(listing),
    }
    if is_owner:
        shown |= {
            # Where the export has nothing, JSON says 0.
            "weight": float(listing.weight or Decimal(0)),
            "estimated_weight": 230,
            "format_quantity": listing.format_quantity or 0,
            "external_id": listing.external_id,
            "location": listing.location,
            "quantity": listing.quantity,
            "in_cart": False,
        }
    return shown


def _page_release(listing: Listing) -> Json:
    community = {
        "in_wantlist": listing.release_community_want,
        "in_collection": listing.release_community_have,
    }
    return {
        "id": listing.release_id,
        "resource_url": listing.release_resource_url,
        "title": listing.release_title,
        "artist": listing.artist_names,
        "label": listing.label_names,
        "catalog_number": listing.catalog_number,
        "format": listing.format_names,
        "description": f"{listing.artist_names} - {listing.release_title}",
        "year": listing.release_year or 0,
        "thumbnail": listing.image_uri,
        "images": [
            {
                "type": "primary",
                "uri": listing.image_uri,
                "resource_url": listing.image_resource_url,
                "width": 600,
                "height": 600,
            }
        ],
        "stats": {"community": community, "user": {"in_wantlist": 0, "in_collection": 0}},
    }


def for_sale(inventory: Sequence[Listing], status: str) -> list[Listing]:
    """Filter as the parameter `status` does for the owner."""
    if status.casefold() == "all":
        return list(inventory)
    return [x for x in inventory if x.status.casefold() == (status or FOR_SALE).casefold()]
