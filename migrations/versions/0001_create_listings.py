"""The old shop's own table, as its programs made it: the columns they read and write."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "listings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("listing_id", sa.String(50), nullable=False),
        sa.Column("status", sa.String(50)),
        sa.Column("condition", sa.String(50)),
        sa.Column("sleeve_condition", sa.String(50)),
        sa.Column("posted", sa.DateTime),
        sa.Column("uri", sa.String(255)),
        sa.Column("resource_url", sa.String(255)),
        sa.Column("price_value", sa.Float),
        sa.Column("price_currency", sa.String(10)),
        sa.Column("shipping_price", sa.Float),
        sa.Column("shipping_currency", sa.String(10)),
        sa.Column("weight", sa.Float),
        sa.Column("format_quantity", sa.Integer),
        sa.Column("external_id", sa.String(100)),
        sa.Column("location", sa.String(255)),
        sa.Column("comments", sa.Text),
        sa.Column("release_id", sa.String(50)),
        sa.Column("release_title", sa.Text),
        sa.Column("release_year", sa.Integer),
        sa.Column("release_resource_url", sa.String(255)),
        sa.Column("release_uri", sa.String(255)),
        sa.Column("artist_names", sa.Text),
        sa.Column("primary_artist", sa.String(255)),
        sa.Column("label_names", sa.String(500)),
        sa.Column("primary_label", sa.String(255)),
        sa.Column("format_names", sa.String(255)),
        sa.Column("primary_format", sa.String(100)),
        sa.Column("genres", sa.String(500)),
        sa.Column("styles", sa.String(500)),
        sa.Column("country", sa.String(100)),
        sa.Column("catalog_number", sa.String(100)),
        sa.Column("barcode", sa.String(100)),
        sa.Column("master_id", sa.String(50)),
        sa.Column("master_url", sa.String(255)),
        sa.Column("image_uri", sa.String(500)),
        sa.Column("image_resource_url", sa.String(500)),
        sa.Column("release_community_have", sa.Integer),
        sa.Column("release_community_want", sa.Integer),
        sa.Column("export_timestamp", sa.DateTime),
        sa.Column("created_at", sa.DateTime),
        sa.Column("updated_at", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
    )
    op.create_index("ix_listings_listing_id", "listings", ["listing_id"], unique=True)
    op.create_index("ix_listings_status", "listings", ["status"])
    op.create_index("ix_listings_release_id", "listings", ["release_id"])


def downgrade() -> None:
    """Drop the table if it is empty; with rows in it, it stays for the old shop's programs."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM listings LIMIT 1")).first() is None:
        op.drop_table("listings")
