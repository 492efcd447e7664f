"""The old shop's database, as its own program made and filled it: nothing of discosync's in it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    insert,
    text,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnColumn:
    """A column that the shop added itself: its type on either database, and what it holds.

    `value` is given the listing's place in the table and what the shop knew of it.
    """

    name: str
    sqlite: str
    postgres: str
    value: Callable[[int, str], Any]


GONE_AT = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
"""When the shop had marked what is gone as gone."""

KNEW = {2: "gone", 5: "sold", 7: "sold"}
"""What the shop knew of some listings, by their place; all others it showed as for sale."""


def _marks(yes: Any, no: Any) -> Callable[[int, str], Any]:
    return lambda _, knew: yes if knew == "active" else no


def _when(what: str, form: Callable[[datetime], Any]) -> Callable[[int, str], Any]:
    return lambda _, knew: form(GONE_AT) if knew == what else None


def _plain(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


IS_ACTIVE = {
    "boolean": OwnColumn(
        name="is_active", sqlite="BOOLEAN", postgres="BOOLEAN", value=_marks(True, False)
    ),
    "required": OwnColumn(
        name="is_active",
        sqlite="BOOLEAN NOT NULL DEFAULT 1",
        postgres="BOOLEAN NOT NULL DEFAULT true",
        value=_marks(True, False),
    ),
    "integer": OwnColumn(
        name="is_active", sqlite="INTEGER", postgres="INTEGER", value=_marks(1, 0)
    ),
    "letter": OwnColumn(name="is_active", sqlite="TEXT", postgres="TEXT", value=_marks("t", "f")),
    "digit": OwnColumn(
        name="is_active", sqlite="CHAR(1)", postgres="CHAR(1)", value=_marks("1", "0")
    ),
}
_MOMENTS: dict[str, tuple[str, str, Callable[[datetime], Any]]] = {
    "moment": ("DATETIME", "TIMESTAMP", _plain),
    "zone": ("DATETIME", "TIMESTAMPTZ", lambda moment: f"{moment:%Y-%m-%d %H:%M:%S+00:00}"),
    "text": ("TEXT", "TEXT", lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
    "seconds": ("INTEGER", "BIGINT", lambda moment: int(moment.timestamp())),
}


def _moments(name: str, what: str) -> dict[str, OwnColumn]:
    return {
        kind: OwnColumn(name=name, sqlite=sqlite, postgres=postgres, value=_when(what, form))
        for kind, (sqlite, postgres, form) in _MOMENTS.items()
    }


REMOVED_AT = _moments("removed_at", "gone")
SOLD_AT = _moments("sold_at", "sold")
CONTENT_HASH = {
    kind: OwnColumn(name="content_hash", sqlite=sqlite, postgres=sqlite, value=value)
    for kind, sqlite, value in (
        ("sha256", "VARCHAR(64)", lambda n, _: f"{n:064x}"),
        ("md5", "CHAR(32)", lambda n, _: f"{n:032x}"),
    )
}
METADATA = OwnColumn(
    name="custom_metadata",
    sqlite="JSON",
    postgres="JSON",
    value=lambda n, _: json.dumps({"shelf": n, "b": 1, "a": 2}),
)
QUANTITY = OwnColumn(
    name="quantity", sqlite="INTEGER", postgres="INTEGER", value=lambda _n, _knew: 1
)
REASON = OwnColumn(
    name="removal_reason",
    sqlite="VARCHAR(40)",
    postgres="VARCHAR(40)",
    value=lambda _, knew: None if knew == "active" else f"was {knew}",
)

ARTIST_KEYS = {"uuid": "VARCHAR(36)", "number": "INTEGER"}
_UUID = "00000000-0000-4000-8000-{:012}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """How far a shop had come with a plan of its own: its columns, and how it kept artists."""

    columns: tuple[OwnColumn, ...] = ()
    artists: str | None = None
    has_alembic: bool = False

    def column(self, name: str) -> OwnColumn | None:
        """Find its column of this name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def own_names(self) -> list[str]:
        """The columns that the shop added to the listings."""
        links = ["artist_id", "label_id"] if self.artists else []
        return [*(column.name for column in self.columns), *links]

    @property
    def tables(self) -> list[str]:
        """The tables of the shop."""
        own = ["artists", "record_labels"] if self.artists else []
        return ["listings", *own, *(["alembic_version"] if self.has_alembic else [])]


PHASES = {
    "hash": Phase(columns=(CONTENT_HASH["sha256"],), has_alembic=True),
    "soft delete": Phase(columns=(CONTENT_HASH["md5"], IS_ACTIVE["boolean"], REMOVED_AT["moment"])),
    "today": Phase(
        columns=(IS_ACTIVE["required"], REMOVED_AT["moment"], SOLD_AT["moment"], METADATA),
        has_alembic=True,
    ),
    "artists": Phase(
        columns=(
            CONTENT_HASH["sha256"],
            IS_ACTIVE["integer"],
            REMOVED_AT["zone"],
            SOLD_AT["seconds"],
            QUANTITY,
        ),
        artists="uuid",
        has_alembic=True,
    ),
    "by hand": Phase(
        columns=(IS_ACTIVE["letter"], REMOVED_AT["text"], SOLD_AT["text"], REASON),
        artists="number",
    ),
}
"""The phases of a shop's own plan; each adds columns as its programs made them."""


def make_shop_in_phase(url: str, rows: Sequence[dict[str, Any]], phase: Phase) -> None:
    """Make the old shop's database as it was in a phase of its plan, and fill it."""
    make_old_shop(url, rows)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for column in phase.columns:
            declared = column.sqlite if engine.dialect.name == "sqlite" else column.postgres
            connection.execute(text(f"ALTER TABLE listings ADD COLUMN {column.name} {declared}"))
            connection.execute(
                text(f"CREATE INDEX ix_listings_{column.name} ON listings ({column.name})")
                if column is not METADATA
                else text("SELECT 1")
            )
            connection.execute(
                text(f"UPDATE listings SET {column.name} = :value WHERE id = :id"),
                [
                    {"id": n + 1, "value": column.value(n, KNEW.get(n, "active"))}
                    for n in range(len(rows))
                ],
            )
        if phase.artists:
            _make_artists(connection, phase.artists)
        if phase.has_alembic:
            connection.execute(
                text(
                    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
                )
            )
            connection.execute(text("INSERT INTO alembic_version VALUES ('4f1c2a9be077')"))
    engine.dispose()


def _make_artists(connection: Connection, keys: str) -> None:
    """Make tables of artists and labels, and point the first listings to them."""
    declared, key = ARTIST_KEYS[keys], "uuid" if keys == "uuid" else "id"
    values = {n: _UUID.format(n) if keys == "uuid" else n for n in (1, 2)}
    for table, column in (("artists", "artist_id"), ("record_labels", "label_id")):
        connection.execute(
            text(
                f"CREATE TABLE {table} ({key} {declared} PRIMARY KEY, "
                "name VARCHAR(255) NOT NULL UNIQUE, description TEXT, image_uri VARCHAR(500))"
            )
        )
        connection.execute(text(f"CREATE INDEX ix_{table}_name ON {table} (name)"))
        connection.execute(
            text(f"ALTER TABLE listings ADD COLUMN {column} {declared} REFERENCES {table} ({key})")
        )
        for n, value in values.items():
            connection.execute(
                text(f"INSERT INTO {table} VALUES (:key, :name, 'written by hand', NULL)"),
                {"key": value, "name": f"{table} {n}"},
            )
            connection.execute(
                text(f"UPDATE listings SET {column} = :key WHERE id = :id"),
                {"key": value, "id": n},
            )
