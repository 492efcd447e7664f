"""Turn one page of `GET /users/{username}/inventory` into records of the spool's CSV form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from discosync.core.inventory.columns import FIELD_BY_COLUMN, SPOOL_COLUMNS
from discosync.core.inventory.listing import PRIVATE_FIELDS
from discosync.errors import BadData

_MAX_EXPONENT = 40

PRIVATE_COLUMNS = tuple(c for c in SPOOL_COLUMNS if FIELD_BY_COLUMN.get(c) in PRIVATE_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPage:
    """One page: its listings as CSV records, and the counts of the whole inventory."""

    records: tuple[tuple[str, ...], ...]
    listing_ids: tuple[str, ...]
    private_columns: frozenset[str]
    pages: int
    items: int
    currency: str | None


def parse_page(page: Mapping[str, Any]) -> InventoryPage:
    """Read one page; raise `BadData` for an answer that is not an inventory page.

    A page without `pagination` is an error, never an empty inventory.
    """
    try:
        # Taken for an empty inventory, an answer without these would remove every listing.
        pagination, listings = page["pagination"], page["listings"]
        pages, items = _whole(pagination["pages"]), _whole(pagination["items"])
        rows = [_flatten(listing) for listing in listings]
        listing_ids = tuple(str(listing["id"]) for listing in listings)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadData(
            f"Discogs' answer is not an inventory page: {type(exc).__name__}: {exc}",
            hint="nothing was changed; run again",
            code="malformed_page",
        ) from exc
    return InventoryPage(
        records=tuple(tuple(row.get(column, "") for column in SPOOL_COLUMNS) for row in rows),
        listing_ids=listing_ids,
        private_columns=frozenset(c for c in PRIVATE_COLUMNS if all(c in row for row in rows)),
        pages=pages,
        items=items,
        currency=next((row["currency"] for row in rows if row["currency"]), None),
    )


def _whole(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ValueError(f"{text[:40]!r} is no count")
    return int(text)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    # JSON may write 100 as 1e2, an export never does.
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MAX_EXPONENT:
        return f"{value:f}"
    return str(value)


def _first_image(release: Mapping[str, Any]) -> Mapping[str, Any]:
    images: Sequence[Mapping[str, Any]] = release.get("images") or [{}]
    return images[0]


def _price_of(listing: Mapping[str, Any]) -> tuple[object, object]:
    """Return the price and its currency: the seller's own, not one converted for the viewer."""
    original, price = listing.get("original_price") or {}, listing.get("price") or {}
    # Never one half of each: an amount in the viewer's currency is another one.
    if original.get("value") is not None:
        return original["value"], original.get("curr_abbr", price.get("currency"))
    return price.get("value"), price.get("currency")


def _flatten(listing: Mapping[str, Any]) -> dict[str, str]:
    """Return what a page shows of a listing, by the names of the CSV's columns."""
    release, image = listing["release"], _first_image(listing["release"])
    price, currency = _price_of(listing)
    community = (release.get("stats") or {}).get("community") or {}
    shown = {
        "listing_id": listing["id"],
        "artist": release.get("artist"),
        "title": release.get("title"),
        "label": release.get("label"),
        "catno": release.get("catalog_number"),
        "format": release.get("format"),
        "release_id": release.get("id"),
        "status": listing.get("status"),
        "price": price,
        "currency": currency,
        "posted": listing.get("posted"),
        "comments": listing.get("comments"),
        "media_condition": listing.get("condition"),
        "sleeve_condition": listing.get("sleeve_condition"),
        "accept_offer": listing.get("allow_offers"),
        "uri": listing.get("uri"),
        "resource_url": listing.get("resource_url"),
        "release_year": release.get("year"),
        "release_resource_url": release.get("resource_url"),
        "image_uri": image.get("uri"),
        "image_resource_url": image.get("resource_url"),
        "release_community_have": community.get("in_collection"),
        "release_community_want": community.get("in_wantlist"),
    }
    shown |= {column: listing[column] for column in PRIVATE_COLUMNS if column in listing}
    return {column: _text(value) for column, value in shown.items()}
