"""The old shop's database, as its own program made and filled it: nothing of discosync's in it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    insert,
)

from discosync.core.inventory.listing import Listing

metadata = MetaData()
old_listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("listing_id", String(50), unique=True, nullable=False, index=True),
    Column("status", String(50), index=True),
    Column("condition", String(50)),
    Column("sleeve_condition", String(50)),
    Column("posted", DateTime),
    Column("uri", String(255)),
    Column("resource_url", String(255), nullable=False),
    Column("price_value", Float, CheckConstraint("price_value >= 0"), nullable=False),
    Column("price_currency", String(10)),
    Column("shipping_price", Float),
    Column("shipping_currency", String(10)),
    Column("weight", Float),
    Column("format_quantity", Integer),
    Column("external_id", String(100)),
    Column("location", String(255)),
    Column("comments", Text),
    Column("release_id", String(50), nullable=False, index=True),
    Column("release_title", Text),
    Column("release_year", Integer, index=True),
    Column("release_resource_url", String(255)),
    Column("release_uri", String(255)),
    Column("artist_names", Text),
    Column("primary_artist", String(255), index=True),
    Column("label_names", String(500)),
    Column("primary_label", String(255)),
    Column("format_names", String(255)),
    Column("primary_format", String(100)),
    Column("genres", String(500)),
    Column("styles", String(500)),
    Column("country", String(100)),
    Column("catalog_number", String(100)),
    Column("barcode", String(100)),
    Column("master_id", String(50)),
    Column("master_url", String(255)),
    Column("image_uri", String(500)),
    Column("image_resource_url", String(500)),
    Column("release_community_have", Integer),
    Column("release_community_want", Integer),
    Column("export_timestamp", DateTime),
    Column("created_at", DateTime),
    Column("updated_at", DateTime),
)

_LOCAL_NOON = datetime(2026, 3, 2, 13, 0)  # noqa: DTZ001 - the old program knew no zones


def old_row(listing: Listing, **fields: Any) -> dict[str, Any]:
    """Make the row that the old program made of what a page shows."""
    shown = {
        column.name: getattr(listing, column.name)
        for column in old_listings.columns
        if hasattr(listing, column.name)
    }
    return {
        **shown,
        "listing_id": str(listing.listing_id),
        "release_id": str(listing.release_id),
        "price_value": float(listing.price_value),
        "weight": float(listing.weight or 0),
        "comments": (listing.comments or "").replace("'", "&#39;"),
        "posted": _LOCAL_NOON,
        "primary_artist": listing.artist_names,
        "primary_label": listing.label_names,
        "primary_format": listing.format_names,
        "genres": "",
        "styles": "",
        "country": None,
        "shipping_price": None,
        "export_timestamp": _LOCAL_NOON,
        "created_at": _LOCAL_NOON,
        "updated_at": _LOCAL_NOON,
        **fields,
    }


def make_old_shop(url: str, rows: Iterable[dict[str, Any]]) -> None:
    """Make the old shop's table and fill it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(old_listings), list(rows))
    engine.dispose()
