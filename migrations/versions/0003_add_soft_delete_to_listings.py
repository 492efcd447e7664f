"""Listings that are gone stay, with when and why."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
loses = ("listings.is_active", "listings.sold_at")


def upgrade() -> None:
    """Add the columns; every listing counts as active."""
    op.add_column(
        "listings",
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    )
    op.add_column("listings", sa.Column("removed_at", sa.DateTime))
    op.add_column("listings", sa.Column("removal_reason", sa.String(20)))
    op.add_column("listings", sa.Column("sold_at", sa.DateTime))
    op.create_index("ix_listings_is_active", "listings", ["is_active"])


def downgrade() -> None:
    """Drop them: an old program then takes every listing for one that is for sale."""
    op.drop_index("ix_listings_is_active", "listings")
    for name in ("sold_at", "removal_reason", "removed_at", "is_active"):
        op.drop_column("listings", name)
