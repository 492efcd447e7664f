"""The old shop's way: SQLAlchemy's ORM, one object a row, in the old shop's own table.

It loads every row, sets every field of every listing that it meets, deletes the others, and
stamps all of them with the time of the export, as such a job does: every row is written each
hour. The export stands in for the pages that it would have fetched.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.ways.shop_table import arguments


class Base(DeclarativeBase):
    """What the models share."""


class ShopListing(Base):
    """One listing, in the columns that the old shop's programs know."""

    __tablename__ = "listings"

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[str] = mapped_column(String(50), unique=True, index=True)
    status: Mapped[str | None] = mapped_column(String(50), index=True)
    condition: Mapped[str | None] = mapped_column(String(50))
    sleeve_condition: Mapped[str | None] = mapped_column(String(50))
    posted: Mapped[datetime | None]
    uri: Mapped[str | None] = mapped_column(String(255))
    resource_url: Mapped[str] = mapped_column(String(255))
    price_value: Mapped[float]
    price_currency: Mapped[str | None] = mapped_column(String(10))
    shipping_price: Mapped[float | None]
    shipping_currency: Mapped[str | None] = mapped_column(String(10))
    weight: Mapped[float | None]
    format_quantity: Mapped[int | None]
    external_id: Mapped[str | None] = mapped_column(String(100))
    location: Mapped[str | None] = mapped_column(String(255))
    comments: Mapped[str | None] = mapped_column(Text)
    release_id: Mapped[str] = mapped_column(String(50), index=True)
    release_title: Mapped[str | None] = mapped_column(Text)
    release_year: Mapped[int | None] = mapped_column(index=True)
    release_resource_url: Mapped[str | None] = mapped_column(String(255))
    release_uri: Mapped[str | None] = mapped_column(String(255))
    artist_names: Mapped[str | None] = mapped_column(Text)
    primary_artist: Mapped[str | None] = mapped_column(String(255), index=True)
    label_names: Mapped[str | None] = mapped_column(String(500))
    primary_label: Mapped[str | None] = mapped_column(String(255))
    format_names: Mapped[str | None] = mapped_column(String(255))
    primary_format: Mapped[str | None] = mapped_column(String(100))
    genres: Mapped[str | None] = mapped_column(String(500))
    styles: Mapped[str | None] = mapped_column(String(500))
    country: Mapped[str | None] = mapped_column(String(100))
    catalog_number: Mapped[str | None] = mapped_column(String(100))
    barcode: Mapped[str | None] = mapped_column(String(100))
    master_id: Mapped[str | None] = mapped_column(String(50))
    master_url: Mapped[str | None] = mapped_column(String(255))
    image_uri: Mapped[str | None] = mapped_column(String(500))
    image_resource_url: Mapped[str | None] = mapped_column(String(500))
    release_community_have: Mapped[int | None]
    release_community_want: Mapped[int | None]
    export_timestamp: Mapped[datetime | None]
    created_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]


def main() -> None:
    """Sync once."""
    path, url = arguments()
    now = datetime.now(UTC).replace(tzinfo=None)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        known = {row.listing_id: row for row in session.scalars(select(ShopListing))}
        for fields in _read(path):
            listing = known.pop(fields["listing_id"], None)
            if listing is None:
                listing = ShopListing(created_at=now)
                session.add(listing)
            for name, value in fields.items():
                setattr(listing, name, value)
            listing.export_timestamp = listing.updated_at = now
        for gone in known.values():
            session.delete(gone)
        session.commit()
    engine.dispose()


def _read(path: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - start-up counts
        for row in csv.DictReader(file):
            yield _fields(row)


def _fields(row: dict[str, str]) -> dict[str, Any]:
    listing_id, release_id = row["listing_id"], row["release_id"]
    return {
        "listing_id": listing_id,
        "status": row["status"],
        "condition": row["media_condition"],
        "sleeve_condition": row["sleeve_condition"],
        "posted": datetime.fromisoformat(row["listed"]),
        "uri": f"https://www.discogs.com/sell/item/{listing_id}",
        "resource_url": f"https://api.discogs.com/marketplace/listings/{listing_id}",
        "price_value": float(row["price"]),
        "price_currency": "EUR",
        "weight": float(row["weight"]),
        "format_quantity": int(row["format_quantity"]),
        "external_id": row["external_id"],
        "location": row["location"],
        "comments": row["comments"],
        "release_id": release_id,
        "release_title": row["title"],
        "release_resource_url": f"https://api.discogs.com/releases/{release_id}",
        "artist_names": row["artist"],
        "primary_artist": row["artist"].partition(",")[0],
        "label_names": row["label"],
        "primary_label": row["label"].partition(",")[0],
        "format_names": row["format"],
        "primary_format": row["format"].partition(",")[0],
        "catalog_number": row["catno"],
    }


if __name__ == "__main__":
    main()
