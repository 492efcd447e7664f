"""Several sellers in one database: a listing is known by seller and id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and move the uniqueness."""
    op.add_column(
        "listings",
        sa.Column("seller", sa.String(255), nullable=False, server_default=sa.text("''")),
    )
    op.create_index(
        "uq_listings_seller_listing_id", "listings", ["seller", "listing_id"], unique=True
    )
    op.drop_index("ix_listings_listing_id", "listings")


def downgrade() -> None:
    """Move the uniqueness back; it fails when two sellers share a listing id."""
    op.create_index("ix_listings_listing_id", "listings", ["listing_id"], unique=True)
    op.drop_index("uq_listings_seller_listing_id", "listings")
    op.drop_column("listings", "seller")
