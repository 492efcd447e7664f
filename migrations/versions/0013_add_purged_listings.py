"""Listings that were purged: in which run, and where their archive is.

An export goes on showing what was sold for years; without this it would come back every hour.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
loses = ("purged_listings",)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "purged_listings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("seller", sa.String(255), nullable=False),
        sa.Column("listing_id", sa.String(50), nullable=False),
        sa.Column("sync_run_id", sa.Integer, nullable=False),
        sa.Column("archive", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purged_listings"),
        sa.ForeignKeyConstraint(
            ["sync_run_id"], ["sync_runs.id"], name="fk_purged_listings_sync_run_id_sync_runs"
        ),
    )
    op.create_index(
        "uq_purged_listings_seller_listing_id",
        "purged_listings",
        ["seller", "listing_id"],
        unique=True,
    )


def downgrade() -> None:
    """Drop it; what was purged and is still in the export comes back with the next sync."""
    op.drop_table("purged_listings")
