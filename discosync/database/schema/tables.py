"""The tables, the view and the triggers of the newest revision; a new database is made from them.

Other databases get them by the migrations. A test compares what the two ways make.

Times are stored without a zone and mean UTC, as the old shop stored them: one clock in all
columns, whatever the session's time zone.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

from discosync.database.schema.column_types import (
    Json,
    Money,
    UtcDateTime,
    keep_keys_inline,
    wide,
)
from discosync.database.schema.view_and_triggers import add_view_and_triggers

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(column_0_label)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("listing_id", String(50), nullable=False),
    Column("status", wide(50), index=True),
    Column("condition", wide(50)),
    Column("sleeve_condition", wide(50)),
    Column("posted", UtcDateTime),
    Column("uri", wide(255)),
    Column("resource_url", wide(255)),
    Column("price_value", Money),
    Column("price_currency", String(10)),
    Column("shipping_price", Money),
    Column("shipping_currency", String(10)),
    Column("weight", Float),
    Column("format_quantity", Integer),
    Column("external_id", wide(100)),
    Column("location", wide(255)),
    Column("comments", Text),
    Column("release_id", String(50), index=True),
    Column("release_title", Text),
    Column("release_year", Integer),
    Column("release_resource_url", wide(255)),
    Column("release_uri", wide(255)),
    Column("artist_names", Text),
    Column("primary_artist", String(255)),
    Column("label_names", wide(500)),
    Column("primary_label", String(255)),
    Column("format_names", wide(255)),
    Column("primary_format", String(100)),
    Column("genres", wide(500)),
    Column("styles", wide(500)),
    Column("country", String(100)),
    Column("catalog_number", wide(100)),
    Column("barcode", wide(100)),
    Column("master_id", String(50)),
    Column("master_url", wide(255)),
    Column("image_uri", wide(500)),
    Column("image_resource_url", wide(500)),
    Column("release_community_have", Integer),
    Column("release_community_want", Integer),
    Column("export_timestamp", UtcDateTime),
    Column("created_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
    Column("content_hash", String(64), index=True),
    Column("is_active", Boolean, nullable=False, server_default=true(), index=True),
    Column("removed_at", UtcDateTime),
    Column("removal_reason", String(20)),
    Column("sold_at", UtcDateTime),
    Column("seller", String(255), nullable=False, server_default=text("''")),
    Column("quantity", Integer),
    Column("accept_offer", Boolean),
    Column("artist_id", String(36), ForeignKey("artists.uuid"), index=True),
    Column("label_id", String(36), ForeignKey("labels.uuid"), index=True),
)
Index("uq_listings_seller_listing_id", listings.c.seller, listings.c.listing_id, unique=True)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", String(36), nullable=False, unique=True),
    Column("command", String(40), nullable=False),
    Column("seller", String(255)),
    Column("status", String(20), nullable=False),
    Column("exit_code", Integer, nullable=False),
    Column("source", String(20)),
    Column("is_sandbox", Boolean, nullable=False, server_default=false()),
    Column("snapshot_as_of", UtcDateTime),
    Column("snapshot_sha256", String(64)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("report", Json(), nullable=False),
)
Index("ix_sync_runs_seller_snapshot_as_of", sync_runs.c.seller, sync_runs.c.snapshot_as_of)

listing_changes = Table(
    "listing_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sync_run_id", Integer, ForeignKey("sync_runs.id"), nullable=False, index=True),
    Column("seller", String(255), nullable=False),
    Column("listing_id", String(50), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("fields", Json(none_as_null=True)),
)
Index(
    "ix_listing_changes_seller_listing_id", listing_changes.c.seller, listing_changes.c.listing_id
)

history_checkpoints = Table(
    "history_checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seller", String(255), nullable=False),
    Column("first_run_id", Integer, ForeignKey("sync_runs.id"), nullable=False),
    Column("last_run_id", Integer, ForeignKey("sync_runs.id"), nullable=False),
    Column("is_thinned", Boolean, nullable=False, server_default=false()),
    Column("replaced", LargeBinary, nullable=False),
)
Index(
    "uq_history_checkpoints_seller_first_run_id_last_run_id",
    history_checkpoints.c.seller,
    history_checkpoints.c.first_run_id,
    history_checkpoints.c.last_run_id,
    unique=True,
)

purged_listings = Table(
    "purged_listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seller", String(255), nullable=False),
    Column("listing_id", String(50), nullable=False),
    Column("sync_run_id", Integer, ForeignKey("sync_runs.id"), nullable=False),
    Column("archive", Text, nullable=False),
)
Index(
    "uq_purged_listings_seller_listing_id",
    purged_listings.c.seller,
    purged_listings.c.listing_id,
    unique=True,
)

release_lookups = Table(
    "release_lookups",
    metadata,
    Column("release_id", String(50), primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("source", String(10), nullable=False),
    Column("looked_up_at", UtcDateTime, nullable=False),
)

snapshot_marks = Table(
    "snapshot_marks",
    metadata,
    Column("seller", String(255), primary_key=True),
    Column("context", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("sha256", String(64)),
    Column("records", Integer, nullable=False),
    Column("for_sale", Integer, nullable=False),
    Column("left_purged", Integer, nullable=False),
)

record_digests = Table(
    "record_digests",
    metadata,
    Column("seller", String(255), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("ids", LargeBinary, nullable=False),
    Column("flags", LargeBinary, nullable=False),
    Column("digests", LargeBinary, nullable=False),
)

snapshot_passages = Table(
    "snapshot_passages",
    metadata,
    Column("seller", String(255), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

feature_flags = Table(
    "feature_flags",
    metadata,
    Column("flag", String(64), primary_key=True),
    Column("percent", Integer, nullable=False, server_default=text("100")),
    Column("rolled_back_at", UtcDateTime),
    Column("rolled_back_by", String(255)),
    Column("reason", Text),
    Column("run_id", String(36)),
)

flag_events = Table(
    "flag_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flag", String(64), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(255), nullable=False),
    Column("state_before", String(20), nullable=False),
    Column("state_after", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", String(36)),
)


def _names(table: str) -> Table:
    """Artists or labels: by their number on Discogs when it is known, by name until then."""
    return Table(
        table,
        metadata,
        Column("uuid", String(36), primary_key=True),
        Column("discogs_id", Integer, unique=True),
        Column("name", Text, nullable=False, index=True),
        Column("profile", Text),
        Column("description", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
        Column("is_unlisted", Boolean, nullable=False, server_default=false()),
    )


def _links(table: str, key: str, target: str, *columns: Column[str]) -> Table:
    """Every artist or label of a listing, in order."""
    links = Table(
        table,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("seller", String(255), nullable=False),
        Column("listing_id", String(50), nullable=False),
        Column("position", Integer, nullable=False),
        Column(key, String(36), ForeignKey(f"{target}.uuid"), nullable=False, index=True),
        *columns,
        ForeignKeyConstraint(["seller", "listing_id"], ["listings.seller", "listings.listing_id"]),
    )
    c = links.c
    Index(f"uq_{table}_seller_listing_id_position", c.seller, c.listing_id, c.position, unique=True)
    return links


artists = _names("artists")
labels = _names("labels")
listing_artists = _links(
    "listing_artists",
    "artist_id",
    "artists",
    Column("role", Text),
    Column("name_variation", Text),
    Column("join_phrase", Text),
)
listing_labels = _links("listing_labels", "label_id", "labels", Column("catalog_number", Text))

keep_keys_inline(listings)
add_view_and_triggers(metadata)
